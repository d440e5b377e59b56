/** `close()`: what runs ends well, what waits ends at once, what is new is refused. */

import { once } from 'node:events'
import { request } from 'node:http'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { CarcosaOptions } from '../../src/config.ts'
import { createRouter, route } from '../../src/index.ts'
import { CarcosaError } from '../../src/shared/errors.ts'
import { overFetch, overHttp } from '../support/exchange.ts'
import { begin, upload } from '../support/lifecycle.ts'
import { postgres } from '../support/postgres.ts'
import { eventually, openRaw } from '../support/raw-http.ts'
import { created, offsetOf, offsetStream } from '../support/records.ts'
import { startServer, type TestServer } from '../support/server.ts'

const test = suite('stopping')

let act: () => Promise<unknown> = async () => null
const open = { maxFileSize: '1MB', acl: 'public-read' } as const
const router = createRouter({
  plain: route({ blob: open }).public(),
  called: route({ blob: open })
    .public()
    // What the test decides; JSON.
    .onUploadComplete(async () => (await act()) as string),
})

/** Runs `check` with a server that it may close, on a database that outlives it. */
async function withServer(
  check: (server: TestServer, again: () => Promise<TestServer>) => Promise<void>,
  options: Partial<CarcosaOptions> = {},
): Promise<void> {
  const database = await postgres()
  const all = { router, database: database.url, ...options }
  const server = await startServer(all)
  const others: TestServer[] = []
  const again = async () => {
    const other = await startServer({ ...all, dataDir: server.dataDir })
    others.push(other)
    return other
  }
  try {
    await check(server, again)
  } finally {
    for (const one of [server, ...others]) await one.close()
    await database.drop()
  }
}

/** A PATCH from byte 0 that is under way: its first bytes are stored. */
async function patching(server: TestServer, url: string, first: string) {
  const outgoing = request({
    port: server.port,
    method: 'PATCH',
    path: url,
    headers: {
      'Tus-Resumable': '1.0.0',
      'Upload-Offset': '0',
      'Content-Type': offsetStream,
    },
  })
  const answered = once(outgoing, 'response').then(([response]) => {
    response.resume()
    return { status: response.statusCode, headers: response.headers }
  })
  // A test that is not about the answer lets the connection break.
  outgoing.on('error', () => {})
  answered.catch(() => {})
  outgoing.write(first)
  const path = new URL(url, 'http://x').pathname
  await eventually(
    async () => (await server.row(path)).offset,
    (offset) => offset === first.length,
  )
  return { outgoing, answered }
}

test('a running PATCH keeps every byte and is answered with its offset', () =>
  withServer(async (server, again) => {
    const { url } = await begin(server, 'plain', { length: 100 })
    const { outgoing, answered } = await patching(server, url, 'hello')
    const closing = server.carcosa.close()
    const { status, headers } = await answered
    assert.is(status, 204)
    assert.is(headers['upload-offset'], '5')
    await closing
    outgoing.destroy()
    const next = await again()
    assert.is(await offsetOf(next.doors.http, url), 5)
  }))

test('bytes that came in just before are among them', () =>
  withServer(async (server, again) => {
    const { url } = await begin(server, 'plain', { length: 1_000_000 })
    const { outgoing, answered } = await patching(server, url, 'hello')
    outgoing.write(Buffer.alloc(300_000, 'a'))
    await sleep(20)
    const closing = server.carcosa.close()
    const offset = Number((await answered).headers['upload-offset'])
    await closing
    outgoing.destroy()
    assert.ok(offset > 5, `the offset is ${offset}`)
    const next = await again()
    assert.is(await offsetOf(next.doors.http, url), offset)
  }))

