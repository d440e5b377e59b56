/** The REST API as HTTP: methods, media types, bodies, headers, where it is mounted. */
import { createServer } from 'node:http'
import express from 'express'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Exchange, overHttp } from '../../support/exchange.ts'
import { type RestAsked, type RestWorld, restWorld } from '../../support/rest/world.ts'
import { listen } from '../../support/server.ts'

const test = suite('the REST API as HTTP')
let world: RestWorld
let owner: { Authorization: string }
test.before(async () => {
  world = await restWorld()
  owner = await world.as()
})
test.after(() => world.server.close())

const secured = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
}

function requireHeaders(found: Record<string, string>, expected: Record<string, string>) {
  for (const [name, value] of Object.entries(expected))
    assert.is(found[name], value, name)
}

const refusals: [
  what: string,
  asked: RestAsked,
  status: number,
  code: string,
  allow?: string,
][] = [
  ['a path that there is not', { path: '/nothing' }, 404, 'NOT_FOUND'],
  ['a path that goes on', { path: '/me/more' }, 404, 'NOT_FOUND'],
  ['a path that climbs', { path: '/files/..%2f..%2fme' }, 404, 'FILE_NOT_FOUND'],
  ['a path that is no text', { path: '/files/%00' }, 400, 'BAD_REQUEST'],
  ['a path of nonsense', { path: '/files/%zz%ff' }, 404, 'FILE_NOT_FOUND'],
  ['an id that is too long', { path: `/files/${'x'.repeat(300)}` }, 400, 'BAD_REQUEST'],
  [
    'another method',
    { path: '/me', method: 'DELETE' },
    405,
    'METHOD_NOT_ALLOWED',
    'GET, HEAD, OPTIONS',
  ],
  [
    'a method of one thing',
    { path: '/files/x', method: 'PUT' },
    405,
    'METHOD_NOT_ALLOWED',
    'GET, PATCH, DELETE, HEAD, OPTIONS',
  ],
  ['HEAD of what there is not', { path: '/files/x', method: 'HEAD' }, 404, ''],
  ['no credential', { path: '/me', headers: {} }, 401, 'UNAUTHENTICATED'],
  [
    'a wrong credential',
    { path: '/me', headers: { Authorization: 'Bearer ck_live_wrong' } },
    401,
    'UNAUTHENTICATED',
  ],
]
for (const [what, asked, status, code, allow] of refusals) {
  test(`${what} is answered with ${status} ${code}`, async () => {
    const answered = await world.ask(asked)
    assert.is(answered.status, status, answered.text)
    requireHeaders(answered.headers, { ...secured, ...(allow && { allow }) })
    if (code === '') return assert.is(answered.text, '')
    assert.is(answered.headers['content-type'], 'application/problem+json')
    const { detail, requestId, ...problem } = answered.json()
    assert.is(problem.code, code)
    assert.is(problem.status, status)
    assert.type(detail, 'string')
    assert.is(requestId, answered.headers['x-request-id'])
    assert.not.match(answered.text, /node_modules|at .*\.ts|SELECT/)
    if (status === 401)
      assert.match(answered.headers['www-authenticate'] ?? '', /^Bearer/)
  })
}

const bodies: [
  what: string,
  headers: Record<string, string>,
  body: string,
  code: string,
][] = [
  ['text', { 'Content-Type': 'text/plain' }, '{"name":"x"}', 'CONTENT_TYPE_UNSUPPORTED'],
  [
    'a form',
    { 'Content-Type': 'application/x-www-form-urlencoded' },
    'name=x',
    'CONTENT_TYPE_UNSUPPORTED',
  ],
  ['no type', {}, '{"name":"x"}', 'CONTENT_TYPE_UNSUPPORTED'],
  ['no JSON', { 'Content-Type': 'application/json' }, '{"name":', 'BAD_REQUEST'],
  ['null', { 'Content-Type': 'application/json' }, 'null', 'BAD_REQUEST'],
  ['a list', { 'Content-Type': 'application/json' }, '[]', 'BAD_REQUEST'],
  [
    'more than a megabyte',
    { 'Content-Type': 'application/json' },
    `"${'x'.repeat(1024 * 1024)}"`,
    'BAD_REQUEST',
  ],
  [
    'a prototype',
    { 'Content-Type': 'application/json' },
    '{"name":"x","__proto__":{"polluted":1}}',
    'BAD_REQUEST',
  ],
  ['NUL', { 'Content-Type': 'application/json' }, '{"name":"a\\u0000b"}', 'BAD_REQUEST'],
  [
    'half a character',
    { 'Content-Type': 'application/json' },
    '{"name":"a\\ud800b"}',
    'BAD_REQUEST',
  ],
]
for (const [what, headers, body, code] of bodies) {
  test(`a body of ${what} is refused with ${code}`, async () => {
    const answered = await world.server.doors.http({
      method: 'POST',
      path: '/api/v1/api-keys',
      headers: { ...owner, ...headers },
      body,
    })
    assert.is(answered.json().code, code, answered.text)
    assert.is(Object.hasOwn(Object.prototype, 'polluted'), false)
  })
}

