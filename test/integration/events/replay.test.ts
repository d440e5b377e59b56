import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openSocket } from '../../support/event-socket.ts'
import {
  type EventStream,
  openStream,
  openWebStream,
  until,
} from '../../support/event-stream.ts'
import { begin } from '../../support/lifecycle.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const test = suite('events that are told again')

const total = 10_000
const service = { Authorization: 'Bearer service' }

let server: TestServer
const open: EventStream[] = []
const keep = (stream: EventStream) => {
  open.push(stream)
  return stream
}
const watch = async (path: string, headers: Record<string, string> = service) =>
  keep(await openStream(server.port, path, headers))

test.before.each(async () => {
  server = await startServer()
})
test.after.each(async () => {
  for (const stream of open.splice(0)) stream.close()
  await server.close()
})

test(`${total} of them are complete and in order, through every door`, async () => {
  await insert(total)
  const expected = Array.from({ length: total }, (_, i) => i + 1)
  const path = '/events?project=default&lastEventId=0'
  const streams = [
    await watch(path),
    keep(await openWebStream(server.carcosa.fetch, path, service)),
  ]
  for (const stream of streams) {
    await until(() => stream.events.length >= total, 'the replay')
    assert.equal(numbersOf(stream), expected)
  }
  const socket = await openSocket(server.port, '/ws', service)
  socket.send({ type: 'subscribe', topic: { project: 'default' }, lastEventId: 0 })
  await until(() => socket.said.length > total, 'the replay')
  const told = socket.said.filter(({ type }) => type === 'event').map(({ id }) => id)
  assert.equal(told, expected)
  socket.close()

  const listed: (number | null)[] = []
  const { events } = server.carcosa.api
  for (let after = 0; after < total; ) {
    const page = await events.list({ after, limit: 1_000 })
    listed.push(...page.map(({ id }) => id))
    after = page.at(-1)?.id ?? total
  }
  assert.equal(listed, expected)
})

test('what happens while it goes on comes behind it, once', async () => {
  await insert(3_000)
  const stream = await watch('/events?project=default&lastEventId=1000')
  for (let i = 0; i < 20; i++) await insert(100)
  await until(() => stream.events.length >= 4_000, 'all')
  const expected = Array.from({ length: 4_000 }, (_, i) => i + 1_001)
  assert.equal(numbersOf(stream), expected)
})

test('a topic is told what is its own, however much there is between', async () => {
  const one = await begin(server, 'demo', { length: 5 })
  await insert(1_500)
  const two = await begin(server, 'private', { length: 5 })
  await insert(1_500)
  for (const query of [`file=${one.id}&file=${two.id}`, 'route=demo&route=private']) {
    const stream = await watch(`/events?${query}&lastEventId=0`)
    await until(() => stream.events.length === 2, query)
    assert.equal(
      stream.events.map(({ data }) => data.id),
      [one.id, two.id],
    )
  }
})

test('who knows a number beyond the last is told of the gap and goes on', async () => {
  await insert(10)
  const stream = await watch('/events?project=default', {
    ...service,
    'Last-Event-ID': '99',
  })
  const gap = await stream.next('stream.gap')
  assert.equal(gap.data, { after: 99, last: 10 })
  await insert(1)
  await until(() => numbersOf(stream).includes(11))
})

test('who comes back for what was deleted meanwhile is told so', async () => {
  await insert(2_000)
  await server.carcosa.api.events.list()
  await server.uploads.db.executeSql(
    `WITH gone AS (DELETE FROM carcosa.event WHERE number <= 500)
     UPDATE carcosa.event_sequence SET dropped = 500`,
  )
  const stream = await watch('/events?project=default', {
    ...service,
    'Last-Event-ID': '400',
  })
  const gap = await stream.next('stream.gap')
  assert.equal(gap.data, { after: 400, dropped: 500 })
  await until(() => stream.stored.length === 1_500)
  assert.is(numbersOf(stream)[0], 501)
})

async function insert(count: number): Promise<void> {
  await server.uploads.db.executeSql(
    `INSERT INTO carcosa.event (project_id, type, data)
     SELECT 'default', 'file.created', jsonb_build_object('i', i) FROM generate_series(1, ${count}) i`,
  )
  server.uploads.feed.hint()
}

const numbersOf = (stream: EventStream) => stream.stored.map(({ id }) => Number(id))

test.run()
