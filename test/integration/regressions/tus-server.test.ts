/**
 * Faults of @tus/server 2.4 (rows P): where it is cheap, first the bare library is shown to
 * have the fault, so that the test is known to bite; then that it does not reach us.
 */
import { readFileSync } from 'node:fs'
import { createServer, IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import express from 'express'
import fastify from 'fastify'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { uploadServer } from '../../../src/cli/server/http.ts'
import { createRouter, route } from '../../../src/index.ts'
import { memory } from '../../../stores/memory.ts'
import type { Store } from '../../../stores/store.ts'
import { type BareOptions, type BareTus, bareTus } from '../../support/bare-tus.ts'
import { closeConnections, overFetch, overHttp } from '../../support/exchange.ts'
import { eventually, openRaw } from '../../support/raw-http.ts'
import {
  created,
  expectAnswer,
  metadataHeader,
  offsetOf,
  offsetStream,
  patch,
} from '../../support/records.ts'
import { listen, startServer, type TestServer } from '../../support/server.ts'

const open = { blob: { maxFileSize: '16MB', acl: 'public-read' } } as const
const callbacks = new Map<string, number>()
const router = createRouter({
  demo: route(open)
    .public()
    .middleware(() => ({ ours: true }))
    .onUploadComplete(({ file }) => {
      callbacks.set(file.id, (callbacks.get(file.id) ?? 0) + 1)
      return null
    }),
  mine: route(open),
  image: route({ image: { maxFileSize: '1MB' } }).public(),
})

const streams: unknown[] = []
const store = watched(memory())

const test = suite('regressions/tus-server')
let server: TestServer
const bares: BareTus[] = []
test.before(async () => {
  server = await startServer({ router, store })
})
test.after.each(async () => {
  for (const bare of bares.splice(0)) await bare.close()
})
test.after(() => server.close())

async function bare(options: BareOptions = {}): Promise<BareTus> {
  const started = await bareTus(options)
  bares.push(started)
  return started
}

const http = () => server.doors.http

test('P1: the library is at a version that keeps ids inside of its directory', async () => {
  assert.ok(atLeast(versionOf('@tus/server'), '2.4.3'))
  assert.ok(atLeast(versionOf('@tus/file-store'), '2.1.1'))
  const answer = await http()({ method: 'DELETE', path: '/uploads/demo/%2e%2e%2fx' })
  expectAnswer(answer, { status: 404, code: 'UPLOAD_NOT_FOUND' })
})

test('P2: who may upload is asked before anything is created, and for every request', async () => {
  const { upload, exchange } = await bare()
  const theirs = await upload(10, 'hello')
  assert.is((await exchange({ method: 'DELETE', path: theirs })).status, 204, 'it bites')

  const headers = { 'Upload-Length': '10' }
  const post = await http()({ method: 'POST', path: '/uploads/mine', headers })
  expectAnswer(post, { status: 401, code: 'UNAUTHENTICATED' })
  const url = await created(http(), {
    route: 'mine',
    headers: { Authorization: 'Bearer ann' },
  })
  assert.is((await http()({ method: 'DELETE', path: url })).status, 404)
  assert.is((await server.row(url)).state, 'created')
})

test('P3: a query is no part of the id', async () => {
  const { upload, exchange } = await bare()
  const theirs = `${await upload(10)}?x=1`
  assert.is((await exchange({ method: 'HEAD', path: theirs })).status, 404, 'it bites')

  const url = await created(http(), { bytes: 'hello' })
  assert.is(await offsetOf(http(), `${url}?x=1`), 5)
})

test('P4: Location is not made from the Host that a client sends', async () => {
  const evil = { Host: 'evil.example/x?', 'Upload-Length': '1' }
  const theirs = await bare({ relativeLocation: false })
  const raw = await openRaw(theirs.port)
  raw.ask('POST', '/files', evil)
  assert.match((await raw.answer()).headers.location ?? '', /evil\.example/, 'it bites')
  raw.cut()

  const ours = await openRaw(server.port)
  ours.ask('POST', '/uploads/demo', evil)
  assert.match((await ours.answer()).headers.location ?? '', /^\/uploads\/demo\//)
  ours.cut()
})

test('P5: what two proxies put into X-Forwarded-Proto is no reason to refuse', async () => {
  const headers = { 'Upload-Length': '1', 'X-Forwarded-Proto': 'https,http' }
  const { exchange } = await bare()
  const theirs = await exchange({ method: 'POST', path: '/files', headers })
  assert.is(theirs.status, 400, 'it bites')

  const ours = await http()({ method: 'POST', path: '/uploads/demo', headers })
  assert.is(ours.status, 201)
})

/** The share of a core used while a live PATCH holds an upload and others wait for it. */
async function waitingCosts(port: number, url: string, wanted: () => Promise<unknown>) {
  const raw = await openRaw(port)
  raw.ask('PATCH', url, {
    'Upload-Offset': '0',
    'Content-Type': offsetStream,
    'Content-Length': '1000',
  })
  raw.write('x')
  await wait(100)
  const waiting = wanted()
  await wait(50)
  const before = process.cpuUsage()
  const started = Date.now()
  await wait(350)
  raw.write('x')
  await wait(350)
  const { user, system } = process.cpuUsage(before)
  const share = (user + system) / 1_000 / (Date.now() - started)
  raw.cut()
  await waiting
  return share
}

test('P6: who waits for an upload does not use the CPU', async () => {
  const theirs = await bare({ lockDrainTimeout: 1_000 })
  const path = await theirs.upload(1_000)
  const spinning = await waitingCosts(theirs.port, path, () =>
    theirs.exchange({ method: 'HEAD', path }),
  )
  assert.ok(spinning > 0.3, `it bites: ${spinning}`)

  const url = await created(http(), { length: 1_000 })
  const idle = await waitingCosts(server.port, url, () =>
    Promise.all(
      Array.from({ length: 20 }, () => patch(http(), url, { offset: 0, body: 'y' })),
    ),
  )
  assert.ok(idle < 0.2, `${Math.round(idle * 100)} % of a core`)
})

test('P7: an upload that is in use is 423 with Retry-After', async () => {
  const theirs = await bare({
    locker: {
      newLock: () => ({
        lock: () => Promise.reject({ status_code: 500, body: 'lock timeout' }),
        unlock: async () => {},
      }),
    },
  })
  const made = await theirs.exchange({
    method: 'POST',
    path: '/files',
    headers: { 'Upload-Length': '1' },
  })
  assert.is(made.status, 500, 'a lock that is not given is 500 there')

  const url = await created(http(), { length: 1_000 })
  const raw = await openRaw(server.port)
  raw.ask('PATCH', url, {
    'Upload-Offset': '0',
    'Content-Type': offsetStream,
    'Content-Length': '1000',
  })
  const alive = setInterval(() => raw.write('x'), 100)
  await wait(150)
  const answers = Array.from({ length: 100 }, () =>
    patch(http(), url, { offset: 0, body: 'y' }),
  )
  const first = await Promise.race(answers)
  expectAnswer(first, {
    status: 423,
    code: 'UPLOAD_LOCKED',
    headers: { 'Retry-After': /^\d+$/ },
  })
  clearInterval(alive)
  raw.cut()
  const statuses = (await Promise.all(answers)).map(({ status }) => status)
  assert.ok(statuses.every((status) => status === 423 || status === 409))
})

test('P8: progress that is told is progress that is stored', async () => {
  const url = await created(http(), { length: 100 })
  const raw = await openRaw(server.port)
  raw.ask('PATCH', url, {
    'Upload-Offset': '0',
    'Content-Type': offsetStream,
    'Content-Length': '100',
  })
  raw.write('x'.repeat(40))
  const status = await eventually(
    async () => (await http()({ method: 'GET', path: url })).json(),
    ({ offset }) => offset !== 0,
  )
  assert.is(status.offset, 40)
  raw.cut()
})

test('P9: a complete upload is completed once', async () => {
  let finished = 0
  const theirs = await bare({
    async onUploadFinish() {
      finished++
      return {}
    },
  })
  const path = await theirs.upload(5, 'hello')
  await patch(theirs.exchange, path, { offset: 5, body: '' })
  assert.is(finished, 2, 'it bites')

  const url = await created(http(), { length: 5, bytes: 'hello' })
  for (let i = 0; i < 3; i++) await patch(http(), url, { offset: 5, body: '' })
  await http()({ method: 'GET', path: `${url}?wait=5` })
  assert.is(callbacks.get(url.split('/').pop() ?? ''), 1)
})

test('P10: an upload that is refused at its end does not look complete afterwards', async () => {
  const theirs = await bare({
    async onUploadFinish() {
      throw { status_code: 500, body: 'refused' }
    },
  })
  const path = await theirs.upload(5, 'hello')
  const seen = await theirs.exchange({ method: 'HEAD', path })
  assert.is(
    seen.headers['upload-offset'],
    '5',
    'it bites: a client that retries is happy',
  )

  const url = await created(http(), {
    route: 'image',
    length: 5,
    headers: { 'Upload-Metadata': metadataHeader({ filetype: 'image/png' }) },
  })
  const refused = await patch(http(), url, { offset: 0, body: 'hello' })
  expectAnswer(refused, { status: 415, code: 'TYPE_NOT_ALLOWED' })
  expectAnswer(await http()({ method: 'HEAD', path: url }), {
    status: 410,
    headers: { 'Upload-Offset': null },
  })
})

test('P11: what the middleware returns does not replace what the client sent', async () => {
  const metadata = metadataHeader({ filename: 'a.txt' })
  const theirs = await bare({
    async onUploadCreate() {
      return { metadata: { ours: 'x' } }
    },
  })
  const path = await theirs.upload(5, '', metadata)
  const seen = await theirs.exchange({ method: 'HEAD', path })
  assert.not.match(seen.headers['upload-metadata'] ?? '', 'filename', 'it bites')

  const url = await created(http(), { headers: { 'Upload-Metadata': metadata } })
  const head = await http()({ method: 'HEAD', path: url })
  assert.is(head.headers['upload-metadata'], metadata)
  assert.equal((await server.row(url)).metadata, { ours: true })
})

test('P12: the handlers work without their object', async () => {
  const theirs = await bare()
  const { handleWeb } = theirs.server
  const request = () =>
    new Request('http://localhost/files', {
      method: 'POST',
      headers: { 'Tus-Resumable': '1.0.0', 'Upload-Length': '1' },
    })
  const bites = await Promise.resolve()
    .then(() => handleWeb(request()))
    .then(
      () => false,
      () => true,
    )
  assert.ok(bites, 'it bites')

  const { fetch } = server.carcosa
  assert.match(await created(overFetch(fetch)), /^\/uploads\/demo\//)
})

test('P13: a body that somebody ate is an error and not success without a byte', async () => {
  const eat = express().use(express.raw({ type: '*/*' }))
  const theirs = await bare({ host: (handle) => express().use(eat, handle) })
  const path = await theirs.upload(5)
  const fooled = await patch(theirs.exchange, path, { offset: 0, body: 'hello' })
  assert.is(fooled.status, 204, 'it bites')
  assert.is(fooled.headers['upload-offset'], '0', 'it bites: the client goes on for ever')

  const host = createServer(express().use(eat, server.carcosa.handler))
  const port = await listen(host)
  const url = await created(http(), { length: 5 })
  const answer = await patch(overHttp(port), url, { offset: 0, body: 'hello' })
  expectAnswer(answer, { status: 500, code: 'BODY_ALREADY_READ' })
  closeConnections(port)
  host.close()
})

test('P14: Location knows the prefix of the router', async () => {
  const theirs = await bare({ host: (handle) => express().use('/api', handle) })
  const made = await theirs.exchange({
    method: 'POST',
    path: '/api/files',
    headers: { 'Upload-Length': '5' },
  })
  const path = made.headers.location ?? ''
  assert.is((await theirs.exchange({ method: 'HEAD', path })).status, 404, 'it bites')

  const host = createServer(express().use('/api', server.carcosa.handler))
  const port = await listen(host)
  const answer = await overHttp(port)({
    method: 'POST',
    path: '/api/uploads/demo',
    headers: { 'Upload-Length': '5' },
  })
  assert.is(await offsetOf(overHttp(port), answer.headers.location ?? ''), 0)
  closeConnections(port)
  host.close()
})

test('P15: Fastify passes bodies on once it is told to', async () => {
  const handle = async (parses: boolean) => {
    const app = fastify()
    if (parses) app.addContentTypeParser('*', (_request, _payload, done) => done(null))
    app.all('/*', (request, reply) => {
      reply.hijack()
      server.carcosa.handler(request.raw, reply.raw)
    })
    await app.ready()
    const port = await listen(app.server)
    const url = await created(http(), { length: 5 })
    const answer = await patch(overHttp(port), url, { offset: 0, body: 'hello' })
    closeConnections(port)
    await app.close()
    return answer.status
  }
  assert.is(await handle(false), 415, 'it bites')
  assert.is(await handle(true), 204)
})

test('P16: the standalone server gives a body all the time it needs', () => {
  const listener = () => {}
  const ours = uploadServer({ request: listener, checkContinue: listener })
  assert.is(ours.requestTimeout, 0)
  assert.ok(createServer().requestTimeout > 0, 'it bites: Node gives five minutes')
})

test('P16: a host that ends a body after its time loses no byte of it', async () => {
  const host = createServer(
    { requestTimeout: 300, headersTimeout: 300, connectionsCheckingInterval: 100 },
    server.carcosa.handler,
  )
  const port = await listen(host)
  const url = await created(http(), { length: 100 })
  const raw = await openRaw(port)
  raw.ask('PATCH', url, {
    'Upload-Offset': '0',
    'Content-Type': offsetStream,
    'Content-Length': '100',
  })
  raw.write('x'.repeat(40))
  assert.is((await raw.answer()).status, 408, 'it bites')
  await raw.closed
  assert.is(await offsetOf(http(), url), 40)
  assert.is((await patch(http(), url, { offset: 40, body: 'y'.repeat(60) })).status, 204)
  host.close()
})

test('P17: a download has ranges, a safe type and any name', async () => {
  const metadata = metadataHeader({
    filename: '日本\r\nX: y.txt',
    filetype: 'text/plain',
  })
  const theirs = await bare()
  const path = await theirs.upload(10, 'helloworld', metadata)
  const broken = await theirs.exchange({ method: 'GET', path })
  assert.is(broken.status, 500, 'it bites')

  const url = await created(http(), {
    bytes: 'helloworld',
    headers: { 'Upload-Metadata': metadata },
  })
  const file = url.replace('/uploads/demo/', '/files/')
  const part = await http()({
    method: 'GET',
    path: file,
    headers: { Range: 'bytes=2-4' },
  })
  expectAnswer(part, {
    status: 206,
    headers: {
      'Content-Range': 'bytes 2-4/10',
      'X-Content-Type-Options': 'nosniff',
      'Content-Disposition': /filename\*=UTF-8''%E6%97%A5%E6%9C%AC/,
      ETag: /^"/,
      'Access-Control-Allow-Origin': '*',
    },
  })
  assert.is(part.text, 'llo')
})

test('P18: metadata is echoed byte for byte', async () => {
  const metadata = 'k //6A,l ,flag'
  const theirs = await bare()
  const path = await theirs.upload(5, '', metadata)
  const seen = await theirs.exchange({ method: 'HEAD', path })
  assert.is.not(seen.headers['upload-metadata'], metadata, 'it bites')

  const url = await created(http(), { headers: { 'Upload-Metadata': metadata } })
  const head = await http()({ method: 'HEAD', path: url })
  assert.is(head.headers['upload-metadata'], metadata)
})

test('P19: 1e+21 is no length', async () => {
  const headers = { 'Upload-Length': '1e+21' }
  const { exchange } = await bare()
  const theirs = await exchange({ method: 'POST', path: '/files', headers })
  assert.is(theirs.status, 201, 'it bites')

  const ours = await http()({ method: 'POST', path: '/uploads/demo', headers })
  expectAnswer(ours, { status: 400, code: 'LENGTH_INVALID' })
})

test('P20: a method that does not exist here is 405 with those that do', async () => {
  const { exchange } = await bare()
  const theirs = await exchange({ method: 'PUT', path: '/files' })
  assert.is(theirs.status, 404, 'it bites')

  const ours = await http()({ method: 'PUT', path: '/uploads/demo' })
  expectAnswer(ours, { status: 405, headers: { Allow: 'OPTIONS, POST' } })
})

test('P21: an answer without a body says so by its length', async () => {
  const answer = await http()({
    method: 'POST',
    path: '/uploads/demo',
    headers: { 'Upload-Length': '1' },
  })
  expectAnswer(answer, {
    status: 201,
    headers: { 'Content-Length': '0', 'Transfer-Encoding': null },
  })
})

test('P22: on Node the store reads the request itself', async () => {
  streams.length = 0
  await created(http(), { bytes: 'hello' })
  assert.is(streams.length, 1)
  assert.instance(streams[0], IncomingMessage)
})

test('P23: clients that vanish end nothing but their own request', async () => {
  const url = await created(http(), { length: 1_000_000 })
  for (let i = 0; i < 20; i++) {
    const raw = await openRaw(server.port)
    raw.ask('PATCH', url, {
      'Upload-Offset': String(await offsetOf(http(), url)),
      'Content-Type': offsetStream,
      'Content-Length': '900000',
    })
    raw.write('x'.repeat(1_000))
    if (i % 2 === 0) await wait(20)
    if (i % 3 === 0) raw.socket.resetAndDestroy()
    else raw.cut()
  }
  const started = Date.now()
  const offset = await offsetOf(http(), url)
  assert.ok(Date.now() - started < 1_000, 'nobody holds the upload')
  assert.is((await patch(http(), url, { offset, body: 'more' })).status, 204)
})

test('P23: many requests on one connection leave no listeners behind', async () => {
  const warnings: string[] = []
  const listener = ({ name }: Error) => void warnings.push(name)
  process.on('warning', listener)
  const url = await created(http(), { length: 40 })
  const raw = await openRaw(server.port)
  for (let offset = 0; offset < 40; offset++) {
    raw.ask('PATCH', url, {
      'Upload-Offset': String(offset),
      'Content-Type': offsetStream,
      'Content-Length': '1',
    })
    raw.write('x')
    assert.is((await raw.answer()).status, 204)
  }
  await wait(20)
  raw.cut()
  process.off('warning', listener)
  assert.equal(warnings, [])
})

test('P24: srvx, which the library pins, runs on this Node', () => {
  assert.match(versionOf('srvx'), /^0\.11\./, 'another line: read what it changed')
  assert.ok(atLeast(process.versions.node, '20.19.0'))
})

test('P25: what the library throws that is no Error is a problem document', async () => {
  const theirs = await bare()
  Object.assign(theirs.store, { extensions: [] })
  try {
    await theirs.server.cleanUpExpiredUploads()
    assert.unreachable()
  } catch (error) {
    assert.not.instance(error, Error, 'it bites')
  }

  const url = await created(http(), { length: 5 })
  const answer = await patch(http(), url, { offset: 0, body: 'too long' })
  expectAnswer(answer, {
    status: 413,
    code: 'LENGTH_EXCEEDED',
    headers: { 'Content-Type': 'application/problem+json' },
  })
})

function watched(inner: Store): Store {
  return {
    ...inner,
    write(object, source) {
      streams.push(source.stream)
      return inner.write(object, source)
    },
  }
}

function versionOf(name: string): string {
  const modules = join(import.meta.dirname, '../../../node_modules')
  return JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')).version
}

function atLeast(version: string, floor: string): boolean {
  return version.localeCompare(floor, 'en', { numeric: true }) >= 0
}

test.run()
