/**
 * Attacks on connections: rows SEC-10 to SEC-13 and SEC-15, on the server of `carcosa start`.
 * What needs no server of its own is in security.test.ts.
 */
import { once } from 'node:events'
import type { Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type ConnectionLimits,
  watchConnections,
} from '../../src/cli/server/connections.ts'
import { type Patience, uploadServer } from '../../src/cli/server/http.ts'
import type { CarcosaOptions } from '../../src/config.ts'
import type { LogFields } from '../../src/shared/logger.ts'
import { silentLogger } from '../../src/shared/logger.ts'
import { memory } from '../../stores/memory.ts'
import type { Store } from '../../stores/store.ts'
import { closeConnections, overHttp } from '../support/exchange.ts'
import { parseMetrics } from '../support/metrics.ts'
import {
  eventually,
  openRaw,
  type RawConnection,
  requestHead,
} from '../support/raw-http.ts'
import {
  created,
  metadataHeader,
  offsetOf,
  offsetStream,
  patch,
} from '../support/records.ts'
import { listen, startServer, type TestServer } from '../support/server.ts'

interface Front {
  readonly carcosa: TestServer
  readonly port: number
  readonly open: () => number
  readonly refused: string[]
  readonly warnings: LogFields[]
}

type FrontOptions = Partial<CarcosaOptions & ConnectionLimits & Patience>

let shared: TestServer | undefined

/**
 * Runs `check` with a Carcosa behind the server of `carcosa start`. It is the same Carcosa each
 * time, unless the options are about it.
 */
async function withFront(
  options: FrontOptions,
  check: (front: Front) => Promise<void>,
): Promise<void> {
  const { maxConnections = 0, maxConnectionsPerClient = 0, trustedProxies = [] } = options
  const { idleTimeout, minUploadRate, ...patience } = options
  const own = idleTimeout !== undefined
  const { store } = options
  if (!own) shared ??= await startServer()
  const carcosa =
    shared && !own ? shared : await startServer({ idleTimeout, minUploadRate, store })
  const warnings: LogFields[] = []
  const log = { ...silentLogger, warn: (fields: LogFields) => void warnings.push(fields) }
  const limits = { maxConnections, maxConnectionsPerClient, trustedProxies }
  const connections = watchConnections(limits, log)
  const refused: string[] = []
  connections.onRefused((limit) => refused.push(limit))
  const { handler, checkContinue } = carcosa.carcosa
  const http: Server = uploadServer(
    {
      request: connections.limited(handler),
      checkContinue: connections.limited(checkContinue),
    },
    patience,
  )
  connections.watch(http)
  const port = await listen(http)
  try {
    await check({ carcosa, port, open: connections.open, refused, warnings })
  } finally {
    closeConnections(port)
    http.closeAllConnections()
    await once(http.close(), 'close')
    if (own) await carcosa.close()
  }
}

/** A PATCH whose body the test sends as it likes. */
async function patching(
  port: number,
  url: string,
  headers: Record<string, string> = { 'Content-Length': '1000000' },
): Promise<RawConnection> {
  const raw = await openRaw(port)
  raw.ask('PATCH', url, {
    'Upload-Offset': '0',
    'Content-Type': offsetStream,
    ...headers,
  })
  return raw
}

const sec10 = suite('SEC-10: malformed framing')

