/** What is in a file, and how it is served: SEC-17, SEC-19, SEC-30, SEC-34 and SEC-35. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Logger } from '../../src/shared/logger.ts'
import { type MemoryStore, memory } from '../../stores/memory.ts'
import type { Store } from '../../stores/store.ts'
import type { Answered, Exchange } from '../support/exchange.ts'
import {
  created,
  expectAnswer,
  metadataHeader,
  offsetStream,
  patch,
} from '../support/records.ts'
import { html, pdf, php, png, program, svg, zip } from '../support/samples.ts'
import { doors, startServer, type TestServer } from '../support/server.ts'

const test = suite('security/content')
let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after(() => server.close())

interface Sent {
  route: string
  name: string
  type: string
  bytes: Buffer
  /** Bytes in a first request of their own. Default 0: all in one. */
  first?: number
}

/** Sends a file; returns its URL and the answer to the last byte. */
async function send(
  exchange: Exchange,
  { route, name, type, bytes, first = 0 }: Sent,
): Promise<{ url: string; answer: Answered }> {
  const metadata = metadataHeader({ filename: name, filetype: type })
  const url = await created(exchange, {
    route,
    length: bytes.length,
    headers: { 'Upload-Metadata': metadata },
  })
  if (first > 0) {
    await patch(exchange, url, { offset: 0, body: bytes.subarray(0, first) })
  }
  const answer = await patch(exchange, url, {
    offset: first,
    body: bytes.subarray(first),
  })
  return { url, answer }
}

