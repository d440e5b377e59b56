import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { route } from '../../../src/routes/route.ts'
import { createRouter } from '../../../src/routes/router.ts'
import { type EventStream, openStream, until } from '../../support/event-stream.ts'
import { begin, upload } from '../../support/lifecycle.ts'
import { patch } from '../../support/records.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const router = createRouter({
  private: route({ blob: { maxFileSize: '1MB', maxFileCount: 10 } }).public(),
  mine: route({ blob: { maxFileSize: '1MB' } }),
  demo: route({ blob: { maxFileSize: '1MB' } }).public(),
})

const test = suite('who may watch (SEC-33)')

let server: TestServer
const open: EventStream[] = []
const as = (name: string) => ({ Authorization: `Bearer ${name}` })

async function watch(path: string, headers: Record<string, string> = {}) {
  const stream = await openStream(server.port, path, headers)
  open.push(stream)
  return stream
}

test.before(async () => {
  server = await startServer({
    router,
    maxSubscribersPerClient: 5,
    events: {
      allow: ({ principal, topic }) =>
        principal.kind === 'service' || (principal.id === 'ann' && topic.id === 'mine'),
    },
  })
})
test.after.each(() => {
  for (const stream of open.splice(0)) stream.close()
})
test.after(() => server.close())

test('SEC-33: what is not theirs looks like what does not exist, to the byte', async () => {
  const mine = await begin(server, 'mine', { length: 5, headers: as('ann') })
  const finished = await upload(server, 'private', 'hello')
  const unknown = 'x'.repeat(24)
  const headers = { ...as('bob'), 'X-Request-Id': 'same' }
  const refusals = [
    `file=${unknown}`,
    `file=${mine.id}`,
    `file=${finished.id}`,
    `batch=${unknown}`,
    'route=mine',
    'route=nothing',
    'project=default',
    'project=nothing',
    `file=${mine.id}&file=${unknown}`,
  ]
  const bodies = new Set<string>()
  for (const query of refusals) {
    const stream = await watch(`/events?${query}`, headers)
    assert.is(stream.status, 404, query)
    bodies.add(JSON.stringify(stream.problem))
  }
  assert.is(bodies.size, 1)
})

test('an owner watches a file; one topic that is not theirs refuses all', async () => {
  const mine = await begin(server, 'mine', { length: 5, headers: as('bob') })
  const theirs = await begin(server, 'mine', { length: 5, headers: as('ann') })
  assert.is((await watch(`/events?file=${mine.id}`, as('bob'))).status, 200)
  const both = await watch(`/events?file=${mine.id}&file=${theirs.id}`, as('bob'))
  assert.is(both.status, 404)
})

test('an anonymous upload is watched by whoever knows its id, until it is finished', async () => {
  const { id, url } = await begin(server, 'private', { length: 5 })
  const stream = await watch(`/events?file=${id}`)
  assert.is(stream.status, 200)
  await patch(server.doors.http, url, { offset: 0, body: 'hello' })
  await stream.next('file.ready')
  assert.is((await watch(`/events?file=${id}`)).status, 404)
})

test('a ticket opens its upload and its batch, in a header or in the URL', async () => {
  const { batchId, tickets } = await prepared(2)
  const [first = '', second = ''] = tickets
  const made = await begin(server, 'private', {
    length: 5,
    headers: { 'Upload-Ticket': first },
  })
  const file = await watch(`/events?file=${made.id}`, { 'Upload-Ticket': first })
  assert.is(file.status, 200)
  await patch(server.doors.http, made.url, { offset: 0, body: 'hello' })
  await file.next('file.ready')
  // It is finished now, so the id alone opens nothing.
  assert.is((await watch(`/events?file=${made.id}&ticket=${first}`)).status, 200)
  assert.is((await watch(`/events?file=${made.id}&ticket=${second}`)).status, 404)
  const batch = await watch(`/events?batch=${batchId}&ticket=${second}&lastEventId=0`)
  await batch.next('file.ready')
  assert.equal(batch.types, ['file.created', 'file.stored', 'file.ready'])
  assert.is((await watch(`/events?batch=${batchId}`)).status, 404)
})

test('a batch can be watched before it has a file', async () => {
  const { batchId, tickets } = await prepared(1)
  const [ticket = ''] = tickets
  const stream = await watch(`/events?batch=${batchId}&ticket=${ticket}`)
  assert.is(stream.status, 200)
  const made = await begin(server, 'private', {
    length: 5,
    headers: { 'Upload-Ticket': ticket },
  })
  const created = await stream.next('file.created')
  assert.is(created.data.id, made.id)
})

