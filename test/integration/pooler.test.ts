/** Two nodes that reach Postgres through PgBouncer in transaction mode only. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { silentLogger } from '../../src/shared/logger.ts'
import { file } from '../../stores/file.ts'
import { type PgBouncer, startPgBouncer } from '../support/pgbouncer.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'
import { eventually } from '../support/raw-http.ts'
import { created, offsetOf, patch } from '../support/records.ts'
import { requires } from '../support/requirements.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { stalledPatch } from '../support/stalled-patch.ts'

const test = requires('pgbouncer', suite('behind a pooler in transaction mode'))

let database: TestDatabase
let pooler: PgBouncer
let files: string
let one: TestServer
let two: TestServer
const warnings: string[] = []

const size = 1_000_000
const sent = Buffer.alloc(300_000, 'abcdefghij')

test.before(async () => {
  database = await postgres()
  pooler = await startPgBouncer(database.url)
  files = mkdtempSync(join(tmpdir(), 'carcosa-pooler-'))
  one = await node()
  two = await node()
})
test.after(async () => {
  await one?.close()
  await two?.close()
  await pooler?.stop()
  await database?.drop()
  rmSync(files, { recursive: true, force: true })
})

function node(directDatabase?: string): Promise<TestServer> {
  return startServer({
    database: pooler.url,
    ...(directDatabase && { directDatabase }),
    store: file({ directory: files }),
    secret: 'both-nodes-have-got-the-same-secret-here',
    logger: { ...silentLogger, warn: (_, text) => warnings.push(text) },
  })
}

const stalled = (server: TestServer, url: string) =>
  stalledPatch(server, url, { size, sent })

test('an upload goes from node to node', async () => {
  const url = await created(one.doors.http, { length: size })
  const raw = await stalled(one, url)
  const at = Date.now()
  assert.is(await offsetOf(two.doors.http, url), sent.length)
  // Nothing is heard through the pooler: the holder reads in the row that it is wanted.
  assert.ok(Date.now() - at < 4_000, `${Date.now() - at} ms`)
  assert.is((await raw.answer()).status, 204)
  raw.cut()
  const rest = Buffer.alloc(size - sent.length, 'z')
  const answer = await patch(two.doors.http, url, { offset: sent.length, body: rest })
  assert.is(answer.status, 204, answer.text)
  const { id } = await one.row(url)
  const whole = await one.doors.http({ method: 'GET', path: `/files/${id}` })
  assert.ok(whole.bytes.equals(Buffer.concat([sent, rest])))
})

test('many uploads share its few connections', async () => {
  const uploads = Array.from({ length: 40 }, async (_, i) => {
    const server = i % 2 ? one : two
    const url = await created(server.doors.http, { length: size })
    for (let offset = 0; offset < size; offset += size / 4) {
      const body = Buffer.alloc(size / 4, String(i))
      const answer = await patch(server.doors.http, url, { offset, body })
      assert.is(answer.status, 204, answer.text)
    }
    assert.is((await server.row(url)).state, 'ready')
  })
  await Promise.all(uploads)
})

test('the log says what to do, and with it messages arrive', async () => {
  await eventually(
    async () => warnings.join(),
    (said) => /CARCOSA_DIRECT_DATABASE/.test(said),
  )
  const third = await node(database.url)
  const fourth = await node(database.url)
  for (const { uploads } of [third, fourth]) {
    await eventually(
      async () => uploads.channel.connected,
      (connected) => connected,
    )
  }
  const url = await created(third.doors.http, { length: size })
  const raw = await stalled(third, url)
  const at = Date.now()
  assert.is(await offsetOf(fourth.doors.http, url), sent.length)
  assert.ok(Date.now() - at < 1_000, `${Date.now() - at} ms`)
  raw.cut()
  await third.close()
  await fourth.close()
})

test.run()
