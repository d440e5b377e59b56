/** Faults of @tus/file-store 2.1 (rows F): first shown there where it is cheap, then not here. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, rename, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openDatabase } from '../../../src/db/open.ts'
import type { NewFile } from '../../../src/files/record.ts'
import { CarcosaError } from '../../../src/shared/errors.ts'
import { create } from '../../../src/uploads/lifecycle.ts'
import { sweep } from '../../../src/uploads/sweep.ts'
import { file } from '../../../stores/file.ts'
import { bareTus } from '../../support/bare-tus.ts'
import { growing } from '../../support/growing.ts'
import { created, expectAnswer, offsetOf, patch } from '../../support/records.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const test = suite('regressions/file-store')
let server: TestServer
const directory = mkdtempSync(join(tmpdir(), 'carcosa-file-store-'))
test.before(async () => {
  server = await startServer()
})
test.after(async () => {
  await server.close()
  rmSync(directory, { recursive: true, force: true })
})

const http = () => server.doors.http

test('F1: a sweep removes what is unfinished and expired, and nothing else', async () => {
  const theirs = await bareTus({ expiresAfter: 50 })
  const finished = await theirs.upload(5, 'hello')
  await wait(100)
  await theirs.server.cleanUpExpiredUploads()
  const seen = await theirs.exchange({ method: 'HEAD', path: finished })
  assert.is.not(seen.status, 200, 'it bites: the finished file is gone')
  await theirs.close()

  const done = await created(http(), { route: 'brief', bytes: 'helloworld' })
  const expired = await created(http(), { route: 'brief', bytes: 'hello' })
  const empty = await created(http(), { route: 'brief' })
  const fresh = await created(http(), { bytes: 'hello' })
  await wait(750)
  const report = await sweep(server.uploads)
  assert.is(report.expired, 2)
  assert.equal(await Promise.all([done, expired, empty, fresh].map(stateOf)), [
    'ready',
    'expired',
    'expired',
    'receiving',
  ])
  assert.equal(await Promise.all([done, expired, empty, fresh].map(heldOf)), [
    10,
    null,
    null,
    5,
  ])
  assert.equal(await sweep(server.uploads), { expired: 0, purged: 0 })
})

test('F2: a store that cannot be read is not an upload that does not exist', async () => {
  const theirs = await bareTus()
  const lost = await theirs.upload(5)
  const info = readdirSync(theirs.directory).find((name) => name.endsWith('.json')) ?? ''
  writeFileSync(join(theirs.directory, info), '{"half')
  const gone = await theirs.exchange({ method: 'HEAD', path: lost })
  assert.is(gone.status, 404, 'it bites: the client starts over')
  await theirs.close()

  const url = await created(http(), { bytes: 'hello' })
  // As after a restart: only the store knows what it holds.
  server.uploads.tails.drop(url.split('/').pop() ?? '')
  const shard = dirname(await pathOf(url))
  await rename(shard, `${shard}.away`)
  writeFileSync(shard, 'no directory')
  try {
    const head = await http()({ method: 'HEAD', path: url })
    expectAnswer(head, { status: 423, headers: { 'Retry-After': /^\d+$/ } })
    const more = await patch(http(), url, { offset: 5, body: 'world' })
    expectAnswer(more, { status: 503, code: 'STORAGE_UNAVAILABLE' })
  } finally {
    rmSync(shard)
    await rename(`${shard}.away`, shard)
  }
  assert.is(await offsetOf(http(), url), 5)
  assert.is((await patch(http(), url, { offset: 5, body: 'world' })).status, 204)
})

test('F2: there is one file per upload and no sidecar', async () => {
  const url = await created(http(), { bytes: 'hello' })
  const path = await pathOf(url)
  assert.is(readFileSync(path, 'utf8'), 'hello')
  const { id } = await server.row(url)
  assert.equal(
    readdirSync(dirname(path)).filter((name) => name.includes(id)),
    [id],
  )
})

for (const remembered of [true, false]) {
  test(`F3: bytes that a power cut took away are not papered over (remembered: ${remembered})`, async () => {
    const url = await created(http(), { bytes: 'hello' })
    await truncate(await pathOf(url), 2)
    if (!remembered) server.uploads.tails.drop(url.split('/').pop() ?? '')
    const answer = await patch(http(), url, { offset: 5, body: 'world' })
    assert.ok(answer.status === 410 || answer.status === 500, String(answer.status))
    // Bytes that were acknowledged are missing: no later request may make a file of it.
    const head = await http()({ method: 'HEAD', path: url })
    expectAnswer(head, { status: 410, headers: { 'Upload-Offset': null } })
    const row = await server.row(url)
    assert.is(row.state, 'failed')
    assert.is(row.failure?.code, 'STORAGE_CORRUPT')
  })
}

test('F3: bytes beyond the acknowledged offset are the ones that were sent', async () => {
  const url = await created(http(), { bytes: 'hello' })
  server.uploads.tails.drop(url.split('/').pop() ?? '')
  writeFileSync(await pathOf(url), 'hellowor')
  assert.is(await offsetOf(http(), url), 8)
  await patch(http(), url, { offset: 8, body: 'ld' })
  const { id } = await server.row(url)
  assert.is((await http()({ method: 'GET', path: `/files/${id}` })).text, 'helloworld')
})

test('F4: an id that is taken is never given again', async () => {
  const url = await created(http(), { bytes: 'hello' })
  const { createdAt, updatedAt, state, offset, ...row } = await server.row(url)
  const taken: NewFile = row
  const second = await create(server.uploads, taken).then(
    () => null,
    (error: unknown) => error,
  )
  assert.instance(second, Error)
  assert.is(await offsetOf(http(), url), 5)
  assert.is(readFileSync(await pathOf(url), 'utf8'), 'hello')
})

test('F4: a key that looks like a sidecar of another is a file of its own', async () => {
  const store = file({ directory: join(directory, 'sidecars') })
  await store.start()
  for (const key of ['victim', 'victim.json', 'victim.info']) {
    await store.put(key, Buffer.from(key), {})
  }
  await store.remove('victim.info')
  for (const key of ['victim', 'victim.json']) {
    assert.equal(await store.stat(key), { size: key.length })
  }
})

const keys = [
  ...['../victim', 'a/../../victim', '/victim', 'a//b', 'a/b/', 'a/./b', 'a\\b'],
  ...['', '.', '..', '...', 'a\0b', 'a b', '~aside/b', 'é'.repeat(9)],
]
for (const key of keys) {
  test(`F4: ${JSON.stringify(key)} is no key of the file store`, async () => {
    const store = file({ directory: join(directory, 'keys') })
    await store.start()
    const source = {
      stream: Readable.from([Buffer.from('x')]),
      limit: 1,
      signal: new AbortController().signal,
      onChunk() {},
      onStored() {},
      onExcess() {},
    }
    const attempts = [
      () => store.write(growing(key), source),
      () => store.offset?.(growing(key)),
      () => store.put(key, Buffer.from('x'), {}),
      () => store.open(key),
      () => store.stat(key),
      () => store.complete(growing(key), 1),
      () => store.remove(key),
    ]
    for (const attempt of attempts) {
      const error = await attempt()?.then(
        () => null,
        (reason: unknown) => reason,
      )
      assert.instance(error, TypeError)
    }
    assert.equal(readdirSync(join(directory, 'keys')), [])
  })
}

test('F5: a directory that cannot be made is told by start, and nowhere else', async () => {
  const impossible = '/proc/version/uploads'
  const script = `
    import { FileStore } from '@tus/file-store'
    try { new FileStore({ directory: '${impossible}' }) } catch { process.exit(0) }
    setTimeout(() => process.exit(0), 2000)`
  assert.throws(
    () =>
      execFileSync(process.execPath, ['--input-type=module', '-e', script], {
        cwd: join(import.meta.dirname, '../../..'),
        stdio: 'pipe',
      }),
    undefined,
    'it bites: the process dies of an error that nobody can catch',
  )

  const store = file({ directory: impossible })
  const error = await store.start().then(
    () => null,
    (reason: unknown) => reason,
  )
  assert.instance(error, CarcosaError)
  assert.is((error as CarcosaError).code, 'STORAGE_UNAVAILABLE')
  assert.match((error as CarcosaError).message, /permission to read and write/)
})

test('F5: the directory and its files are for nobody else', async () => {
  const url = await created(http(), { bytes: 'hello' })
  const path = await pathOf(url)
  const modeOf = async (place: string) => ((await stat(place)).mode & 0o777).toString(8)
  assert.is(await modeOf(path), '600')
  assert.is(await modeOf(dirname(path)), '700')
})

test('F6: two processes do not write to one embedded directory', async () => {
  const place = join(directory, 'db')
  await mkdir(place, { recursive: true })
  const first = await openDatabase(place)
  try {
    const second = await openDatabase(place).then(
      () => null,
      (error: unknown) => error,
    )
    assert.instance(second, CarcosaError)
    assert.is((second as CarcosaError).code, 'DATABASE_LOCKED')
  } finally {
    await first.close()
  }
})

async function pathOf(url: string): Promise<string> {
  const { key } = await server.row(url)
  const files = join(server.dataDir, 'files')
  const [path] = readdirSync(files, { recursive: true, encoding: 'utf8' }).filter(
    (name) => basename(name) === key,
  )
  if (!path) throw new Error(`there is no file of ${key}`)
  return join(files, path)
}

async function stateOf(url: string): Promise<string> {
  return (await server.row(url)).state
}

async function heldOf(url: string): Promise<number | null> {
  const { storeName, key } = await server.row(url)
  const held = await server.uploads.stores.get(storeName)?.stat(key)
  return held?.size ?? null
}

test.run()
