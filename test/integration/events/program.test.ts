import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { WatchedEvent } from '../../../src/events/program.ts'
import { openStream, until } from '../../support/event-stream.ts'
import { begin, upload } from '../../support/lifecycle.ts'
import { eventually } from '../../support/raw-http.ts'
import { refusal } from '../../support/served-file.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { slowPatch } from '../../support/slow-patch.ts'

const test = suite('events for programs, and live progress')

let server: TestServer

test.before.each(async () => {
  server = await startServer()
})
test.after.each(() => server.close())

test('are listed from any number on, of all or of one topic', async () => {
  const one = await upload(server, 'demo', 'one')
  const two = await upload(server, 'private', 'two')
  const { events } = server.carcosa.api
  const all = await events.list()
  assert.equal(
    all.map(({ id, type, data }) => [id, type, data.id]),
    [one, two].flatMap(({ id }, i) =>
      ['file.created', 'file.stored', 'file.ready'].map((type, n) => [
        i * 3 + n + 1,
        type,
        id,
      ]),
    ),
  )
  assert.equal(
    (await events.list({ after: 2, limit: 2 })).map(({ id }) => id),
    [3, 4],
  )
  assert.equal(
    (await events.list({ topic: { file: two.id } })).map(({ id }) => id),
    [4, 5, 6],
  )
  assert.equal((await events.list({ topic: { route: 'demo' }, after: 1 })).length, 2)
  const renamed = await server.carcosa.api.files.rename(two.id, 'b.txt')
  const [last] = await events.list({ after: 6 })
  assert.equal([last?.type, last?.data.filename], ['file.renamed', renamed.filename])
})

test('what cannot be asked for is refused', async () => {
  const { events } = server.carcosa.api
  const refused: [asked: () => Promise<unknown>, code: string][] = [
    [() => events.list({ after: -1 }), 'CURSOR_INVALID'],
    [() => events.list({ after: 0.5 }), 'CURSOR_INVALID'],
    [() => events.list({ limit: 0 }), 'BAD_REQUEST'],
    [() => events.list({ limit: 1_001 }), 'BAD_REQUEST'],
    // What a program without types may give.
    [() => events.list({ topic: {} as { file: string } }), 'BAD_REQUEST'],
    [async () => events.subscribe({ file: '' }), 'BAD_REQUEST'],
  ]
  for (const [asked, code] of refused) assert.is((await refusal(asked())).code, code)
})

test('a loop is told what was and what happens, until its signal ends it', async () => {
  await upload(server, 'demo', 'one')
  const end = new AbortController()
  const told: WatchedEvent[] = []
  const loop = (async () => {
    const { signal } = end
    for await (const event of server.carcosa.api.events.subscribe(
      { route: 'demo' },
      { after: 1, signal },
    ))
      told.push(event)
  })()
  await until(() => told.length === 2)
  await upload(server, 'demo', 'two')
  const stored = () => told.filter(({ id }) => id !== null)
  await until(() => stored().length === 5)
  assert.equal(
    stored().map(({ id }) => id),
    [2, 3, 4, 5, 6],
  )
  end.abort()
  await loop
})

test('a loop that breaks off listens no more', async () => {
  const { id } = await begin(server, 'demo', { length: 1 })
  for await (const event of server.carcosa.api.events.subscribe(
    { file: id },
    { after: 0 },
  )) {
    assert.is(event.type, 'file.created')
    break
  }
  const subject = { projectId: 'default', fileId: id, batchId: null, route: 'demo' }
  assert.is(server.uploads.feed.audience(subject), 0)
})

test('a loop ends when the server closes', async () => {
  const loop = (async () => {
    for await (const _ of server.carcosa.api.events.subscribe({ project: 'default' }));
  })()
  await server.carcosa.close()
  await loop
})

