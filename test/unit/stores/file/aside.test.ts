/** Objects that come whole: written aside and renamed. */
import { fork } from 'node:child_process'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError } from '../../../../src/shared/errors.ts'
import { file } from '../../../../stores/file.ts'
import { failing, replaceKernel, restoreKernel } from '../../../support/kernel.ts'

const MiB = 1024 * 1024
const key = 'K0123456789abcdef'

const test = suite('stores/file: put and copy')
const base = mkdtempSync(join(tmpdir(), 'carcosa-aside-'))
test.after(() => rmSync(base, { recursive: true }))
test.after.each(restoreKernel)

let stores = 0
async function started() {
  const directory = join(base, String(stores++))
  const store = file({ directory })
  await store.start()
  const filesOf = () =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
      statSync(join(directory, name)).isFile(),
    )
  return { store, directory, path: join(directory, 'K', key), filesOf }
}

test('what is put is a file for its user only, with nothing left aside', async () => {
  const { store, path, filesOf } = await started()
  assert.is(await store.put(key, Readable.from([Buffer.from('hello')]), {}), 5)
  assert.equal(filesOf(), [join('K', key)])
  assert.is(readFileSync(path, 'utf8'), 'hello')
  assert.is(statSync(path).mode & 0o777, 0o600)
})

test('while it is being put nobody sees it, and what it replaces stays', async () => {
  const { store, path } = await started()
  const first = new PassThrough()
  const putting = store.put(key, first, {})
  first.write('half')
  await sleep(50)
  assert.is(await store.stat(key), null)
  assert.is(await store.open(key), null)
  first.end(' and half')
  await putting
  const second = new PassThrough()
  const replacing = store.put(key, second, {})
  second.write('new')
  await sleep(50)
  assert.is(readFileSync(path, 'utf8'), 'half and half')
  second.end()
  await replacing
  assert.is(readFileSync(path, 'utf8'), 'new')
})

const failures: [how: string, body: () => Readable, size: number | undefined][] = [
  ['fails', () => broken((stream) => stream.destroy(new Error('reset'))), undefined],
  ['is destroyed', () => broken((stream) => stream.destroy()), undefined],
  ['is shorter than it was said to be', () => Readable.from([Buffer.from('four')]), 5],
  ['is longer than it was said to be', () => Readable.from([Buffer.from('four')]), 3],
]
for (const [how, body, size] of failures) {
  test(`a body that ${how} leaves nothing, and what was there`, async () => {
    const { store, path, filesOf } = await started()
    const info = size === undefined ? {} : { size }
    assert.instance(await failure(store.put(key, body(), info)), Error)
    assert.equal(filesOf(), [])
    await store.put(key, Buffer.from('before'), {})
    assert.instance(await failure(store.put(key, body(), info)), Error)
    assert.equal(filesOf(), [join('K', key)])
    assert.is(readFileSync(path, 'utf8'), 'before')
  })
}

test('the error of a body is told as it is', async () => {
  const { store } = await started()
  const body = broken((stream) => stream.destroy(new Error('reset')))
  assert.is((await failure(store.put(key, body, {})))?.message, 'reset')
})

test('a full disk leaves nothing, and says so', async () => {
  const { store, filesOf } = await started()
  replaceKernel('writev', () => failing('ENOSPC'))
  const error = await failure(store.put(key, Buffer.from('hello'), {}))
  assert.is(error instanceof CarcosaError && error.code, 'STORAGE_FULL')
  assert.equal(filesOf(), [])
})

test('a copy is a file of its own, for its user only', async () => {
  const { store, directory, path, filesOf } = await started()
  await store.put(key, Buffer.alloc(MiB, 'x'), {})
  await store.copy?.(key, 'some/where/copy')
  const copy = join(directory, 's/some/where/copy')
  assert.equal(readFileSync(copy), readFileSync(path))
  assert.is(statSync(copy).mode & 0o777, 0o600)
  await store.put(key, Buffer.from('other'), {})
  assert.is(readFileSync(copy).length, MiB)
  await store.copy?.(key, 'some/where/copy')
  assert.is(readFileSync(copy, 'utf8'), 'other', 'a copy replaces')
  await store.copy?.(key, key)
  assert.is(readFileSync(path, 'utf8'), 'other')
  assert.equal(filesOf().sort(), [join('K', key), 's/some/where/copy'])
})

test('of what does not exist there is no copy, and nothing is left of it', async () => {
  const { store, filesOf } = await started()
  const error = await failure(Promise.resolve(store.copy?.(key, 'copy')))
  assert.is(error instanceof CarcosaError && error.code, 'STORAGE_CORRUPT')
  assert.equal(filesOf(), [])
})

test('what a crash left aside is removed a day later, at the next start', async () => {
  const { store, directory, path } = await started()
  await store.put(key, Buffer.from('hello'), {})
  const aside = (name: string) => join(directory, '~aside', name)
  const days = (count: number) => Date.now() / 1000 - count * 86_400
  for (const [name, age] of [
    ['old', 1.1],
    ['young', 0.9],
  ] as const) {
    writeFileSync(aside(name), 'half')
    utimesSync(aside(name), days(age), days(age))
  }
  utimesSync(path, days(99), days(99))
  await store.start()
  assert.equal(readdirSync(join(directory, '~aside')), ['young'])
  assert.is(readFileSync(path, 'utf8'), 'hello')
})

test('of a process that is killed while it puts no half object is seen', async () => {
  const { store, directory, filesOf } = await started()
  const script = join(base, 'put.ts')
  const from = join(import.meta.dirname, '../../../../stores/file.ts')
  writeFileSync(
    script,
    `import { Readable } from 'node:stream'
     import { file } from ${JSON.stringify(from)}
     const store = file({ directory: ${JSON.stringify(directory)} })
     await store.start()
     const body = new Readable({ read() { setTimeout(() => this.push(Buffer.alloc(65536)), 1) } })
     await store.put(${JSON.stringify(key)}, body, {})`,
  )
  const child = fork(script)
  for (let i = 0; i < 1000 && filesOf().length === 0; i++) await sleep(10)
  assert.match(filesOf()[0] ?? '', /^~aside/)
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('exit', resolve))
  assert.is(await store.stat(key), null)
  assert.is(await store.open(key), null)
  for await (const { key } of store.list?.() ?? []) assert.unreachable(key)
})

/** Yields something, then ends as `end` says. */
function broken(end: (stream: Readable) => void): Readable {
  const stream = new PassThrough()
  stream.write('half')
  setTimeout(() => end(stream), 20)
  return stream
}

async function failure(work: Promise<unknown>): Promise<Error | null> {
  return work.then(
    () => null,
    (error) => error,
  )
}

test.run()