const chunked = { 'Transfer-Encoding': 'chunked' }
const malformed: [what: string, headers: Record<string, string>, body: string][] = [
  [
    'a length and chunks',
    { 'Content-Length': '5', ...chunked },
    '5\r\nhello\r\n0\r\n\r\n',
  ],
  ['chunks that are not last', { 'Transfer-Encoding': 'chunked, identity' }, 'hello'],
  ['chunks twice', { 'Transfer-Encoding': 'chunked, chunked' }, '0\r\n\r\n'],
  ['an encoding that is none', { 'Transfer-Encoding': 'xchunked' }, 'hello'],
  ['chunks in quotes', { 'Transfer-Encoding': '"chunked"' }, '0\r\n\r\n'],
  ['two lengths', { 'Content-Length': '5\r\nContent-Length: 6' }, 'hello'],
  ['a list of lengths', { 'Content-Length': '5, 5' }, 'hello'],
  ['a length in hexadecimal', { 'Content-Length': '0x5' }, 'hello'],
  ['a length without end', { 'Content-Length': '99999999999999999999999' }, 'hello'],
  ['a space before the colon', { 'X-A': 'b\r\nContent-Length : 5' }, 'hello'],
  ['a folded header', { 'X-A': 'b\r\n c', 'Content-Length': '5' }, 'hello'],
  ['a line feed alone', { 'X-A': 'b\nContent-Length: 5' }, 'hello'],
  ['a NUL in a header', { 'X-A': 'b\0c', 'Content-Length': '5' }, 'hello'],
  ['a header without a name', { 'X-A': 'b\r\n: c' }, ''],
]
for (const [what, headers, body] of malformed) {
  sec10(`SEC-10: ${what} is refused, stores nothing, and ends the connection`, () =>
    withFront({}, async ({ carcosa, port }) => {
      const url = await created(carcosa.doors.http, { length: 100 })
      const raw = await patching(port, url, headers)
      // A request of its own, if the server took the body for shorter than we do.
      raw.write(`${body}${requestHead('DELETE', url)}`)
      const answer = await raw.answer()
      assert.is(answer.status, 400)
      assert.is(answer.headers['content-type'], 'application/problem+json')
      assert.is(JSON.parse(answer.body).code, 'BAD_REQUEST')
      await raw.closed
      assert.is(
        await offsetOf(carcosa.doors.http, url),
        0,
        'it is still there, and empty',
      )
    }),
  )
}

const brokenChunks: [what: string, body: string][] = [
  ['an extension of 64 KiB', `5;${'x'.repeat(65_536)}\r\nhello\r\n0\r\n\r\n`],
  ['a size that is no number', 'x\r\nhello\r\n0\r\n\r\n'],
  ['a size with a sign', '+5\r\nhello\r\n0\r\n\r\n'],
  ['a size beyond 64 bits', 'fffffffffffffffff\r\nhello\r\n0\r\n\r\n'],
  ['more bytes than its size', '2\r\nhello\r\n0\r\n\r\n'],
  ['line feeds alone', '5\nhello\n0\n\n'],
]
for (const [what, body] of brokenChunks) {
  sec10(`SEC-10: a chunk with ${what} ends the connection; what is kept was sent`, () =>
    withFront({}, async ({ carcosa, port }) => {
      const url = await created(carcosa.doors.http, { length: 100 })
      const raw = await patching(port, url, chunked)
      raw.write(`${body}${requestHead('DELETE', url)}`)
      await raw.closed
      const kept = await offsetOf(carcosa.doors.http, url)
      assert.ok(kept <= 5, `${kept} bytes`)
      const row = await carcosa.row(url)
      assert.ok(['created', 'receiving'].includes(row.state), row.state)
    }),
  )
}

sec10('SEC-10: what is no HTTP at all is refused', () =>
  withFront({}, async ({ port }) => {
    for (const bytes of ['\x16\x03\x01\x02\x00\x01', 'GET\r\n\r\n', 'SSH-2.0-x\r\n']) {
      const raw = await openRaw(port)
      raw.write(bytes)
      assert.is((await raw.answer()).status, 400)
      await raw.closed
    }
  }),
)

sec10.run()

const sec11 = suite('SEC-11: slow clients')

sec11('SEC-11: a PATCH that trickles is cut off, keeps its bytes, and goes on', () =>
  withFront({ idleTimeout: 400, minUploadRate: 1_000 }, async ({ carcosa, port }) => {
    const url = await created(carcosa.doors.http, { length: 100 })
    const raw = await patching(port, url, { 'Content-Length': '100' })
    let sent = 0
    let over = false
    void raw.closed.then(() => {
      over = true
    })
    const began = Date.now()
    while (!over && Date.now() - began < 5_000) {
      raw.write('x')
      sent++
      await sleep(50)
    }
    const took = Date.now() - began
    assert.ok(over && took < 2_000, `after ${took} ms`)
    await assert.is(
      await raw.answer().catch(() => null),
      null,
      'no status: clients retry',
    )
    const offset = await eventually(
      () => offsetOf(carcosa.doors.http, url),
      (found) => found > 0,
    )
    assert.ok(offset <= sent)
    const rest = await patch(carcosa.doors.http, url, {
      offset,
      body: 'y'.repeat(100 - offset),
    })
    assert.is(rest.status, 204)
    const found = parseMetrics((await carcosa.carcosa.metrics()).body)
    assert.is(found.get('carcosa_bodies_given_up_total{reason="slow"}'), 1)
  }),
)