test('a client that goes on sending is not cut off before it has read the answer', () =>
  withServer(async (server) => {
    const { url } = await begin(server, 'plain', { length: 1_000_000 })
    const connection = await openRaw(server.port)
    connection.ask('PATCH', new URL(url, 'http://x').pathname, {
      ...{ 'Tus-Resumable': '1.0.0', 'Upload-Offset': '0' },
      ...{ 'Content-Type': offsetStream, 'Content-Length': '1000000' },
    })
    connection.write('hello')
    await eventually(
      async () => (await server.row(url)).offset,
      (offset) => offset === 5,
    )
    const closing = server.carcosa.close()
    const { status, headers } = await connection.answer()
    assert.is(status, 204)
    assert.is(headers.connection, 'close')
    let closed = false
    void connection.closed.then(() => {
      closed = true
    })
    // A reset now would make its system forget an answer that it has not read yet.
    for (let i = 0; i < 20 && !closed; i++) {
      connection.write(Buffer.alloc(1_000))
      await sleep(10)
    }
    assert.not.ok(closed)
    connection.write(Buffer.alloc(1_000_000 - 5 - 20_000))
    await connection.closed
    await closing
  }))

test('who leaves serves as before, but keeps no connection, until its delay is over', () =>
  withServer(
    async (server) => {
      const { url } = await begin(server, 'plain', { length: 10 })
      const before = Date.now()
      const { outgoing, answered } = await patching(server, url, 'hello')
      const leaving = server.carcosa.leave()
      const created = await server.doors.http({
        method: 'POST',
        path: '/uploads/plain',
        headers: { 'Upload-Length': '1' },
      })
      assert.is(created.status, 201, created.text)
      assert.is(created.headers.connection, 'close')
      outgoing.end('world')
      assert.is((await answered).headers['upload-offset'], '10')
      assert.is((await server.doors.http({ method: 'HEAD', path: url })).status, 200)
      await Promise.all([leaving, server.carcosa.leave()])
      const took = Date.now() - before
      assert.ok(took >= 700 && took < 3_000, `it took ${took} ms`)
      const closing = server.carcosa.close()
      await sleep(0)
      const refused = await server.doors.http({ method: 'HEAD', path: url })
      assert.is(refused.status, 423)
      await closing
    },
    { drainDelay: '700ms' },
  ))

test('closing alone waits for the delay, too', () =>
  withServer(
    async (server) => {
      const before = Date.now()
      const closing = server.carcosa.close()
      assert.is((await server.doors.http({ method: 'GET', path: '/routes' })).status, 200)
      await closing
      assert.ok(Date.now() - before >= 495)
    },
    { drainDelay: 500 },
  ))

test('with grace a running PATCH may end by itself', () =>
  withServer(async (server) => {
    const { url } = await begin(server, 'plain', { length: 10 })
    const { outgoing, answered } = await patching(server, url, 'hello')
    const closing = server.carcosa.close({ grace: 5_000 })
    await sleep(50)
    outgoing.end('world')
    const before = Date.now()
    assert.is((await answered).headers['upload-offset'], '10')
    await closing
    assert.ok(Date.now() - before < 3_000, 'it does not wait longer than it must')
  }))

test('when grace is over it is answered with its offset', () =>
  withServer(async (server) => {
    const { url } = await begin(server, 'plain', { length: 10 })
    const { outgoing, answered } = await patching(server, url, 'hello')
    const before = Date.now()
    await server.carcosa.close({ grace: 200 })
    assert.ok(Date.now() - before >= 195)
    assert.is((await answered).headers['upload-offset'], '5')
    outgoing.destroy()
  }))

test('who waits for an outcome is answered at once with what is known', () =>
  withServer(async (server) => {
    const { url } = await begin(server, 'plain', { length: 10 })
    const waiting = overHttp(server.port)({ method: 'GET', path: `${url}?wait=30` })
    const elsewhere = overFetch(server.carcosa.fetch)({
      method: 'GET',
      path: `${url}?wait=30`,
    })
    await sleep(100)
    const before = Date.now()
    await server.carcosa.close()
    for (const answer of await Promise.all([waiting, elsewhere])) {
      assert.is(answer.status, 200)
      assert.is(answer.json().state, 'created')
    }
    assert.ok(Date.now() - before < 3_000)
  }))

const asked: [
  method: string,
  path: (url: string, id: string) => string,
  status: number,
][] = [
  ['POST', () => '/uploads/plain', 503],
  ['POST', () => '/uploads/plain/prepare', 503],
  ['PATCH', (url) => url, 503],
  ['DELETE', (url) => url, 503],
  ['GET', (url) => url, 503],
  // A 5xx would make a tus client forget the upload (P5).
  ['HEAD', (url) => url, 423],
  ['GET', (_url, id) => `/files/${id}`, 503],
  ['GET', () => '/routes', 503],
]

