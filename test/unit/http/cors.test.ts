import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type CorsOptions, preflight, withCors } from '../../../src/http/cors.ts'
import type { Reply } from '../../../src/shared/reply.ts'

const test = suite('http/cors')

const app = 'https://app.example.com'
const some: CorsOptions = { origins: [app, 'http://localhost:3000'] }

function headersFor(
  origin: string | null,
  cors: CorsOptions,
  reply: Partial<Reply> = {},
): Record<string, string> {
  const requested = new Headers(origin === null ? {} : { Origin: origin })
  return withCors({ status: 200, headers: {}, body: null, ...reply }, requested, cors)
    .headers
}

const allowed = 'Access-Control-Allow-Origin'

for (const origin of [app, 'null', null, 'https://anything.example']) {
  test(`with * the origin ${origin} may read the answer`, () => {
    assert.is(headersFor(origin, { origins: '*' })[allowed], '*')
  })
}

for (const origin of some.origins) {
  test(`${origin} is allowed where it is listed`, () => {
    assert.is(headersFor(origin, some)[allowed], origin)
  })
}

const strangers: (string | null)[] = [
  'https://app.example.com.evil.example',
  'https://evil.example/?https://app.example.com',
  'https://evilapp.example.com',
  'http://app.example.com',
  'https://app.example.com:8443',
  'https://APP.example.com',
  'https://app.example.com/',
  'https://app.example.com, https://evil.example',
  '*',
  'null',
  '',
  null,
]
for (const origin of strangers) {
  test(`${JSON.stringify(origin)} is not taken for a listed origin`, () => {
    const headers = headersFor(origin, some)
    assert.is(headers[allowed], undefined)
    assert.is(headers['Access-Control-Expose-Headers'], undefined)
  })
}

test('an empty list allows nobody', () => {
  assert.is(headersFor(app, { origins: [] })[allowed], undefined)
})

test('caches are told that answers differ by origin, where they do', () => {
  assert.is(headersFor(app, some).Vary, 'Origin')
  assert.is(headersFor('https://evil.example', some).Vary, 'Origin')
  assert.is(headersFor(app, some, { headers: { Vary: 'Range' } }).Vary, 'Range, Origin')
  assert.is(headersFor(app, { origins: '*' }).Vary, undefined)
})

test('credentials are never allowed: they would make every page the user', () => {
  for (const cors of [some, { origins: '*' } as const]) {
    assert.is(headersFor(app, cors)['Access-Control-Allow-Credentials'], undefined)
  }
})

test('status, body and other headers stay as they were', () => {
  const reply = { status: 409, headers: { 'Upload-Offset': '5' }, body: 'text' }
  const after = withCors(reply, new Headers({ Origin: app }), some)
  assert.is(after.status, 409)
  assert.is(after.body, 'text')
  assert.is(after.headers['Upload-Offset'], '5')
  assert.equal(reply.headers, { 'Upload-Offset': '5' }, 'the given reply is not changed')
})

const asked = { 'Access-Control-Request-Method': 'PATCH' }

test('a preflight is told all methods and headers that clients use', () => {
  const reply = preflight('OPTIONS', new Headers(asked))
  assert.is(reply?.status, 204)
  const { headers } = reply ?? { headers: {} as Record<string, string> }
  const methods = headers['Access-Control-Allow-Methods'] ?? ''
  for (const method of ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE']) {
    assert.ok(methods.split(', ').includes(method), method)
  }
  const names = (headers['Access-Control-Allow-Headers'] ?? '').toLowerCase().split(', ')
  for (const name of [
    ...['authorization', 'content-type', 'tus-resumable', 'upload-length'],
    ...['upload-offset', 'upload-metadata', 'upload-defer-length', 'upload-ticket'],
    ...['x-http-method-override', 'range', 'if-none-match', 'if-range'],
  ]) {
    assert.ok(names.includes(name), name)
  }
})

test('OPTIONS without a question about a method is no preflight', () => {
  assert.is(preflight('OPTIONS', new Headers({ Origin: app })), null)
  assert.is(preflight('PATCH', new Headers(asked)), null)
})

test.run()