sec11('SEC-11: a slow client that is fast enough is left alone, pauses included', () =>
  withFront({ idleTimeout: 1_500, minUploadRate: 100 }, async ({ carcosa, port }) => {
    const url = await created(carcosa.doors.http, { length: 400 })
    const raw = await patching(port, url, { 'Content-Length': '400' })
    for (let i = 0; i < 4; i++) {
      raw.write('x'.repeat(100))
      await sleep(600)
    }
    assert.is((await raw.answer()).headers['upload-offset'], '400')
    raw.cut()
  }),
)

sec11('SEC-11: with a rate of 0 it may trickle as long as it likes', () =>
  withFront({ idleTimeout: 800, minUploadRate: 0 }, async ({ carcosa, port }) => {
    const url = await created(carcosa.doors.http, { length: 10 })
    const raw = await patching(port, url, { 'Content-Length': '10' })
    for (let i = 0; i < 10; i++) {
      await sleep(250)
      raw.write('x')
    }
    assert.is((await raw.answer()).status, 204)
    raw.cut()
  }),
)

sec11('SEC-11: a client that waits for us is not blamed for it', () => {
  const inner = memory()
  const { promise: reading, resolve: begin } = Promise.withResolvers<void>()
  const store: Store = {
    ...inner,
    async write(object, source) {
      await sleep(2_500)
      begin()
      return inner.write(object, source)
    },
  }
  const options = { idleTimeout: 700, minUploadRate: 100, store }
  return withFront(options, async ({ carcosa, port }) => {
    const url = await created(carcosa.doors.http, { length: 200_000 })
    const raw = await patching(port, url, { 'Content-Length': '200000' })
    raw.write('x'.repeat(199_000))
    // It is not read before; then the rest has to come soon.
    await reading
    raw.write('x'.repeat(1_000))
    assert.is((await raw.answer()).headers['upload-offset'], '200000')
    raw.cut()
  })
})

sec11('SEC-11: a JSON body that trickles is cut off, too', () =>
  withFront({ idleTimeout: 300, minUploadRate: 1_000 }, async ({ port }) => {
    const raw = await openRaw(port)
    raw.ask('POST', '/uploads/demo/prepare', {
      'Content-Type': 'application/json',
      'Content-Length': '1000',
    })
    const dripping = setInterval(() => raw.write(' '), 50)
    const began = Date.now()
    await raw.closed
    clearInterval(dripping)
    assert.ok(Date.now() - began < 2_000)
  }),
)

sec11('SEC-11: headers that drip are answered with 408 and cut off', () =>
  withFront({ headersTimeout: 500 }, async ({ port }) => {
    const raw = await openRaw(port)
    raw.write('POST /uploads/demo HTTP/1.1\r\nHost: x\r\n')
    const dripping = setInterval(() => raw.write('X-A: b\r\n'), 100)
    const began = Date.now()
    const answer = await raw.answer()
    await raw.closed
    clearInterval(dripping)
    assert.is(answer.status, 408)
    assert.is(JSON.parse(answer.body).code, 'REQUEST_TIMEOUT')
    assert.ok(Date.now() - began < 4_000, `after ${Date.now() - began} ms`)
  }),
)

sec11('SEC-11: a connection that rests between two requests does not drip', () =>
  withFront({ headersTimeout: 400 }, async ({ port }) => {
    const raw = await openRaw(port)
    for (let i = 0; i < 3; i++) {
      raw.ask('GET', '/healthz')
      assert.is((await raw.answer()).status, 200)
      await sleep(1_000)
    }
    raw.cut()
  }),
)

sec11(
  'SEC-11: a thousand silent connections are ended, and hold up nobody meanwhile',
  () =>
    withFront({ headersTimeout: 2_000 }, async ({ carcosa, port, open }) => {
      const silent = await Promise.all(Array.from({ length: 1_000 }, () => openRaw(port)))
      await eventually(open, (count) => count === 1_000)
      const exchange = overHttp(port)
      const times: number[] = []
      for (let i = 0; i < 50; i++) {
        const began = performance.now()
        const url = await created(exchange, { bytes: 'helloworld' })
        assert.is((await carcosa.row(url)).state, 'ready')
        times.push(performance.now() - began)
      }
      const worst = times.sort((a, b) => a - b).at(-1) ?? 0
      assert.ok(worst < 2_000, `an upload took ${Math.round(worst)} ms`)
      await Promise.all(silent.map(({ closed }) => closed))
      closeConnections(port)
      await eventually(open, (count) => count === 0)
    }),
)

sec11.run()

const limits = suite('SEC-11: how many connections there may be')