test('progress has a rate and a rest, comes a few times a second, and always at the end', async () => {
  const size = 400_000
  const { url, id } = await begin(server, 'demo', { length: size })
  const stream = await openStream(server.port, `/events?file=${id}`)
  await slowPatch(server.port, url, { size, pieces: 20, everyMs: 50 })
  await stream.next('file.ready')
  stream.close()
  const ticks = stream.events.filter(({ type }) => type === 'upload.progress')
  assert.ok(
    ticks.length >= 2 && ticks.length <= 12,
    `${ticks.length} messages in a second`,
  )
  const last = ticks.at(-1)?.data
  assert.equal([last?.offset, last?.size, last?.eta], [size, size, 0])
  const middle = ticks[0]?.data
  assert.ok(Number(middle?.rate) > 20_000, `${middle?.rate} bytes a second`)
  assert.ok(
    Number(middle?.eta) >= 1 && Number(middle?.eta) <= 10,
    `${middle?.eta} seconds`,
  )
  assert.ok(
    ticks.every((tick) => tick.id === null),
    'it has no number',
  )
  assert.equal(
    await server.carcosa.api.events
      .list({ topic: { file: id } })
      .then((all) => all.length),
    3,
  )
})

test('the last progress comes in one piece with what is stored then, and before it', async () => {
  const { url, id } = await begin(server, 'demo', { length: 5 })
  // Of the connection: the client of HTTP takes what came together apart.
  const packets: string[] = []
  const socket = connect(server.port, '127.0.0.1')
  socket.setEncoding('utf8').on('data', (packet: string) => packets.push(packet))
  socket.write(`GET /events?file=${id} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  while (!packets.join('').includes('retry:')) await sleep(10)
  await slowPatch(server.port, url, { size: 5, pieces: 1, everyMs: 0 })
  while (!packets.join('').includes('file.ready')) await sleep(10)
  socket.destroy()
  const types = [...packets.join('').matchAll(/^event: (.*)$/gm)].map(([, type]) => type)
  assert.equal(types, ['upload.progress', 'file.stored', 'file.ready'])
  const together = /upload\.progress[\s\S]*file\.stored[\s\S]*file\.ready/
  assert.ok(packets.some((packet) => together.test(packet)))
})

test('a last message is not kept for an event that does not come', async () => {
  const { id: fileId } = await begin(server, 'demo', { length: 5 })
  const stream = await openStream(server.port, `/events?file=${fileId}`)
  const subject = { projectId: 'default', fileId, batchId: null, route: 'demo' }
  const data = JSON.stringify({ id: fileId, offset: 5 })
  server.uploads.feed.tell({ ...subject, type: 'upload.progress', data, isLast: true })
  assert.is((await stream.next('upload.progress')).data.offset, 5)
  stream.close()
})

test('the end is told of an upload that is over at once; nothing of one of unknown length is invented', async () => {
  const { url, id } = await begin(server, 'demo', { length: 5 })
  const stream = await openStream(server.port, `/events?file=${id}`)
  await slowPatch(server.port, url, { size: 5, pieces: 1, everyMs: 0 })
  const tick = await stream.next('upload.progress')
  assert.is(tick.data.offset, 5)
  stream.close()

  const deferred = await begin(server, 'demo', { length: null })
  const other = await openStream(server.port, `/events?file=${deferred.id}`)
  await slowPatch(server.port, deferred.url, { size: 10, pieces: 1, everyMs: 0 })
  const unknown = await other.next('upload.progress')
  assert.equal(
    [unknown.data.offset, unknown.data.size, unknown.data.eta],
    [10, null, null],
  )
  other.close()
})

test('a loop for which too many events wait ends with SUBSCRIBER_TOO_SLOW', async () => {
  const { db, feed } = server.uploads
  const events = server.carcosa.api.events.subscribe({ project: 'default' })
  const loop = events[Symbol.asyncIterator]()
  const first = loop.next()
  await upload(server, 'demo', 'one')
  await first
  await db.executeSql(
    `INSERT INTO carcosa.event (project_id, type, data)
     SELECT 'default', 'file.renamed', '{}' FROM generate_series(1, 10_100)`,
  )
  feed.hint()
  // The loop asks for nothing meanwhile.
  await eventually(numbered, (last) => last > 10_100)
  await sleep(500)
  const toTheEnd = async () => {
    while (!(await loop.next()).done);
  }
  assert.is((await refusal(toTheEnd())).code, 'SUBSCRIBER_TOO_SLOW')
})

async function numbered(): Promise<number> {
  const [row] = await server.uploads.db.query<{ last: number }>({
    name: 'test_numbered',
    sql: `SELECT last FROM carcosa.event_sequence WHERE project_id = 'default'`,
  })
  return Number(row?.last ?? 0)
}

test.run()
