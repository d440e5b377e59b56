import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type EventSocket, openSocket } from '../../support/event-socket.ts'
import { until } from '../../support/event-stream.ts'
import { begin } from '../../support/lifecycle.ts'
import { patch } from '../../support/records.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const test = suite('events over WebSocket')

let server: TestServer
const open: EventSocket[] = []

const connect = async (path?: string, headers?: Record<string, string>) => {
  const socket = await openSocket(server.port, path, headers)
  open.push(socket)
  return socket
}

test.before(async () => {
  const cors = { origins: ['https://app.example.com'] }
  server = await startServer({ eventHeartbeat: 1_000, maxSubscribersPerClient: 20, cors })
})
test.after.each(() => {
  for (const socket of open.splice(0)) socket.close()
})
test.after(() => server.close())

test('tells what happens to what was subscribed to, until it is unsubscribed', async () => {
  const { url, id } = await begin(server, 'demo', { length: 10 })
  const socket = await connect()
  socket.send({ type: 'subscribe', topic: { file: id }, lastEventId: '0' })
  assert.equal((await socket.next('subscribed')).topic, { file: id })
  const created = await socket.next('event')
  assert.is(created.event, 'file.created')
  assert.is((created.data as { id: string }).id, id)
  assert.type(created.id, 'number')
  await patch(server.doors.http, url, { offset: 0, body: 'hello' })
  const progress = await socket.next('progress')
  assert.is(progress.event, 'upload.progress')
  assert.is((progress.data as { offset: number }).offset, 5)
  socket.send({ type: 'unsubscribe', topic: { file: id } })
  await socket.next('unsubscribed')
  const before = socket.said.length
  await patch(server.doors.http, url, { offset: 5, body: 'hello' })
  socket.send({ type: 'ping' })
  await socket.next('pong')
  assert.is(socket.said.length, before + 1)
})

test('several topics share a connection, each from where its client is', async () => {
  const one = await begin(server, 'demo', { length: 1 })
  const two = await begin(server, 'demo', { length: 1 })
  const socket = await connect()
  socket.send({ type: 'subscribe', topic: { file: one.id }, lastEventId: 0 })
  socket.send({ type: 'subscribe', topic: { file: two.id } })
  await socket.next('event')
  await until(() => socket.said.filter(({ type }) => type === 'subscribed').length === 2)
  await patch(server.doors.http, two.url, { offset: 0, body: 'x' })
  await until(() => socket.said.some(({ event }) => event === 'file.ready'))
  const of = (id: string) =>
    socket.said
      .filter(({ type, data }) => type === 'event' && (data as { id: string }).id === id)
      .map(({ event }) => event)
  assert.equal(of(one.id), ['file.created'])
  assert.equal(of(two.id), ['file.stored', 'file.ready'])
})

test('answers what it does not understand, and goes on', async () => {
  const socket = await connect()
  const wrong: [message: string | Buffer, code: string][] = [
    ['no json', 'MESSAGE_INVALID'],
    ['null', 'MESSAGE_INVALID'],
    ['{}', 'MESSAGE_INVALID'],
    [Buffer.from('{"type":"ping"}'), 'MESSAGE_INVALID'],
    ['{"type":"subscribe"}', 'BAD_REQUEST'],
    ['{"type":"subscribe","topic":{"file":"a","batch":"b"}}', 'BAD_REQUEST'],
    ['{"type":"subscribe","topic":{"planet":"a"}}', 'BAD_REQUEST'],
    ['{"type":"subscribe","topic":{"file":7}}', 'BAD_REQUEST'],
    ['{"type":"subscribe","topic":{"file":"a"},"lastEventId":"x"}', 'CURSOR_INVALID'],
    ['{"type":"subscribe","topic":{"file":"a"},"ticket":"x"}', 'TICKET_INVALID'],
    ['{"type":"subscribe","topic":{"file":"a"},"ticket":1}', 'MESSAGE_INVALID'],
    ['{"type":"subscribe","topic":{"file":"a"}}', 'TOPIC_NOT_FOUND'],
  ]
  for (const [message, code] of wrong) {
    socket.sendRaw(message)
    const { error } = await socket.next('error')
    assert.is((error as { code: string }).code, code, String(message))
  }
  socket.send({ type: 'ping' })
  await socket.next('pong')
})

test('has limits: the size of a message, subscriptions, and connections of a client', async () => {
  const large = await connect()
  large.sendRaw(JSON.stringify({ type: 'ping', more: 'x'.repeat(20_000) }))
  await until(() => large.closed === 1009)

  const many = await connect('/ws', { Authorization: 'Bearer service' })
  for (let i = 0; i < 51; i++) {
    const { id } = await begin(server, 'demo', { length: 1 })
    many.send({ type: 'subscribe', topic: { file: id } })
  }
  const { error } = await many.next('error')
  assert.is((error as { code: string }).code, 'TOO_MANY_SUBSCRIPTIONS')

  const headers = { Authorization: 'Bearer crowd' }
  for (let i = 0; i < 20; i++) await connect('/ws', headers)
  await assert429(connect('/ws', headers))
})

test('asks who connects: pages, credentials, and what is at other paths', async () => {
  const refused: [path: string, headers: Record<string, string>, status: string][] = [
    ['/ws', { Origin: 'https://evil.example.com' }, '403'],
    ['/ws', { Authorization: 'Bearer expired' }, '401'],
    ['/ws?ticket=x', {}, '403'],
  ]
  for (const [path, headers, status] of refused) {
    const outcome = await connect(path, headers).then(
      () => 'connected',
      (error: Error) => error.message,
    )
    assert.is(outcome, status, `${path} ${JSON.stringify(headers)}`)
  }
  await connect('/ws', { Origin: 'https://app.example.com' })
  await connect('/ws', { Origin: `http://127.0.0.1:${server.port}` })
  const elsewhere = await connect('/elsewhere').catch((error: Error) => error.message)
  assert.match(String(elsewhere), /socket hang up/)
})

test('a page of another origin does not come with the cookies of its reader', async () => {
  const seen: (string | null)[] = []
  const other = await startServer({
    auth: [
      {
        name: 'cookie',
        authenticate({ headers }) {
          seen.push(headers.get('cookie'))
          return null
        },
      },
    ],
  })
  const Cookie = 'session=1'
  const own = await openSocket(other.port, '/ws', {
    Cookie,
    Origin: `http://127.0.0.1:${other.port}`,
  })
  const foreign = await openSocket(other.port, '/ws', {
    Cookie,
    Origin: 'https://evil.example.com',
  })
  assert.equal(seen, ['session=1', null])
  own.close()
  foreign.close()
  await other.close()
})

test('a server that stops says so', async () => {
  const other = await startServer()
  const socket = await openSocket(other.port)
  const closed = other.carcosa.close()
  await until(() => socket.closed === 1012)
  await closed
  await other.close()
})

async function assert429(connecting: Promise<unknown>): Promise<void> {
  const outcome = await connecting.then(
    () => 'connected',
    (error: Error) => error.message,
  )
  assert.is(outcome, '429')
}

test.run()
