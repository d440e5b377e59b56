import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError } from '../../../src/shared/errors.ts'
import { file } from '../../../stores/file.ts'
import { byteSource } from '../../support/byte-source.ts'
import { growing } from '../../support/growing.ts'
import { failing, replaceKernel, restoreKernel } from '../../support/kernel.ts'

const test = suite('stores/file')

const base = mkdtempSync(join(tmpdir(), 'carcosa-store-'))
test.after(() => rmSync(base, { recursive: true }))
test.after.each(restoreKernel)

let stores = 0
const key = 'K0123456789abcdef'

/** A started store in a directory of its own. */
async function started() {
  const directory = join(base, String(stores++), 'deep', 'files')
  const store = file({ directory })
  await store.start()
  return { store, directory, path: join(directory, 'K', key) }
}

async function failure(work: Promise<unknown>): Promise<CarcosaError> {
  const error = await work.then(
    () => new Error('it worked'),
    (caught) => caught,
  )
  assert.instance(error, CarcosaError, String(error))
  return error
}

test('it makes its directory, for its user only', async () => {
  const { directory } = await started()
  assert.is(statSync(directory).mode & 0o777, 0o700)
})

test('an object is one plain file for its user only, without anything beside it', async () => {
  const { store, directory, path } = await started()
  await store.write(growing(key), byteSource('hello'))
  await store.write(growing(key, 5), byteSource(' world'))
  await store.complete(growing(key, 11), 11)
  assert.is(readFileSync(path, 'utf8'), 'hello world')
  assert.is(statSync(path).mode & 0o777, 0o600)
  assert.equal(readdirSync(directory, { recursive: true }).sort(), ['K', join('K', key)])
})

test('bytes beyond the offset, left by a crash, are cut off before new ones', async () => {
  const { store, path } = await started()
  await store.write(growing(key), byteSource('hello'))
  writeFileSync(path, 'hello and more that was never acknowledged')
  assert.is(await store.write(growing(key, 5), byteSource('!')), 6)
  assert.is(readFileSync(path, 'utf8'), 'hello!')
})

test('they are cut off too when the upload stands at its beginning', async () => {
  const { store, path } = await started()
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, 'left by a crash')
  assert.is(await store.write(growing(key), byteSource('new')), 3)
  assert.is(readFileSync(path, 'utf8'), 'new')
})

test('a file shorter than the offset is corrupt, and stays as it is', async () => {
  const { store, path } = await started()
  await store.write(growing(key), byteSource('hello'))
  writeFileSync(path, 'hel')
  const error = await failure(store.write(growing(key, 5), byteSource('!')))
  assert.is(error.code, 'STORAGE_CORRUPT')
  assert.equal(error.details, { held: 3, offset: 5 })
  assert.is(readFileSync(path, 'utf8'), 'hel')
})

test('a file that vanished is not made again in the middle', async () => {
  const { store, path } = await started()
  await store.write(growing(key), byteSource('hello'))
  rmSync(path)
  assert.is((await failure(store.write(growing(key, 5), byteSource('!')))).status, 503)
  assert.is(await store.stat(key), null)
})

test('it is complete by the file, not by memory, where memory says otherwise', async () => {
  const { store, path } = await started()
  await store.write(growing(key), byteSource('hello'))
  // Another process went on with it.
  writeFileSync(path, 'hello world')
  await store.complete(growing(key, 11), 11)
})

test('a full disk is 507, says that nothing is lost and when to come back', async () => {
  const { store } = await started()
  replaceKernel('writev', () => failing('ENOSPC'))
  const error = await failure(store.write(growing(key), byteSource('x')))
  assert.is(error.code, 'STORAGE_FULL')
  assert.is(error.status, 507)
  assert.match(error.message, 'resume')
  assert.match(error.headers['Retry-After'] ?? '', /^\d+$/)
  assert.is((error.cause as NodeJS.ErrnoException).code, 'ENOSPC')
})

test('every other failure of the disk is 503 with Retry-After', async () => {
  const { store, path } = await started()
  // A directory where the file should be.
  mkdirSync(path, { recursive: true })
  for (const work of [
    () => store.write(growing(key), byteSource('x')),
    () => store.put(key, Buffer.from('x'), {}),
    () => store.open(key),
    () => store.stat(key),
    () => store.complete(growing(key), 1),
    () => store.remove(key),
  ]) {
    const error = await failure(work())
    assert.is(error.code, 'STORAGE_UNAVAILABLE')
    assert.ok(error.headers['Retry-After'])
  }
})

