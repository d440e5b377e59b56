/** Leases of uploads between processes: two nodes on one Postgres and one directory. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { file } from '../../stores/file.ts'
import type { Exchange } from '../support/exchange.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'
import { eventually, type RawConnection } from '../support/raw-http.ts'
import { created, offsetOf, offsetStream, patch } from '../support/records.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { stalledPatch } from '../support/stalled-patch.ts'

const test = suite('leases between nodes')

let database: TestDatabase
let files: string
let one: TestServer
let two: TestServer
const open = new Set<RawConnection>()

const size = 1_000_000
const sent = Buffer.alloc(300_000, 'abcdefghij')
const ttlMs = 2_000

async function node(): Promise<TestServer> {
  const server = await startServer(
    {
      database: database.url,
      store: file({ directory: files }),
      secret: 'both-nodes-have-got-the-same-secret-here',
    },
    { leases: { ttlMs, waitMs: 4_000, idleMs: 500 } },
  )
  await eventually(
    async () => server.uploads.channel.connected,
    (connected) => connected,
  )
  return server
}

test.before(async () => {
  database = await postgres()
  files = mkdtempSync(join(tmpdir(), 'carcosa-leases-'))
  one = await node()
  two = await node()
})
test.after.each(() => {
  for (const connection of open) connection.cut()
  open.clear()
})
test.after(async () => {
  await one.close()
  await two.close()
  await database.drop()
  rmSync(files, { recursive: true, force: true })
})

/** Begins a PATCH at `server` of which `sent` arrives, and nothing more. */
async function stalled(server: TestServer, url: string): Promise<RawConnection> {
  const raw = await stalledPatch(server, url, { size, sent })
  open.add(raw)
  return raw
}

interface LeaseRow {
  holder: string | null
  fence: number
  contested: boolean
}

async function lease(url: string): Promise<LeaseRow> {
  const [row] = await one.uploads.db.query<LeaseRow>(
    {
      name: 'test_lease',
      sql: `SELECT lease_holder AS holder, lease_fence AS fence, lease_contested AS contested
        FROM carcosa.file WHERE id = $1`,
    },
    [url.split('/').at(-1)],
  )
  if (!row) throw new Error(`there is no row of ${url}`)
  return row
}

test('a HEAD on another node ends a stalled PATCH and is told every byte of it', async () => {
  const url = await created(one.doors.http, { length: size })
  const raw = await stalled(one, url)
  const before = Date.now()
  assert.is(await offsetOf(two.doors.http, url), sent.length)
  assert.ok(Date.now() - before < 1_000, 'it did not wait for the lease to run out')
  const cut = await raw.answer()
  assert.is(cut.status, 204)
  assert.is(cut.headers['upload-offset'], String(sent.length))
})

test('a PATCH on another node goes on where a stalled one stood, and completes the file', async () => {
  const url = await created(one.doors.http, { length: size })
  await stalled(one, url)
  const rest = Buffer.alloc(size - sent.length, 'z')
  const answer = await patch(two.doors.http, url, { offset: sent.length, body: rest })
  assert.is(answer.status, 204, answer.text)
  const { id, sha256, state } = await one.row(url)
  assert.is(state, 'ready')
  assert.is(sha256, null, 'a job hashes what two processes saw')
  const whole = await one.doors.http({ method: 'GET', path: `/files/${id}` })
  assert.ok(whole.bytes.equals(Buffer.concat([sent, rest])))
})

test('a PATCH on another node waits for one that still receives bytes, then is told to look', async () => {
  const url = await created(one.doors.http, { length: size })
  const raw = await stalled(one, url)
  const drip = setInterval(() => raw.write(Buffer.alloc(1_000)), 100)
  await sleep(300)
  const answer = await patch(two.doors.http, url, { offset: sent.length, body: 'x' })
  clearInterval(drip)
  assert.is(answer.status, 423, answer.text)
  assert.is(answer.headers['retry-after'], '1')
  assert.ok((await one.row(url)).offset > sent.length, 'the first one went on')
})

test('a DELETE on another node ends a PATCH at once', async () => {
  const url = await created(one.doors.http, { length: size })
  const raw = await stalled(one, url)
  const deleted = await two.doors.http({
    method: 'DELETE',
    path: url,
    headers: { 'Tus-Resumable': '1.0.0' },
  })
  assert.is(deleted.status, 204, deleted.text)
  await raw.answer()
  assert.is((await head(one.doors.http, url)).status, 410)
})

test('a program on another node ends a PATCH within a second', async () => {
  const url = await created(one.doors.http, { length: size })
  const raw = await stalled(one, url)
  const before = Date.now()
  assert.ok(await two.carcosa.api.files.delete(url.split('/').at(-1) ?? ''))
  assert.is((await raw.answer()).status, 410)
  assert.ok(Date.now() - before < 1_000, `${Date.now() - before} ms`)
  assert.is((await head(one.doors.http, url)).status, 410)
})