test('an owner of all files of a batch watches it', async () => {
  const { batchId, tickets } = await prepared(1, as('ann'), 'mine')
  const headers = { ...as('ann'), 'Upload-Ticket': tickets[0] ?? '' }
  await begin(server, 'mine', { length: 5, headers })
  assert.is((await watch(`/events?batch=${batchId}`, as('ann'))).status, 200)
  assert.is((await watch(`/events?batch=${batchId}`, as('bob'))).status, 404)
})

test('a service watches routes and the project, others what the option allows them', async () => {
  const route = await watch('/events?route=mine', as('ann'))
  const project = await watch('/events?project=default', as('service'))
  assert.equal([route.status, project.status], [200, 200])
  assert.is((await watch('/events?route=private', as('ann'))).status, 404)
  const other = await begin(server, 'private', { length: 5 })
  const mine = await begin(server, 'mine', { length: 5, headers: as('bob') })
  await until(() => project.stored.length === 2, 'both files in the project')
  assert.equal(
    project.stored.map(({ data }) => data.id),
    [other.id, mine.id],
  )
  assert.equal(
    route.stored.map(({ data }) => data.id),
    [mine.id],
  )
})

test('a credential that is wrong is refused, whatever is asked for', async () => {
  const { id } = await begin(server, 'private', { length: 5 })
  assert.is((await watch(`/events?file=${id}`, as('expired'))).status, 401)
  assert.is((await watch(`/events?file=${id}&ticket=nonsense`)).status, 403)
})

test('SEC-33: what a client named cannot forge an event', async () => {
  const evil = 'a\n\nevent: file.removed\r\ndata: {}\r\rid: 999\n\n.txt'
  const { id } = await begin(server, 'private', {
    length: 5,
    metadata: { filename: evil },
  })
  const stream = await watch(`/events?file=${id}&lastEventId=0`)
  const created = await stream.next('file.created')
  assert.match(String(created.data.filename), /event: file\.removed/)
  assert.is(stream.events.length, 1)
})

test('a stream tells no secrets', async () => {
  const { batchId, tickets } = await prepared(1)
  const [ticket = ''] = tickets
  const made = await begin(server, 'private', {
    length: 5,
    headers: { 'Upload-Ticket': ticket },
  })
  await patch(server.doors.http, made.url, { offset: 0, body: 'hello' })
  const stream = await watch(`/events?batch=${batchId}&ticket=${ticket}&lastEventId=0`)
  await stream.next('file.ready')
  const told = JSON.stringify(stream.events)
  assert.not.ok(told.includes(ticket))
  assert.not.match(told, /memo|claimed|metadata|key/i)
})

test('a client and a process have limits, and a place is free again when a client leaves', async () => {
  const { id } = await begin(server, 'mine', { length: 5, headers: as('carl') })
  const path = `/events?file=${id}`
  const mine: EventStream[] = []
  for (let i = 0; i < 5; i++) mine.push(await watch(path, as('carl')))
  const refused = await watch(path, as('carl'))
  assert.is(refused.status, 429)
  assert.is(refused.problem?.code, 'TOO_MANY_SUBSCRIPTIONS')
  assert.ok(Number(refused.headers['retry-after']) > 0)
  mine[0]?.close()
  await until(() => mine[0]?.ended === true)
  let again = await watch(path, as('carl'))
  for (let i = 0; i < 50 && again.status === 429; i++)
    again = await watch(path, as('carl'))
  assert.is(again.status, 200)

  const small = await startServer({ maxSubscribers: 1 })
  const demo = await begin(small, 'demo', { length: 5 })
  const first = await openStream(small.port, `/events?file=${demo.id}`)
  const second = await openStream(small.port, `/events?file=${demo.id}`)
  assert.equal([first.status, second.status], [200, 503])
  assert.is(second.problem?.code, 'SUBSCRIBERS_FULL')
  assert.ok(Number(second.headers['retry-after']) > 0)
  first.close()
  await small.close()
})

async function prepared(count: number, headers = {}, route = 'private') {
  const files = Array.from({ length: count }, (_, i) => ({
    name: `${i}.bin`,
    type: '',
    size: 5,
  }))
  const answer = await server.doors.http({
    method: 'POST',
    path: `/uploads/${route}/prepare`,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ files }),
  })
  assert.is(answer.status, 200, answer.text)
  const { batchId, files: judged } = answer.json() as {
    batchId: string
    files: { ticket: string }[]
  }
  return { batchId, tickets: judged.map(({ ticket }) => ticket) }
}

test.run()
