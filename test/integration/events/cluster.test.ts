import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type EventStream, openStream, until } from '../../support/event-stream.ts'
import { begin, upload } from '../../support/lifecycle.ts'
import { type PostgresServer, startPostgresServer } from '../../support/postgres.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { slowPatch } from '../../support/slow-patch.ts'

const test = suite('events of another process')

let postgres: PostgresServer
let one: TestServer
let two: TestServer
const open: EventStream[] = []
const watch = async (server: TestServer, path: string) => {
  const stream = await openStream(server.port, path, { Authorization: 'Bearer service' })
  open.push(stream)
  return stream
}

test.before(async () => {
  postgres = await startPostgresServer()
  one = await startServer({ database: postgres.url })
  two = await startServer({ database: postgres.url })
  await until(() => one.uploads.channel.connected && two.uploads.channel.connected)
})
test.after.each(() => {
  for (const stream of open.splice(0)) stream.close()
})
test.after(async () => {
  await one.close()
  await two.close()
  await postgres.stop()
})

test('are told soon', async () => {
  const stream = await watch(two, '/events?route=demo')
  // What is told must have come by a message: it looks by itself every five seconds.
  await upload(one, 'demo', 'hello')
  const began = Date.now()
  await stream.next('file.ready')
  assert.ok(Date.now() - began < 2_000)
  assert.equal(stream.types, ['file.created', 'file.stored', 'file.ready'])
})

test('so is how far its uploads are, while somebody listens', async () => {
  const size = 50_000
  const { url, id } = await begin(one, 'demo', { length: size })
  const stream = await watch(two, `/events?file=${id}`)
  await slowPatch(one.port, url, { size, pieces: 10, everyMs: 150 })
  await stream.next('file.ready')
  const ticks = stream.events.filter(({ type }) => type === 'upload.progress')
  assert.ok(ticks.length >= 3, `${ticks.length} messages`)
  assert.ok(ticks.every((tick) => tick.id === null))
  const offsets = ticks.map(({ data }) => Number(data.offset))
  assert.equal(
    offsets,
    offsets.toSorted((a, b) => a - b),
  )
  assert.is(offsets.at(-1), size)
  assert.ok(ticks.every(({ data }) => data.id === id && data.size === size))
})

test('a subscriber loses no event while connections to the database break', async () => {
  const stream = await watch(two, '/events?route=private&lastEventId=0')
  const before = stream.types.length
  for (let i = 0; i < 5; i++) {
    await killConnections()
    await persist(() => upload(one, 'private', 'hello'))
  }
  await until(() => countOf(stream, 'file.ready') >= 5, 'five files')
  assertOrder(stream)
  assert.ok(stream.types.length > before)
})

test('nor while the database restarts', async () => {
  const stream = await watch(two, '/events?route=mine')
  const headers = { Authorization: 'Bearer ann' }
  await upload(one, 'mine', { body: 'before', headers })
  await postgres.restart()
  await persist(() => upload(one, 'mine', { body: 'after', headers }))
  await until(() => countOf(stream, 'file.ready') >= 2, 'both files')
  assertOrder(stream)
  assert.is(stream.ended, false)
})

async function killConnections(): Promise<void> {
  await one.uploads.db
    .executeSql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    )
    .catch(() => undefined)
}

/** A client would try again, too. */
async function persist(work: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await work()
      return
    } catch (error) {
      if (tries > 40) throw error
      await sleep(100)
    }
  }
}

function assertOrder(stream: EventStream): void {
  const numbers = stream.stored.map(({ id }) => Number(id))
  assert.equal(
    numbers,
    [...new Set(numbers)].toSorted((a, b) => a - b),
  )
}

const countOf = (stream: EventStream, type: string) =>
  stream.types.filter((one) => one === type).length

test.run()