test('a program cancels what is unfinished, and nothing else', async () => {
  const { cancel } = two.carcosa.api.uploads
  const url = await created(one.doors.http, { length: size })
  const raw = await stalled(one, url)
  const id = url.split('/').at(-1) ?? ''
  assert.is(await cancel(id), true)
  assert.is((await raw.answer()).status, 410)
  assert.is(await cancel(id), false)
  const { id: whole } = await one.carcosa.api.files.upload('hello', { route: 'demo' })
  assert.is(await cancel(whole), false)
  assert.is(await cancel('no such upload'), false)
  assert.is((await one.row(whole)).state, 'ready')
})

test('an unfinished upload that nobody writes to has no lease', async () => {
  const url = await created(one.doors.http, { length: size })
  const answer = await patch(one.doors.http, url, { offset: 0, body: sent })
  assert.is(answer.status, 204)
  await eventually(
    () => lease(url),
    ({ holder }) => holder === null,
  )
  assert.is((await lease(url)).fence, 1)
})

test('a finished upload has no lease, without a statement of its own', async () => {
  const url = await created(one.doors.http, { length: 5 })
  await patch(one.doors.http, url, { offset: 0, body: 'hello' })
  const { holder, fence } = await lease(url)
  assert.equal({ holder, fence }, { holder: null, fence: 1 })
})

test('a file that comes whole never has one', async () => {
  const answer = await one.doors.http({
    method: 'POST',
    path: '/uploads/demo',
    headers: {
      'Tus-Resumable': '1.0.0',
      'Upload-Length': '5',
      'Content-Type': offsetStream,
    },
    body: 'hello',
  })
  assert.is(answer.status, 201)
  const { holder, fence } = await lease(answer.headers.location ?? '')
  assert.equal({ holder, fence }, { holder: null, fence: 0 })
})

test('the fence grows with every holder', async () => {
  const url = await created(one.doors.http, { length: 3 })
  for (const [offset, server] of [one, two].entries()) {
    await patch(server.doors.http, url, { offset, body: 'x' })
  }
  assert.is((await lease(url)).fence, 2)
})

test('a lease that is not renewed can be taken after its time, and its holder commits nothing', async () => {
  const url = await created(one.doors.http, { length: size })
  const raw = await stalled(one, url)
  // Somebody took it: what the first one still receives must not count.
  await one.uploads.db.executeSql(
    `UPDATE carcosa.file SET lease_holder = 'somebody', lease_fence = lease_fence + 1,
     lease_expires_at = now() + interval '1 second' WHERE lease_holder IS NOT NULL`,
  )
  raw.write(Buffer.alloc(100_000))
  assert.is((await raw.answer()).status, 423)
  assert.is((await one.row(url)).offset, sent.length)
  assert.is((await lease(url)).holder, 'somebody')
  const at = Date.now()
  const offset = await offsetOf(two.doors.http, url)
  assert.ok(Date.now() - at < 1_500, 'it was taken when its time was over')
  assert.ok(offset >= sent.length, String(offset))
})

test('a lease outlives its time as long as its holder lives', async () => {
  const url = await created(one.doors.http, { length: size })
  const raw = await stalled(one, url)
  const drip = setInterval(() => raw.write('x'), 200)
  await sleep(ttlMs * 1.6)
  assert.is.not((await lease(url)).holder, null)
  assert.is((await lease(url)).fence, 1)
  clearInterval(drip)
})

test('a holder whose database is gone stops before its lease can be taken', async () => {
  const url = await created(one.doors.http, { length: size })
  const raw = await stalled(one, url)
  const { db } = one.uploads
  const { query } = db
  const broken = async () => {
    throw new Error('the database cannot be reached')
  }
  Object.assign(db, { query: broken })
  const drip = setInterval(() => raw.write('x'), 100)
  const at = Date.now()
  await raw.answer()
  clearInterval(drip)
  Object.assign(db, { query })
  assert.ok(Date.now() - at < ttlMs + 1_200, `${Date.now() - at} ms`)
})

test('who waits for an upload uses no CPU to speak of, nor the database more than once a second', async () => {
  const url = await created(one.doors.http, { length: size })
  const raw = await stalled(one, url)
  const drip = setInterval(() => raw.write('x'), 100)
  const [before] = await statements()
  const waiters = Array.from({ length: 20 }, () =>
    patch(two.doors.http, url, { offset: sent.length, body: 'x' }),
  )
  const cpu = process.cpuUsage()
  await sleep(2_000)
  const { user, system } = process.cpuUsage(cpu)
  assert.ok(user + system < 600_000, `${user + system} µs of CPU in two seconds`)
  const [after] = await statements()
  assert.ok(after - before < 60, `${after - before} transactions in two seconds`)
  clearInterval(drip)
  raw.cut()
  for (const answer of await Promise.all(waiters)) {
    assert.ok([204, 409, 423].includes(answer.status), answer.text)
  }
})

function head(send: Exchange, path: string) {
  return send({ method: 'HEAD', path, headers: { 'Tus-Resumable': '1.0.0' } })
}

async function statements(): Promise<[number]> {
  const [row] = await one.uploads.db.query<{ count: number }>({
    name: 'test_transactions',
    sql: `SELECT xact_commit AS count FROM pg_stat_database
      WHERE datname = current_database()`,
  })
  return [Number(row?.count)]
}

test.run()
