/** Keys with slashes, and what a path must never lead to. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError } from '../../../../src/shared/errors.ts'
import { file } from '../../../../stores/file.ts'
import type { NewObject, Store } from '../../../../stores/store.ts'
import { byteSource } from '../../../support/byte-source.ts'
import { growing } from '../../../support/growing.ts'

const test = suite('stores/file: keys')
const base = mkdtempSync(join(tmpdir(), 'carcosa-keys-'))
test.after(() => rmSync(base, { recursive: true }))

let stores = 0
async function started(options: { key?: (object: NewObject) => string } = {}) {
  const outside = join(base, String(stores++))
  const directory = join(outside, 'files')
  const store = file({ directory, ...options })
  await store.start()
  const filesOf = () =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
      statSync(join(directory, name)).isFile(),
    )
  return { store, directory, outside, filesOf }
}

const object = (overrides: Partial<NewObject> = {}): NewObject => ({
  id: 'K0123456789abcdef',
  route: 'demo',
  projectId: 'default',
  ownerId: null,
  filename: null,
  ...overrides,
})

const paths: [key: string, path: string][] = [
  ['K0123456789abcdef', 'K/K0123456789abcdef'],
  ['a', 'a/a'],
  ['users/42/K01', 'u/users/42/K01'],
  ["!-_.*'()/K01.jpg", "!/!-_.*'()/K01.jpg"],
  ['.hidden', '_/.hidden'],
  ['..K01/x', '_/..K01/x'],
  ['x'.repeat(255), `x/${'x'.repeat(255)}`],
  [`${'deep/'.repeat(100)}K01`, `d/${'deep/'.repeat(100)}K01`],
]
for (const [key, path] of paths) {
  test(`the object ${key.slice(0, 30)} is the file ${path.slice(0, 30)}`, async () => {
    const { store, directory, filesOf } = await started()
    await store.write(growing(key), byteSource('hello'))
    await store.complete(growing(key, 5), 5)
    assert.equal(filesOf(), [path])
    assert.is(readFileSync(join(directory, path), 'utf8'), 'hello')
    assert.is(await text(store, key), 'hello')
    for (let at = join(directory, path, '..'); at !== directory; at = dirname(at)) {
      assert.is(statSync(at).mode & 0o777, 0o700)
    }
    await store.put(key, Buffer.from('again'), {})
    assert.is(await text(store, key), 'again')
    assert.is(statSync(join(directory, path)).mode & 0o777, 0o600)
    await store.remove(key)
    assert.equal(filesOf(), [])
  })
}

test('the key option names new objects', async () => {
  const { store } = await started({
    key: ({ id, ownerId, route }) => `${route}/${ownerId ?? 'nobody'}/${id}`,
  })
  assert.is(store.keyFor?.(object()), 'demo/nobody/K0123456789abcdef')
  assert.is((await started()).store.keyFor, undefined)
})

test('with the last object in a directory the directory is removed, but no other', async () => {
  const { store, directory } = await started()
  for (const key of ['users/42/a', 'users/42/deep/er/b', 'users/7/c']) {
    await store.put(key, Buffer.from('x'), {})
  }
  await store.remove('users/42/deep/er/b')
  assert.equal(readdirSync(join(directory, 'u/users/42')), ['a'])
  await store.remove('users/42/a')
  assert.equal(readdirSync(join(directory, 'u/users')), ['7'])
  await store.remove('users/7/c')
  assert.equal(readdirSync(join(directory, 'u')), [], 'shards stay')
  await store.put('users/42/a', Buffer.from('again'), {})
  assert.is(await text(store, 'users/42/a'), 'again')
})

test('a directory that vanishes while others write into it does not fail them', async () => {
  const { store } = await started()
  await Promise.all(
    Array.from({ length: 8 }, async (_, worker) => {
      for (let turn = 0; turn < 40; turn++) {
        const key = `busy/place/${worker}`
        await store.write(growing(key), byteSource('hello'))
        await store.put(`${key}-put`, Buffer.from('hello'), {})
        await store.remove(key)
        await store.remove(`${key}-put`)
      }
    }),
  )
  assert.is(await store.stat('busy/place/0'), null)
})

test('a key below an object, or above objects, is refused and harms nothing', async () => {
  const { store } = await started()
  await store.put('a/b', Buffer.from('hello'), {})
  for (const key of ['a/b/c', 'a']) {
    const put = store.put(key, Buffer.from('x'), {})
    assert.is(await codeOf(put), 'STORAGE_UNAVAILABLE')
  }
  assert.is(await text(store, 'a/b'), 'hello')
})

// Links

const verbs: [string, (store: Store, key: string) => Promise<unknown>][] = [
  ['write', (store, key) => store.write(growing(key), byteSource('new'))],
  ['go on', (store, key) => store.write(growing(key, 6), byteSource('new'))],
  ['offset', async (store, key) => store.offset?.(growing(key))],
  ['complete', (store, key) => store.complete(growing(key, 6), 6)],
  ['open', (store, key) => store.open(key)],
  ['stat', (store, key) => store.stat(key)],
  ['copy', async (store, key) => store.copy?.(key, 'Kcopy')],
]

for (const [verb, act] of verbs) {
  test(`a link in place of a file is not followed: ${verb}`, async () => {
    const { store, directory, outside } = await started()
    const secret = join(outside, 'secret')
    writeFileSync(secret, 'secret')
    mkdirSync(join(directory, 'K'))
    symlinkSync(secret, join(directory, 'K/K01'))
    assert.is(await codeOf(act(store, 'K01')), 'STORAGE_UNAVAILABLE')
    assert.is(readFileSync(secret, 'utf8'), 'secret')
    assert.not.ok(existsSync(join(directory, 'K/Kcopy')))
  })
}

for (const [verb, act] of [
  ...verbs,
  ['put', (store: Store, key: string) => store.put(key, Buffer.from('new'), {})] as const,
  ['remove', (store: Store, key: string) => store.remove(key)] as const,
  ['copy to', async (store: Store, key: string) => store.copy?.('Kmine', key)] as const,
]) {
  for (const [what, link, key] of [
    ['shard', 'S', 'S01'],
    ['directory', 'S/Some/place', 'Some/place/S01'],
  ] as const) {
    test(`a link in place of a ${what} is not followed: ${verb}`, async () => {
      const { store, directory, outside } = await started()
      await store.put('Kmine', Buffer.from('mine'), {})
      const away = join(outside, 'away')
      mkdirSync(away)
      writeFileSync(join(away, 'S01'), 'secret')
      mkdirSync(dirname(join(directory, link)), { recursive: true })
      symlinkSync(away, join(directory, link))
      assert.is(await codeOf(act(store, key)), 'STORAGE_UNAVAILABLE')
      assert.equal(readdirSync(away), ['S01'])
      assert.is(readFileSync(join(away, 'S01'), 'utf8'), 'secret')
    })
  }
}

test('a link that is put over or removed is replaced itself, not what it leads to', async () => {
  const { store, directory, outside } = await started()
  const secret = join(outside, 'secret')
  writeFileSync(secret, 'secret')
  mkdirSync(join(directory, 'K'))
  symlinkSync(secret, join(directory, 'K/K01'))
  await store.put('K01', Buffer.from('mine'), {})
  assert.is(await text(store, 'K01'), 'mine')
  symlinkSync(secret, join(directory, 'K/K02'))
  await store.remove('K02')
  assert.is(readFileSync(secret, 'utf8'), 'secret')
})

test('the directory of the store itself may be a link', async () => {
  const { store, directory, outside } = await started()
  await store.put('K01', Buffer.from('hello'), {})
  renameSync(directory, join(outside, 'elsewhere'))
  symlinkSync(join(outside, 'elsewhere'), directory)
  const again = file({ directory })
  await again.start()
  assert.is(await text(again, 'K01'), 'hello')
  await again.put('some/K02', Buffer.from('hello'), {})
})

// Listing

test('all files are listed, finished or not, and nothing that is no object', async () => {
  const { store, directory, outside } = await started()
  await store.put('K-put', Buffer.from('hello'), {})
  await store.write(growing('K-growing', 0, { size: 9 }), byteSource('hel'))
  await store.put('users/42/a.jpg', Buffer.from('x'), {})
  await store.put('.hidden', Buffer.from(''), {})
  for (const name of ['~aside/half', 'lost+found/x', 'K/has space', 'K/Wrong', 'stray']) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), 'x')
  }
  renameSync(join(directory, 'K/Wrong'), join(directory, 'u/Wrong'))
  symlinkSync(outside, join(directory, 'K/link'))
  symlinkSync(outside, join(directory, 'L'))
  const listed = await listOf(store)
  assert.equal(
    listed.map(({ key, size }) => [key, size]),
    [
      ['.hidden', 0],
      ['K-growing', 3],
      ['K-put', 5],
      ['users/42/a.jpg', 1],
    ],
  )
  for (const { modifiedAt } of listed) {
    assert.ok(Math.abs(modifiedAt.getTime() - Date.now()) < 60_000)
  }
})

test('hundreds of files are listed while others are removed', async () => {
  const { store } = await started()
  const keys = Array.from({ length: 300 }, (_, i) => `d${i % 7}/e${i % 3}/f${i}`)
  for (const key of keys) await store.put(key, Buffer.from('x'), {})
  const found: string[] = []
  let removed = 0
  for await (const { key } of store.list?.() ?? []) {
    found.push(key)
    if (removed++ < 100) await store.remove(keys[removed * 2] ?? '')
  }
  assert.is(new Set(found).size, found.length)
  assert.ok(found.length >= 200, String(found.length))
  assert.is((await listOf(store)).length, 200)
})

test('a store without files lists none', async () => {
  assert.equal(await listOf((await started()).store), [])
})

async function listOf(store: Store) {
  const found = []
  for await (const one of store.list?.() ?? []) found.push(one)
  return found.sort((a, b) => (a.key < b.key ? -1 : 1))
}

async function text(store: Store, key: string): Promise<string> {
  const opened = await store.open(key)
  return opened ? String(await buffer(opened.stream)) : 'nothing'
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing',
    (error) => (error instanceof CarcosaError ? error.code : String(error)),
  )
}

test.run()