test('everything that is wrong is said at once', async () => {
  const answered = await world.ask({
    method: 'POST',
    path: '/api-keys?foo=1',
    body: { name: '', mode: 'other', more: true },
  })
  const { problems } = answered.json().details as { problems: Record<string, string>[] }
  const places = problems.map(({ in: where, path }) => `${where} ${path}`).sort()
  assert.equal(places, ['body ', 'body mode', 'body name', 'query '])
})

test('HEAD is GET without a body', async () => {
  for (const door of ['http', 'fetch'] as const) {
    const asked = { path: '/api/v1/me', headers: owner }
    const get = await world.server.doors[door]({ method: 'GET', ...asked })
    const head = await world.server.doors[door]({ method: 'HEAD', ...asked })
    assert.is(head.status, 200)
    assert.is(head.text, '')
    assert.is(head.headers['content-type'], get.headers['content-type'])
  }
})

test('a page may ask with all our headers, and read the answer’s', async () => {
  const answered = await world.ask({
    method: 'OPTIONS',
    path: '/files/x',
    headers: {
      Origin: 'https://app.example.com',
      'Access-Control-Request-Method': 'PATCH',
      'Access-Control-Request-Headers': 'if-match,idempotency-key,carcosa-project',
    },
  })
  assert.is(answered.status, 204)
  const allowed = answered.headers['access-control-allow-headers'] ?? ''
  for (const name of [
    'If-Match',
    'Idempotency-Key',
    'Carcosa-Project',
    'Authorization',
  ]) {
    assert.ok(allowed.split(', ').includes(name), name)
  }
  const methods = answered.headers['access-control-allow-methods'] ?? ''
  assert.equal(methods.split(', '), [
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
    'OPTIONS',
  ])
  const refused = await world.ask({
    path: '/me',
    headers: { Origin: 'https://app.example.com' },
  })
  assert.is(refused.status, 401)
  assert.is(refused.headers['access-control-allow-origin'], '*')
  const exposed = refused.headers['access-control-expose-headers'] ?? ''
  for (const name of ['ETag', 'Link', 'Idempotency-Replayed', 'Retry-After']) {
    assert.ok(exposed.split(', ').includes(name), name)
  }
})

test('the limit for the API is told, and counts for a principal', async () => {
  const limits = { api: { principal: { points: 2, per: '1m' } } } as const
  const strict = await restWorld({ rateLimits: limits })
  try {
    const headers = await strict.as()
    const first = await strict.ask({ path: '/me', headers })
    assert.is(first.headers['ratelimit-remaining'], '1')
    await strict.ask({ path: '/files', headers })
    const third = await strict.ask({ path: '/me', headers })
    assert.is(third.status, 429)
    assert.is(third.json().code, 'RATE_LIMITED')
    assert.ok(Number(third.headers['retry-after']) > 0)
    assert.is((await strict.ask({ path: '/me', headers: await strict.as() })).status, 200)
  } finally {
    await strict.server.close()
  }
})

test('/docs is a page that takes nothing from elsewhere and runs nothing', async () => {
  const answered = await world.server.doors.http({ method: 'GET', path: '/docs' })
  assert.is(answered.status, 200)
  requireHeaders(answered.headers, {
    'content-type': 'text/html; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  })
  const policy = answered.headers['content-security-policy'] ?? ''
  assert.match(policy, /^default-src 'none'; style-src 'sha256-/)
  assert.not.match(policy, /unsafe|http/)
  assert.not.match(answered.text, /<script|<link|<img|src=|https?:\/\//)
  for (const name of ['listFiles', 'createApiKey', 'getMe']) {
    assert.ok(answered.text.includes(`id="${name}"`), name)
  }
  const post = await world.server.doors.http({ method: 'POST', path: '/docs' })
  assert.is(post.status, 405)
})

async function behindExpress(path: string, basePath?: string): Promise<Exchange> {
  const { handler } = world.server.carcosa
  const app = express().use(path, handler)
  app.use((_, response) => void response.status(418).send('the host'))
  const host = createServer(app)
  closing.push(() => host.close())
  return overHttp(await listen(host))
}
const closing: (() => void)[] = []
test.after(() => {
  for (const close of closing) close()
})

test('below a prefix the document and its page know where they are', async () => {
  const exchange = await behindExpress('/media')
  const document = await exchange({ method: 'GET', path: '/media/api/v1/openapi.json' })
  assert.equal(document.json().servers, [{ url: '/media/api/v1' }])
  const docs = await exchange({ method: 'GET', path: '/media/docs' })
  assert.match(docs.text, /href="\/media\/api\/v1\/openapi\.json"/)
  const me = await exchange({ method: 'GET', path: '/media/api/v1/me', headers: owner })
  assert.is(me.status, 200)
  const id = await world.file()
  const signed = await exchange({
    method: 'POST',
    path: `/media/api/v1/files/${id}/sign`,
    headers: owner,
  })
  const url = String(signed.json().url)
  assert.ok(url.startsWith(`/media/files/${id}?`), url)
  assert.is((await exchange({ method: 'GET', path: url })).text, 'hello')
})

test('what is not ours below /api is for the host', async () => {
  const exchange = await behindExpress('/')
  for (const path of ['/api/v1/users', '/api/v2/me', '/api', '/docs/more']) {
    assert.is((await exchange({ method: 'GET', path })).status, 418, path)
  }
  const answered = await exchange({ method: 'GET', path: '/api/v1/me', headers: owner })
  assert.is(answered.status, 200)
})

test.run()