limits('SEC-11: more than maxConnections are closed unanswered, and told of once', () =>
  withFront({ maxConnections: 3 }, async ({ port, open, refused, warnings }) => {
    const first = await Promise.all([1, 2, 3].map(() => openRaw(port)))
    await eventually(open, (count) => count === 3)
    for (let i = 0; i < 5; i++) await (await openRaw(port)).closed
    assert.equal(refused, Array(5).fill('total'))
    assert.is(warnings.length, 1)
    for (const raw of first) {
      raw.ask('GET', '/healthz')
      assert.is((await raw.answer()).status, 200, 'who is in stays in')
    }
    first[0]?.cut()
    await eventually(open, (count) => count === 2)
    const next = await openRaw(port)
    next.ask('GET', '/healthz')
    assert.is((await next.answer()).status, 200)
    for (const raw of [...first, next]) raw.cut()
  }),
)

limits('SEC-11: a client may have maxConnectionsPerClient, whatever it says it is', () =>
  withFront({ maxConnectionsPerClient: 2 }, async ({ port, open, refused, warnings }) => {
    const first = await Promise.all([1, 2].map(() => openRaw(port)))
    await eventually(open, (count) => count === 2)
    const third = await openRaw(port)
    third.ask('GET', '/healthz', { 'X-Forwarded-For': '198.51.100.7' })
    await third.closed
    assert.equal(refused, ['client'])
    assert.is(warnings[0]?.client, '127.0.0.1')
    first[0]?.cut()
    await eventually(open, (count) => count === 1)
    const next = await openRaw(port)
    next.ask('GET', '/healthz')
    assert.is((await next.answer()).status, 200)
    for (const raw of [...first, next]) raw.cut()
  }),
)

limits('SEC-11: behind a trusted proxy the requests of each client are counted', () =>
  withFront(
    { maxConnectionsPerClient: 2, trustedProxies: ['loopback'] },
    async ({ carcosa, port, refused }) => {
      const from = (client: string) => ({ 'X-Forwarded-For': `1.2.3.4, ${client}` })
      const urls = await Promise.all([1, 2, 3].map(() => created(carcosa.doors.http)))
      const [one = '', two = '', three = ''] = urls
      const running = await Promise.all(
        [one, two].map((url) =>
          patching(port, url, { 'Content-Length': '10', ...from('198.51.100.7') }),
        ),
      )
      await eventually(
        async () => parseMetrics((await carcosa.carcosa.metrics()).body),
        (found) => found.get('carcosa_uploads_active') === 2,
      )
      const exchange = overHttp(port)
      const ask = (method: string, client: string) =>
        exchange({
          method,
          path: three,
          headers: {
            ...from(client),
            'Upload-Offset': '0',
            'Content-Type': offsetStream,
          },
        })
      const refusal = await ask('PATCH', '198.51.100.7')
      assert.is(refusal.status, 503)
      assert.is(refusal.json().code, 'TOO_MANY_CONNECTIONS')
      assert.match(refusal.headers['retry-after'] ?? '', /^\d+$/)
      const head = await ask('HEAD', '198.51.100.7')
      assert.is(head.status, 423, 'P5: after 5xx it would start over')
      assert.match(head.headers['retry-after'] ?? '', /^\d+$/)
      assert.is((await ask('HEAD', '198.51.100.8')).status, 200, 'another client')
      assert.equal(refused, ['client', 'client'])
      for (const raw of running) {
        raw.write('helloworld')
        assert.is((await raw.answer()).status, 204)
        raw.cut()
      }
      await eventually(
        () => ask('HEAD', '198.51.100.7'),
        ({ status }) => status === 200,
      )
    },
  ),
)

limits.run()

const sec12 = suite('SEC-12: waiting for a lease')

sec12(
  'SEC-12 P6: HEADs of a stalled PATCH are answered while the limit of connections holds',
  () =>
    withFront({ maxConnections: 200 }, async ({ carcosa, port }) => {
      const url = await created(carcosa.doors.http, { length: 100 })
      const raw = await patching(port, url, { 'Content-Length': '100' })
      raw.write('hello')
      await sleep(100)
      const before = process.cpuUsage()
      const began = Date.now()
      const exchange = overHttp(port)
      const heads = Array.from({ length: 100 }, () =>
        exchange({ method: 'HEAD', path: url }),
      )
      for (const { status, headers } of await Promise.all(heads)) {
        assert.ok(status === 200 || status === 423, String(status))
        if (status === 200) assert.is(headers['upload-offset'], '5')
      }
      assert.ok(Date.now() - began < 3_000)
      const { user, system } = process.cpuUsage(before)
      assert.ok((user + system) / 1_000 < 2_000, 'it is no storm')
      raw.cut()
    }),
)