const fileOf = (url: string) => url.replace(/\/uploads\/\w+\//, '/files/')

// SEC-17

const spoofs: [what: string, bytes: Buffer][] = [
  ['HTML', html],
  ['SVG', svg],
  ['PHP', php],
  ['a program', program],
  ['an archive', zip],
  ['a PDF', pdf],
  ['the first four bytes of a PNG', png.subarray(0, 4)],
  ['one byte', Buffer.from('x')],
]

for (const door of doors) {
  test(`SEC-17: an image is an image (${door})`, async () => {
    const exchange = server.doors[door]
    const { url, answer } = await send(exchange, {
      route: 'image',
      name: 'a.png',
      type: 'image/png',
      bytes: png,
    })
    assert.is(answer.status, 204, answer.text)
    const file = await exchange({ method: 'GET', path: fileOf(url) })
    expectAnswer(file, { status: 200, headers: { 'Content-Type': 'image/png' } })
    assert.ok(file.bytes.equals(png))
  })

  for (const [what, bytes] of spoofs) {
    if (what === 'SVG') continue
    for (const first of [0, 1]) {
      if (first >= bytes.length) continue
      test(`SEC-17: ${what} that calls itself image/png is refused, ${first} bytes at first (${door})`, async () => {
        const exchange = server.doors[door]
        const sent = { route: 'image', name: 'a.png', type: 'image/png' }
        const { url, answer } = await send(exchange, { ...sent, bytes, first })
        expectAnswer(answer, { status: 415, code: 'TYPE_NOT_ALLOWED' })
        assert.is((await server.row(url)).state, 'rejected')
      })
    }
  }

  test(`SEC-17: SVG that calls itself image/png is not served as a picture that runs (${door})`, async () => {
    const exchange = server.doors[door]
    const { url, answer } = await send(exchange, {
      route: 'image',
      name: 'a.png',
      type: 'image/png',
      bytes: svg,
    })
    if (answer.status !== 204) return expectAnswer(answer, { status: 415 })
    const file = await exchange({ method: 'GET', path: fileOf(url) })
    expectAnswer(file, {
      status: 200,
      headers: {
        'Content-Disposition': /^attachment/,
        'Content-Security-Policy': /sandbox/,
      },
    })
  })

  test(`SEC-17: an empty file that calls itself image/png is refused (${door})`, async () => {
    const answer = await server.doors[door]({
      method: 'POST',
      path: '/uploads/image',
      headers: {
        'Upload-Length': '0',
        'Upload-Metadata': metadataHeader({ filename: 'a.png', filetype: 'image/png' }),
      },
    })
    expectAnswer(answer, { status: 415, code: 'TYPE_NOT_ALLOWED' })
  })

  test(`SEC-17: a type the route does not take is refused before a byte (${door})`, async () => {
    const answer = await server.doors[door]({
      method: 'POST',
      path: '/uploads/image',
      headers: {
        'Upload-Length': '10',
        'Upload-Metadata': metadataHeader({ filename: 'a.html', filetype: 'text/html' }),
      },
    })
    expectAnswer(answer, { status: 415, code: 'TYPE_NOT_ALLOWED' })
  })

  // SEC-19

  const documents: [type: string, bytes: Buffer][] = [
    ['image/svg+xml', svg],
    ['text/html', html],
    ['TEXT/HTML', html],
    ['text/xml', svg],
    ['application/xhtml+xml', html],
    ['application/javascript', Buffer.from('alert(1)')],
    ['text/html; charset=utf-7', html],
    ['application/octet-stream', html],
    ['', html],
  ]
  for (const [type, bytes] of documents) {
    test(`SEC-19: ${JSON.stringify(type)} runs nothing in the origin that serves it (${door})`, async () => {
      const exchange = server.doors[door]
      const { url, answer } = await send(exchange, {
        route: 'demo',
        name: 'a.html',
        type,
        bytes,
      })
      assert.is(answer.status, 204, answer.text)
      const queries = ['', '?disposition=inline', '?disposition=attachment']
      for (const query of queries) {
        const file = await exchange({ method: 'GET', path: fileOf(url) + query })
        // Served as plain text, a script is no script even where it may be shown.
        const inert = /^text\/plain/.test(file.headers['content-type'] ?? '')
        expectAnswer(file, {
          status: 200,
          headers: {
            'Content-Disposition': inert ? /./ : /^attachment/,
            'X-Content-Type-Options': 'nosniff',
            'Content-Security-Policy': /sandbox.*default-src 'none'/,
          },
        })
        assert.not.match(file.headers['content-type'] ?? '', /script/)
      }
    })
  }

  // SEC-30

  test(`SEC-30: a signed URL opens what it was signed for, and nothing else (${door})`, async () => {
    const exchange = server.doors[door]
    const url = await created(exchange, { route: 'private', bytes: 'helloworld' })
    const other = await created(exchange, { route: 'private', bytes: 'otherother' })
    const { id } = await server.row(url)
    const signed = await server.carcosa.api.files.sign(id, { expiresIn: '1m' })
    const get = (path: string, method = 'GET') => exchange({ method, path })
    assert.is((await get(signed)).text, 'helloworld')
    assert.is((await get(signed, 'HEAD')).status, 200)
    assert.is((await get(`/files/${id}`)).status, 404)

    const { pathname, searchParams } = new URL(signed, 'http://localhost')
    const changed = (change: (query: URLSearchParams) => void) => {
      const query = new URLSearchParams(searchParams)
      change(query)
      return `${pathname}?${query}`
    }
    const signature = searchParams.get('signature') ?? ''
    const expires = Number(searchParams.get('expires'))
    const flipped = (signature[0] === 'A' ? 'B' : 'A') + signature.slice(1)
    const forged: [what: string, path: string][] = [
      ['another file', signed.replace(id, other.split('/').pop() ?? '')],
      ['a later end', changed((query) => query.set('expires', String(expires + 60)))],
      ['an end that is none', changed((query) => query.set('expires', 'never'))],
      ['no end', changed((query) => query.delete('expires'))],
      ['a disposition more', `${signed}&disposition=inline`],
      ['a parameter more', `${signed}&x=1`],
      ['a size', `${signed}&size=1`],
      ['a content type', `${signed}&response-content-type=text/html`],
      ['another method in a parameter', `${signed}&method=DELETE`],
      ['a tenant', `${signed}&projectId=default`],
      ['another case of a name', signed.replace('expires', 'Expires')],
      ['a parameter twice', `${signed}&expires=${expires}`],
      [
        'another order',
        `${pathname}?signature=${signature}&expires=${expires}&key=${searchParams.get('key')}`,
      ],
      ['another encoding', signed.replace('expires', '%65xpires')],
      [
        'a signature that is cut',
        changed((query) => query.set('signature', signature.slice(0, -1))),
      ],
      [
        'a signature that is longer',
        changed((query) => query.set('signature', `${signature}A`)),
      ],
      [
        'a signature that is changed',
        changed((query) => query.set('signature', flipped)),
      ],
      ['no signature value', changed((query) => query.set('signature', ''))],
      ['another key', changed((query) => query.set('key', 'AAAAAAAA'))],
      ['no key', changed((query) => query.delete('key'))],
    ]
    for (const [what, path] of forged) {
      const answer = await get(path)
      assert.is(answer.status, 403, `${what}: ${answer.status}`)
      assert.is(answer.json().code, 'SIGNATURE_INVALID', what)
    }
    const query = signed.slice(signed.indexOf('?'))
    for (const path of [`/files/${id}/thumb${query}`, `/uploads/private/${id}${query}`]) {
      const { status, text } = await get(path)
      assert.not.match(text, 'helloworld', path)
      assert.ok(status === 404 || !text.includes('signature'), `${status} ${path}`)
    }
    for (const method of ['PUT', 'POST', 'DELETE', 'PATCH']) {
      assert.is((await get(signed, method)).status, 405, method)
    }
  })

  test(`SEC-30: a URL signed for HEAD does not read (${door})`, async () => {
    const url = await created(server.doors[door], {
      route: 'private',
      bytes: 'helloworld',
    })
    const { id } = await server.row(url)
    const signed = await server.carcosa.api.files.sign(id, { method: 'HEAD' })
    assert.is((await server.doors[door]({ method: 'HEAD', path: signed })).status, 200)
    assert.is((await server.doors[door]({ method: 'GET', path: signed })).status, 403)
  })

  test(`SEC-30: a signed URL ends with its time and with its file (${door})`, async () => {
    const url = await created(server.doors[door], {
      route: 'private',
      bytes: 'helloworld',
    })
    const { id } = await server.row(url)
    const brief = await server.carcosa.api.files.sign(id, { expiresIn: '1s' })
    const long = await server.carcosa.api.files.sign(id, { expiresIn: '1h' })
    const get = (path: string) => server.doors[door]({ method: 'GET', path })
    assert.is((await get(brief)).status, 200)
    await new Promise((resolve) => setTimeout(resolve, 2_100))
    expectAnswer(await get(brief), { status: 403, code: 'SIGNATURE_INVALID' })
    await server.carcosa.api.files.delete(id)
    expectAnswer(await get(long), { status: 404, code: 'FILE_NOT_FOUND' })
  })

  // SEC-35

  test(`SEC-35: what was refused at its end stays refused, however often a client tries (${door})`, async () => {
    const exchange = server.doors[door]
    const { url, answer } = await send(exchange, {
      route: 'image',
      name: 'a.png',
      type: 'image/png',
      bytes: html,
      first: 10,
    })
    assert.ok(answer.status >= 400 && answer.status < 500)
    assert.ok(![409, 423].includes(answer.status), 'clients try again after those')
    const size = html.length
    for (let attempt = 0; attempt < 3; attempt++) {
      const head = await exchange({ method: 'HEAD', path: url })
      expectAnswer(head, { status: 410, headers: { 'Upload-Offset': null } })
      for (const [offset, body] of [
        [size, ''],
        [10, html.subarray(10)],
        [0, html],
      ] as const) {
        const again = await patch(exchange, url, { offset, body })
        expectAnswer(again, { status: 410, code: 'UPLOAD_GONE' })
      }
      assert.is((await exchange({ method: 'GET', path: fileOf(url) })).status, 404)
    }
    const { state, key, storeName } = await server.row(url)
    assert.is(state, 'rejected')
    assert.is(await server.uploads.stores.get(storeName)?.stat(key), null)
  })
}

// SEC-34

const secret = 'bucket-of-acme at /srv/secret/disk AKIAIOSFODNN7EXAMPLE'

/** A store that works until it is told to fail, and then says too much. */
function talkative(inner: MemoryStore): Store & { failing: boolean } {
  const guard = (): void => {
    if (!store.failing) return
    throw Object.assign(new Error(secret), { code: 'EIO', path: '/srv/secret/disk' })
  }
  const store: Store & { failing: boolean } = {
    ...inner,
    failing: false,
    async write(...given) {
      guard()
      return inner.write(...given)
    },
    async offset(object) {
      guard()
      return inner.offset(object)
    },
    async complete(...given) {
      guard()
      return inner.complete(...given)
    },
    async open(...given) {
      guard()
      return inner.open(...given)
    },
    async stat(key) {
      guard()
      return inner.stat(key)
    },
  }
  return store
}

test('SEC-34: a store that fails tells the log, not the client', async () => {
  const store = talkative(memory())
  const logged: string[] = []
  const log = (fields: Record<string, unknown>, message: string) => {
    const error = fields.err instanceof Error ? fields.err.message : ''
    logged.push(`${message} ${error} ${String(fields.requestId)}`)
  }
  const logger: Logger = { debug: log, info: log, warn: log, error: log }
  const broken = await startServer({ store, logger })
  try {
    for (const door of doors) {
      const exchange = broken.doors[door]
      store.failing = false
      const url = await created(exchange, { bytes: 'hello' })
      const done = await created(exchange, { bytes: 'helloworld' })
      store.failing = true
      logged.length = 0
      const answers = [
        await patch(exchange, url, { offset: 5, body: 'world' }),
        await exchange({ method: 'GET', path: fileOf(done) }),
        await exchange({
          method: 'POST',
          path: '/uploads/demo',
          headers: { 'Upload-Length': '1', 'Content-Type': offsetStream },
          body: 'x',
        }),
      ]
      for (const { status, text, headers } of answers) {
        assert.ok(status >= 500, String(status))
        const { requestId, ...problem } = JSON.parse(text)
        assert.match(String(requestId), /^[\w-]{8,}$/, 'it can be found in the log')
        assert.ok(
          logged.some((line) => line.includes(secret) && line.includes(requestId)),
          `the log tells the cause of ${requestId}: ${logged.join('\n')}`,
        )
        const told = JSON.stringify([problem, headers])
        assert.not.match(told, /acme|secret|AKIA|EIO|Error:|\.ts/)
      }
      // The library's HEAD must not make a client forget its upload either (P5).
      const head = await exchange({ method: 'HEAD', path: url })
      assert.ok([200, 423].includes(head.status), String(head.status))
      store.failing = false
      const again = await exchange({ method: 'HEAD', path: url })
      assert.is(again.headers['upload-offset'], '5')
    }
  } finally {
    await broken.close()
  }
})

test.run()