test('no message tells a client where the files are', async () => {
  const { store, path, directory } = await started()
  mkdirSync(path, { recursive: true })
  const error = await failure(store.write(growing(key), byteSource('x')))
  assert.not.match(JSON.stringify(error.toProblem()), directory)
})

const notKeys = [
  ...['', '.', '..', '...', '../../etc/passwd', 'a/../b', 'a/./b', 'a/.../b', 'a/..'],
  ...['a//b', '/a', 'a/', '/etc/passwd', 'a\\b\\c', '..\\a', 'a\n', 'abc\0', 'a%2f..'],
  ...[
    'ünïcödé',
    'a b c',
    '~aside',
    '~aside/a',
    'C:a',
    'x'.repeat(256),
    'ab/'.repeat(171),
  ],
]
for (const wrong of notKeys) {
  test(`${JSON.stringify(wrong.slice(0, 20))} is no key`, async () => {
    const { store, directory } = await started()
    const verbs: [string, () => Promise<unknown>][] = [
      ['write', () => store.write(growing(wrong), byteSource('x'))],
      ['offset', async () => store.offset?.(growing(wrong))],
      ['complete', () => store.complete(growing(wrong, 1), 1)],
      ['put', () => store.put(wrong, Buffer.from('x'), {})],
      ['open', () => store.open(wrong)],
      ['stat', () => store.stat(wrong)],
      ['remove', () => store.remove(wrong)],
      ['copy from', async () => store.copy?.(wrong, key)],
      ['copy to', async () => store.copy?.(key, wrong)],
    ]
    for (const [verb, work] of verbs) {
      const error = await work().then(
        () => new Error('it worked'),
        (caught) => caught,
      )
      assert.instance(error, TypeError, `${verb}: ${error}`)
    }
    assert.equal(readdirSync(directory), [])
  })
}

for (const [options, says] of [
  [{ directory: 'x', durability: 'power' }, /"process" or "disk", not "power"/],
  [{ directory: 'x', key: 'id' }, /key must be a function/],
] as const) {
  test(`file(${JSON.stringify(options)}) is a mistake of the program`, () => {
    const given = options as unknown as Parameters<typeof file>[0]
    assert.throws(() => file(given), says)
  })
}

for (const options of [undefined, null, {}, { directory: '' }, { directory: 5 }]) {
  test(`file(${JSON.stringify(options)}) is a mistake of the program`, () => {
    // What a program without types can pass.
    const given = options as unknown as Parameters<typeof file>[0]
    assert.throws(() => file(given), /directory must be a non-empty path/)
  })
}

test('a directory that is a file is refused at the start', async () => {
  const path = join(base, 'a file')
  writeFileSync(path, '')
  const error = await failure(file({ directory: join(path, 'x') }).start())
  assert.is(error.code, 'STORAGE_UNAVAILABLE')
  assert.match(error.message, 'ENOTDIR')
  assert.match(error.message, 'Create it, or give this process permission')
})

// The superuser may write everywhere; a file system of the kernel refuses even them.
const readOnly = process.getuid?.() === 0 ? '/sys' : join(base, 'read-only')
test('a directory it may not write is refused at the start', async () => {
  if (readOnly !== '/sys') {
    mkdirSync(readOnly)
    chmodSync(readOnly, 0o500)
  }
  const error = await failure(file({ directory: join(readOnly, 'files') }).start())
  assert.is(error.code, 'STORAGE_UNAVAILABLE')
  assert.match(error.message, 'permission')
})

test('what was removed is not complete by memory', async () => {
  const { store } = await started()
  await store.write(growing(key), byteSource('hello'))
  await store.remove(key)
  assert.is((await failure(store.complete(growing(key, 5), 5))).code, 'STORAGE_CORRUPT')
})

test('a thousand objects written and never completed leave no memory behind', async () => {
  const { store } = await started()
  for (let i = 0; i < 1_100; i++) {
    await store.write(growing(`Key${String(i).padStart(6, '0')}`), byteSource('x'))
  }
  await store.complete(growing('Key000000', 1), 1)
  await store.complete(growing('Key001099', 1), 1)
})

test.run()
