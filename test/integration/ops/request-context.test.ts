/** Request ids and traces: from the client into log, callback and answer. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRouter, route } from '../../../src/index.ts'
import { createLogger } from '../../../src/ops/log.ts'
import type { UploadCompleteArgs } from '../../../src/routes/hooks.ts'
import {
  type DescribedRequest,
  inRequestOf,
} from '../../../src/shared/request-context.ts'
import { redriveCompletion } from '../../../src/uploads/completion.ts'
import { upload } from '../../support/lifecycle.ts'
import { eventually, openRaw } from '../../support/raw-http.ts'
import { created, offsetStream } from '../../support/records.ts'
import { doors, startServer, type TestServer } from '../../support/server.ts'

type Line = Record<string, unknown>

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parent = 'b7ad6b7169203331'
const traceparent = `00-${traceId}-${parent}-01`

const calls: UploadCompleteArgs[] = []
let act: (args: UploadCompleteArgs) => void = () => {}
const any = { blob: { maxFileSize: '1MB' } } as const
const router = createRouter({
  plain: route(any).public(),
  mine: route(any),
  broken: route(any)
    .public()
    .middleware(() => {
      throw new Error('the shop is closed')
    }),
  called: route(any)
    .public()
    .onUploadComplete((args) => {
      calls.push(args)
      act(args)
      return null
    }),
})

const test = suite('the context of a request')
let server: TestServer
const written: string[] = []
const lines = (): Line[] => written.map((line) => JSON.parse(line))
const accessLines = () => lines().filter(({ msg }) => msg === 'request')

test.before(async () => {
  const output = { write: (line: string) => void written.push(line) }
  server = await startServer({ router, logger: createLogger({ level: 'debug', output }) })
})
test.before.each(() => {
  written.length = 0
  calls.length = 0
  act = () => {}
})
test.after(() => server.close())

for (const door of doors) {
  const ask = (method: string, path: string, headers: Record<string, string> = {}) =>
    server.doors[door]({ method, path, headers })

  for (const id of ['8c1f', 'a.b_c-d', 'Root=1-67891233-abcdef', 'x'.repeat(128)]) {
    test(`X-Request-Id ${id.slice(0, 30)} is taken and told again (${door})`, async () => {
      const answer = await ask('GET', '/routes', { 'X-Request-Id': id })
      assert.is(answer.headers['x-request-id'], id)
      assert.is(accessLines()[0]?.requestId, id)
    })
  }

  for (const id of ['a b', '"', 'x'.repeat(129), '<script>', 'a,b', '\u00fc']) {
    test(`X-Request-Id ${JSON.stringify(id.slice(0, 30))} is replaced (${door})`, async () => {
      const answer = await ask('GET', '/routes', { 'X-Request-Id': id })
      assert.match(answer.headers['x-request-id'] ?? '', /^[\w-]{10,40}$/)
    })
  }

  test(`every answer has an id of its own, also a refusal, a preflight and HEAD (${door})`, async () => {
    const asked: [string, string, Record<string, string>?][] = [
      ['GET', '/healthz'],
      ['GET', '/nowhere'],
      ['POST', '/uploads/plain', { 'Upload-Length': '1' }],
      ['POST', '/uploads/plain', { 'Upload-Length': 'x' }],
      ['HEAD', '/uploads/plain/AAAAAAAAAAAAAAAAAAAAAAAA'],
      ['OPTIONS', '/uploads/plain'],
      [
        'OPTIONS',
        '/uploads/plain',
        { Origin: 'https://a.example', 'Access-Control-Request-Method': 'PATCH' },
      ],
    ]
    const ids = new Set<string>()
    for (const [method, path, headers] of asked) {
      const answer = await ask(method, path, headers)
      const id = answer.headers['x-request-id'] ?? ''
      assert.match(id, /^[\w-]{10,40}$/, `${method} ${path}`)
      ids.add(id)
      if (answer.headers['content-type'] === 'application/problem+json') {
        assert.is(answer.json().requestId, id)
      }
    }
    assert.is(ids.size, asked.length)
  })

  test(`a page of another origin may read the id (${door})`, async () => {
    const answer = await ask('GET', '/routes', { Origin: 'https://a.example' })
    assert.match(answer.headers['access-control-expose-headers'] ?? '', 'X-Request-Id')
  })

  test(`one line tells of each request, for debugging (${door})`, async () => {
    const url = await created(server.doors[door], { route: 'plain', length: 10 })
    written.length = 0
    await server.doors[door]({
      method: 'PATCH',
      path: url,
      headers: { 'Upload-Offset': '0', 'Content-Type': offsetStream },
      body: 'hello',
    })
    const [line, ...more] = accessLines()
    assert.is(more.length, 0)
    const { requestId, ms, time, ...rest } = line ?? {}
    assert.equal(rest, {
      level: 'debug',
      msg: 'request',
      method: 'PATCH',
      path: url,
      route: 'plain',
      status: 204,
      received: 5,
      sent: 0,
    })
    assert.type(ms, 'number')
  })

  test(`what is our fault is told to everybody, with its id on every line (${door})`, async () => {
    const answer = await ask('POST', '/uploads/broken', {
      'Upload-Length': '1',
      'X-Request-Id': 'mine',
      Traceparent: traceparent,
    })
    assert.is(answer.status, 500)
    assert.is(answer.json().requestId, 'mine')
    const found = lines()
    assert.ok(found.length >= 3, `${found.length} lines`)
    for (const line of found) {
      assert.is(line.requestId, 'mine')
      assert.is(line.trace_id, traceId)
      assert.match(String(line.span_id), /^[\da-f]{16}$/)
      assert.is.not(line.span_id, parent)
    }
    const [access] = accessLines()
    assert.is(access?.level, 'info')
    assert.is(access?.status, 500)
    assert.is(access?.code, 'MIDDLEWARE_FAILED')
  })

  test(`a traceparent that is none is ignored (${door})`, async () => {
    const answer = await ask('GET', '/routes', { Traceparent: `00-${traceId}-0-01` })
    assert.is(answer.status, 200)
    assert.not('trace_id' in (accessLines()[0] ?? {}))
  })
}

test('the callback is given the request that sent the last byte, and logs in its name', async () => {
  const headers = { 'X-Request-Id': 'last-byte', Traceparent: traceparent }
  await upload(server, 'called', { body: 'hello', headers })
  const [args] = calls
  assert.is(args?.requestId, 'last-byte')
  assert.match(args?.traceparent ?? '', new RegExp(`^00-${traceId}-[\\da-f]{16}-01$`))
  const [line] = accessLines().filter(({ method }) => method === 'PATCH')
  assert.ok(args?.traceparent?.includes(String(line?.span_id)))
})

test('a callback that a job runs again is told the same request, under another span', async () => {
  act = () => {
    if (calls.length === 1) throw new Error('not now')
  }
  const headers = {
    'X-Request-Id': 'before',
    Traceparent: traceparent,
    Tracestate: 'congo=t61rcWkgMzE',
  }
  const { id } = await upload(server, 'called', { body: 'hello', headers })
  const [job] = await server.uploads.db.query<{ request: DescribedRequest }>({
    name: 'test_job',
    sql: `SELECT data->'request' AS request FROM carcosa_jobs.job WHERE data->>'fileId' = '${id}'`,
  })
  for (let look = 0; look < 100 && calls.length < 2; look++) {
    const again = () => redriveCompletion(server.uploads, id)
    await inRequestOf(job?.request, again).catch(() => {})
  }
  const [first, second] = calls
  assert.is(second?.requestId, 'before')
  assert.is(second?.tracestate, 'congo=t61rcWkgMzE')
  assert.match(second?.traceparent ?? '', new RegExp(`^00-${traceId}-[\\da-f]{16}-01$`))
  assert.is.not(second?.traceparent, first?.traceparent)
  const failed = lines().filter(({ msg }) => msg === 'onUploadComplete failed')
  assert.equal(
    failed.map(({ requestId }) => requestId),
    ['before'],
  )
})

test('an upload of the program has no request', async () => {
  await server.carcosa.api.files.upload('hello', { route: 'called' })
  await eventually(
    () => calls.length,
    (count) => count === 1,
  )
  const { requestId, traceparent: parentOf } = calls[0] ?? {}
  assert.equal([requestId, parentOf], [null, null])
})

test('requests that run at the same time keep their ids apart', async () => {
  await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      server.doors.http({
        method: 'POST',
        path: '/uploads/broken',
        headers: { 'Upload-Length': '1', 'X-Request-Id': `r${i}` },
      }),
    ),
  )
  const failures = lines().filter(({ msg }) => msg === 'middleware failed')
  assert.is(new Set(failures.map(({ requestId }) => requestId)).size, 50)
})

test('no line of the log has a ticket, a credential or a signature', async () => {
  const { id } = await server.carcosa.api.files.upload('hello', { route: 'plain' })
  const link = await server.carcosa.api.files.sign(id)
  const [, query = ''] = link.split('?')
  const path = `/files/${id}?${query}`
  assert.is((await server.doors.http({ method: 'GET', path })).status, 200)
  await server.doors.http({
    method: 'POST',
    path: '/uploads/broken?token=hunter2',
    headers: {
      'Upload-Length': '1',
      'Upload-Ticket': 'hunter2',
      Authorization: 'Bearer hunter2',
      Cookie: 'session=hunter2',
    },
  })
  const log = written.join('')
  assert.ok(accessLines().length >= 2)
  assert.not.match(log, 'hunter2')
  assert.not.match(log, new URLSearchParams(query).get('signature') ?? 'no signature')
})

test('a download is told when its last byte went out', async () => {
  const { id } = await server.carcosa.api.files.upload('hello', {
    route: 'mine',
    ownerId: 'ann',
  })
  const raw = await openRaw(server.port)
  raw.ask('GET', `/files/${id}`, { Authorization: 'Bearer ann' })
  assert.is((await raw.answer()).body, 'hello')
  raw.cut()
  const [line] = accessLines()
  assert.is(line?.status, 200)
  assert.is(line?.sent, 5)
})

test.run()