for (const when of ['while it closes', 'after it closed']) {
  test(`new requests are refused with SHUTTING_DOWN ${when}`, () =>
    withServer(async (server) => {
      const { url } = await begin(server, 'plain', { length: 10 })
      const { id } = await upload(server, 'plain', 'content')
      const { outgoing } = await patching(server, url, 'hello')
      const closing = server.carcosa.close({ grace: 700 })
      if (when === 'after it closed') await closing
      for (const door of [server.doors.http, server.doors.fetch]) {
        for (const [method, path, status] of asked) {
          const answer = await door({
            method,
            path: path(url, id),
            headers: {
              'Upload-Length': '1',
              'Upload-Offset': '5',
              'Content-Type': offsetStream,
            },
          })
          assert.is(answer.status, status, `${method} ${path(url, id)}: ${answer.text}`)
          assert.match(answer.headers['retry-after'] ?? '', /^\d+$/)
          assert.is(answer.headers['access-control-allow-origin'], '*')
          if (method !== 'HEAD') assert.is(answer.json().code, 'SHUTTING_DOWN')
          if (door === server.doors.http) assert.is(answer.headers.connection, 'close')
        }
      }
      outgoing.destroy()
      await closing
    }))
}

test('it waits for a completion callback, which may still use the API', () =>
  withServer(async (server) => {
    let outcome: unknown
    act = async () => {
      await sleep(200)
      outcome = (await server.carcosa.api.files.list()).files.length
      return 'done'
    }
    const made = await upload(server, 'called', 'content')
    await server.carcosa.close()
    assert.is(outcome, 1)
    assert.is(typeof made.id, 'string')
  }))

test('a callback that never ends does not keep it from closing, and its file waits', () =>
  withServer(
    async (server, again) => {
      act = () => new Promise(() => {})
      const made = await upload(server, 'called', 'content')
      const before = Date.now()
      await server.carcosa.close()
      const took = Date.now() - before
      assert.ok(took >= 290 && took < 5_000, `it took ${took} ms`)
      const next = await again()
      assert.is((await next.row(made.url)).state, 'stored')
    },
    { shutdownTimeout: 300 },
  ))

test('an upload of the program is ended, and leaves nothing', () =>
  withServer(async (server, again) => {
    const body = new PassThrough()
    const uploading = server.carcosa.api.files.upload(body, { route: 'plain' }).then(
      () => 'stored',
      (error) => (error instanceof CarcosaError ? error.code : String(error)),
    )
    body.write('hello')
    await eventually(
      () => server.newest(),
      (row) => row?.offset === 5,
    )
    await server.carcosa.close()
    assert.is(await uploading, 'SHUTTING_DOWN')
    assert.ok(body.destroyed)
    const next = await again()
    assert.is((await next.newest())?.state, 'removed')
  }))

test('closing twice is closing once', () =>
  withServer(async (server) => {
    const { close } = server.carcosa
    await Promise.all([close(), close()])
    await close()
  }))

test('the API of a closed Carcosa says that it is closed', () =>
  withServer(async (server) => {
    await server.carcosa.close()
    const { files } = server.carcosa.api
    for (const work of [
      () => files.list(),
      () => files.get('AAAAAAAAAAAAAAAAAAAAAAAA'),
      () => files.delete('AAAAAAAAAAAAAAAAAAAAAAAA'),
      () => files.upload('x', { route: 'plain' }),
    ]) {
      const code = await work().then(
        () => 'nothing',
        (error) => error.code,
      )
      assert.is(code, 'SHUTTING_DOWN')
    }
  }))

test('uploads that were created go on with the next process', () =>
  withServer(async (server, again) => {
    const url = await created(server.doors.http, { route: 'plain', bytes: 'hello' })
    await server.carcosa.close()
    const next = await again()
    const sent = await next.doors.http({
      method: 'PATCH',
      path: url,
      headers: { 'Upload-Offset': '5', 'Content-Type': offsetStream },
      body: 'world',
    })
    assert.is(sent.status, 204)
    assert.is((await next.row(url)).state, 'ready')
  }))

test.run()
