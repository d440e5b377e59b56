import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openSocket } from '../../support/event-socket.ts'
import { openStream, openWebStream, until } from '../../support/event-stream.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const test = suite('a subscriber that does not read (SEC-33)')

const service = { Authorization: 'Bearer service' }
const path = '/events?project=default'

let server: TestServer
let dropped: Record<string, unknown>[]

test.before.each(async () => {
  dropped = []
  const log = () => undefined
  server = await startServer({
    subscriberBuffer: '64KB',
    eventHeartbeat: 1_000,
    logger: {
      debug: log,
      warn: log,
      error: log,
      info: (fields, message) => {
        if (message === 'a subscriber was dropped') dropped.push(fields)
      },
    },
  })
})
test.after.each(() => server.close())

test('is dropped, others are not, and it goes on where it was', async () => {
  const slow = await openStream(server.port, path, service)
  const fast = await openStream(server.port, path, service)
  await insert(10)
  await until(() => slow.events.length === 10)
  slow.pause()
  const all = await flood(() => dropped.length > 0)
  assert.is(dropped[0]?.reason, 'slow')
  await until(() => fast.events.length === all, 'all for the fast one')
  assert.is(fast.ended, false)
  const again = await openStream(server.port, path, { ...service, 'Last-Event-ID': '10' })
  await until(() => again.stored.length === all - 10, 'the rest')
  assert.equal(
    again.stored.map(({ id }) => Number(id)),
    Array.from({ length: all - 10 }, (_, i) => i + 11),
  )
  for (const stream of [slow, fast, again]) stream.close()
})

test('is dropped although its process does nothing at all', async () => {
  const child = spawn(
    process.execPath,
    [
      join(import.meta.dirname, '../../support/frozen-subscriber.ts'),
      String(server.port),
      path,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  await once(child.stdout, 'data')
  child.kill('SIGSTOP')
  try {
    await flood(() => dropped.length > 0)
    await until(() => connections(server) === 0, 'its connection is gone')
  } finally {
    await kill(child)
  }
})

test('is dropped from a WebSocket', async () => {
  const socket = await openSocket(server.port, '/ws', service)
  socket.send({ type: 'subscribe', topic: { project: 'default' } })
  await socket.next('subscribed')
  socket.pause()
  await flood(() => dropped.length > 0)
  assert.is(dropped[0]?.kind, 'websocket')
  socket.close()
})

test('is told why where it still can be told', async () => {
  // A web stream knows what its reader has not taken, and hands it over afterwards.
  const response = await server.carcosa.fetch(
    new Request(`http://127.0.0.1${path}`, { headers: service }),
  )
  await flood(() => dropped.length > 0)
  const text = await response.text()
  assert.match(text, /event: stream\.dropped\ndata: \{"reason":"slow"\}\n\n$/)
})

test('is dropped in the middle of what it asked for again', async () => {
  await insert(20_000)
  const slow = await openStream(server.port, `${path}&lastEventId=0`, service)
  slow.pause()
  await until(() => dropped.length > 0, 'dropped by the heartbeat')
  slow.close()
  const web = await openWebStream(
    server.carcosa.fetch,
    `${path}&lastEventId=19990`,
    service,
  )
  await until(() => web.stored.length === 10)
  web.close()
})

/** Events of about 1 KB until something is true: kernels take megabytes along. Returns the last number. */
async function flood(isEnough: () => boolean): Promise<number> {
  for (let i = 0; i < 60 && !isEnough(); i++) {
    await insert(1_000)
    // Read here and now, so that it does not depend on who is scheduled when.
    await server.uploads.feed.open('default')
  }
  assert.ok(isEnough(), 'dropped')
  const { rows } = await server.uploads.db.executeSql(
    'SELECT last FROM carcosa.event_sequence',
  )
  return Number(rows[0]?.last)
}

async function insert(count: number): Promise<void> {
  await server.uploads.db.executeSql(
    `INSERT INTO carcosa.event (project_id, type, data)
     SELECT 'default', 'file.created', jsonb_build_object('x', repeat('x', 1000))
     FROM generate_series(1, ${count})`,
  )
  server.uploads.feed.hint()
}

let open = 0
function connections({ http }: TestServer): number {
  http.getConnections((_, count) => {
    open = count
  })
  return open
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

test.run()