sec12.run()

const sec13 = suite('SEC-13: uploads that are begun and left')

sec13(
  'SEC-13: a thousand creations hold no connection, no lease and no memory of a body',
  () =>
    withFront({}, async ({ carcosa, port }) => {
      const exchange = overHttp(port)
      const before = parseMetrics((await carcosa.carcosa.metrics()).body)
      const urls: string[] = []
      for (let batch = 0; batch < 20; batch++) {
        const made = Array.from({ length: 50 }, () => created(exchange, { length: 1024 }))
        urls.push(...(await Promise.all(made)))
      }
      assert.is(new Set(urls).size, 1_000)
      const found = parseMetrics((await carcosa.carcosa.metrics()).body)
      const begun = 'carcosa_uploads_created_total{route="demo"}'
      assert.is(found.get('carcosa_uploads_active'), 0)
      assert.is(found.get('carcosa_locks_held'), 0)
      assert.is((found.get(begun) ?? 0) - (before.get(begun) ?? 0), 1_000)
    }),
)

sec13.run()

const sec15 = suite('SEC-15: metadata and header bombs')

const bombs: [
  what: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  status: number,
  code: string,
][] = [
  [
    'a header of 17 KiB',
    'POST',
    '/uploads/demo',
    { 'X-A': 'x'.repeat(17 * 1024) },
    431,
    'HEADERS_TOO_LARGE',
  ],
  [
    '64 KiB of metadata',
    'POST',
    '/uploads/demo',
    {
      'Upload-Length': '1',
      'Upload-Metadata': metadataHeader({ k: 'x'.repeat(48 * 1024) }),
    },
    431,
    'HEADERS_TOO_LARGE',
  ],
  [
    'a URL of 17 KiB',
    'GET',
    `/files/${'x'.repeat(17 * 1024)}`,
    {},
    431,
    'HEADERS_TOO_LARGE',
  ],
  ['a URL of 9 KiB', 'GET', `/files/${'x'.repeat(9 * 1024)}`, {}, 414, 'URL_TOO_LONG'],
  [
    'a query of 9 KiB',
    'GET',
    `/files/x?${'x'.repeat(9 * 1024)}`,
    {},
    414,
    'URL_TOO_LONG',
  ],
  ['300 headers', 'GET', '/routes', many(300), 431, 'HEADERS_TOO_LARGE'],
  ['2,500 headers', 'GET', '/routes', many(2_500), 431, 'HEADERS_TOO_LARGE'],
  [
    'a thousand keys of metadata',
    'POST',
    '/uploads/demo',
    {
      'Upload-Length': '1',
      'Upload-Metadata': Array.from({ length: 1_000 }, (_, i) => `k${i}`).join(','),
    },
    400,
    'METADATA_INVALID',
  ],
]
for (const [what, method, path, headers, status, code] of bombs) {
  sec15(
    `SEC-15: ${what} is answered with ${status} ${code}, and nothing is created`,
    () =>
      withFront({}, async ({ carcosa, port }) => {
        const before = await carcosa.newest()
        const raw = await openRaw(port)
        raw.ask(method, path, headers)
        const answer = await raw.answer()
        assert.is(answer.status, status)
        const problem = JSON.parse(answer.body)
        assert.is(problem.code, code)
        assert.ok(problem.detail.length < 300, problem.detail)
        assert.equal(await carcosa.newest(), before)
        raw.cut()
      }),
  )
}

sec15('SEC-15: what a browser behind two proxies sends is taken', () =>
  withFront({}, async ({ port }) => {
    const raw = await openRaw(port)
    raw.ask('GET', '/routes', many(100))
    assert.is((await raw.answer()).status, 200)
    raw.cut()
  }),
)

sec15('SEC-15: a JSON body above 1 MiB is refused before all of it came', () =>
  withFront({}, async ({ port }) => {
    const raw = await openRaw(port)
    raw.ask('POST', '/uploads/demo/prepare', {
      'Content-Type': 'application/json',
      'Content-Length': String(1024 ** 3),
    })
    raw.write(' '.repeat(1024 * 1024 + 1))
    const answer = await raw.answer()
    assert.is(answer.status, 400)
    assert.is(JSON.parse(answer.body).details.maxBytes, 1024 * 1024)
    raw.cut()
  }),
)

sec15.after(() => shared?.close())
sec15.run()

function many(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`a${i}`, '']))
}
