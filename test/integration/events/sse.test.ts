import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type EventStream,
  openStream,
  openWebStream,
  until,
} from '../../support/event-stream.ts'
import { begin, upload } from '../../support/lifecycle.ts'
import { patch } from '../../support/records.ts'
import { doors, listen, startServer, type TestServer } from '../../support/server.ts'

const test = suite('events over SSE')

let server: TestServer
const open: EventStream[] = []

test.before(async () => {
  server = await startServer({
    eventHeartbeat: 1_000,
    cors: { origins: ['https://app.example.com'] },
  })
})
test.after.each(() => {
  for (const stream of open.splice(0)) stream.close()
})
test.after(() => server.close())

for (const door of doors) {
  const watch = async (path: string, headers?: Record<string, string>) => {
    const stream =
      door === 'http'
        ? await openStream(server.port, path, headers)
        : await openWebStream(server.carcosa.fetch, path, headers)
    open.push(stream)
    return stream
  }

  test(`tells what happens to a file from now on (${door})`, async () => {
    const { url, id } = await begin(server, 'demo', { length: 5 })
    const stream = await watch(`/events?file=${id}`)
    assert.is(stream.status, 200)
    await patch(server.doors.http, url, { offset: 0, body: 'hello' })
    const ready = await stream.next('file.ready')
    assert.equal(stream.types, ['file.stored', 'file.ready'])
    assert.is(ready.data.id, id)
    assert.is(ready.data.size, 5)
    assert.match(String(ready.data.at), /^\d{4}-.*Z$/)
    const numbers = stream.stored.map((event) => Number(event.id))
    assert.is(numbers[1], Number(numbers[0]) + 1)
  })

  test(`goes on behind the last event a client knows (${door})`, async () => {
    const { url, id } = await begin(server, 'demo', { length: 5 })
    const before = await watch(`/events?file=${id}&lastEventId=0`)
    const created = await before.next('file.created')
    before.close()
    await patch(server.doors.http, url, { offset: 0, body: 'hello' })
    const again = await watch(`/events?file=${id}&lastEventId=0`, {
      // What a browser sends by itself when it comes back wins over the URL.
      'Last-Event-ID': created.id ?? '',
      Authorization: 'Bearer service',
    })
    await again.next('file.ready')
    assert.equal(again.types, ['file.stored', 'file.ready'])
  })

  test(`sends heads that keep proxies from collecting, and heartbeats (${door})`, async () => {
    const { id } = await begin(server, 'demo', { length: 5 })
    const stream = await watch(`/events?file=${id}`, {
      Origin: 'https://app.example.com',
    })
    assert.is(stream.headers['content-type'], 'text/event-stream; charset=utf-8')
    assert.is(stream.headers['cache-control'], 'no-store, no-transform')
    assert.is(stream.headers['x-accel-buffering'], 'no')
    assert.is(stream.headers['access-control-allow-origin'], 'https://app.example.com')
    await until(() => stream.retry !== null)
    assert.ok(Number(stream.retry) >= 1_000)
    await until(() => stream.comments >= 2, 'a second heartbeat')
    assert.equal(stream.events, [])
  })
}

test('is refused with what to do instead', async () => {
  const refused: [path: string, status: number, code: string][] = [
    ['/events', 400, 'BAD_REQUEST'],
    ['/events?file=', 400, 'BAD_REQUEST'],
    ['/events?file=a%0Ab', 400, 'BAD_REQUEST'],
    ['/events?file=abcdefghijklmnopqrstuvwx&lastEventId=x', 400, 'CURSOR_INVALID'],
    ['/events?file=abcdefghijklmnopqrstuvwx&lastEventId=-1', 400, 'CURSOR_INVALID'],
    ['/events?file=abcdefghijklmnopqrstuvwx&ticket=x', 403, 'TICKET_INVALID'],
    ['/events?file=abcdefghijklmnopqrstuvwx', 404, 'TOPIC_NOT_FOUND'],
    ['/events/x', 404, 'NOT_FOUND'],
    ['/ws', 426, 'UPGRADE_REQUIRED'],
  ]
  for (const [path, status, code] of refused) {
    const stream = await openStream(server.port, path)
    assert.is(stream.status, status, path)
    assert.is(stream.problem?.code, code, path)
  }
})

test('works mounted in Express, on the embedded database', async () => {
  const embedded = await startServer({ database: 'memory://' })
  const host = createServer(express().use('/media', embedded.carcosa.handler))
  const port = await listen(host)
  const { url, id } = await begin(embedded, 'demo', { length: 5 })
  const stream = await openStream(port, `/media/events?file=${id}&lastEventId=0`)
  await stream.next('file.created')
  await patch(embedded.doors.http, url, { offset: 0, body: 'hello' })
  await stream.next('file.ready')
  assert.equal(stream.types, ['file.created', 'file.stored', 'file.ready'])
  assert.ok(stream.events.some(({ type }) => type === 'upload.progress'))
  stream.close()
  host.close()
  await embedded.close()
})

test('the sweep deletes what is too old to be told again', async () => {
  const sweeping = await startServer({ worker: true, eventRetention: 1 })
  await upload(sweeping, 'demo', 'hello')
  const count = () => sweeping.uploads.db.prisma.event.count()
  assert.is(await count(), 3)
  await sweeping.uploads.jobs.enqueue(null, 'uploads.sweep', {})
  for (let i = 0; i < 400 && (await count()) > 0; i++) await sleep(100)
  assert.is(await count(), 0)
  await sweeping.close()
})

test('a server that stops ends it, and the client may come back elsewhere', async () => {
  const other = await startServer()
  const { id } = await upload(other, 'demo', 'x').then(() =>
    begin(other, 'demo', { length: 5 }),
  )
  const stream = await openStream(other.port, `/events?file=${id}`)
  const closed = other.carcosa.close()
  await until(() => stream.ended)
  await closed
  await other.close()
})

test.run()
