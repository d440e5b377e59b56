/** What a browser needs (rows B). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  created,
  offsetStream,
  type ProtocolRecord,
  records,
} from '../../support/records.ts'
import { doors, startServer, type TestServer } from '../../support/server.ts'

const test = suite('protocol/cors')
let server: TestServer
let strict: TestServer
test.before(async () => {
  server = await startServer()
  strict = await startServer({ cors: { origins: ['https://app.example'] } })
})
test.after(async () => {
  await server.close()
  await strict.close()
})

const unknown = '/uploads/demo/AAAAAAAAAAAAAAAAAAAAAAAA'
const origin = { Origin: 'https://app.example' }
const list = (header = '') => header.toLowerCase().split(/\s*,\s*/)

const preflighted: [method: string, path: string][] = [
  ['POST', '/uploads/demo'],
  ['HEAD', unknown],
  ['PATCH', unknown],
  ['DELETE', unknown],
  ['GET', `${unknown}?wait=30`],
  ['POST', '/uploads/demo/prepare'],
  ['POST', '/uploads/nothing'],
  ['GET', '/routes'],
  ['GET', '/files/AAAAAAAAAAAAAAAAAAAAAAAA'],
]

for (const door of doors) {
  test(`B1: a preflight allows the header of an auth provider, and nothing that is no header (${door})`, async () => {
    const { headers } = await server.doors[door]({
      method: 'OPTIONS',
      path: '/uploads/demo',
      headers: {
        ...origin,
        'Tus-Resumable': null,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'X-Api-Key, two words, x-api-key',
      },
    })
    const allowed = list(headers['access-control-allow-headers'])
    assert.is(allowed.filter((name) => name === 'x-api-key').length, 1)
    assert.not(allowed.some((name) => name.includes(' ')))
  })

  for (const [method, path] of preflighted) {
    test(`B1: the preflight of ${method} ${path} allows it with our headers (${door})`, async () => {
      const { status, headers } = await server.doors[door]({
        method: 'OPTIONS',
        path,
        headers: {
          ...origin,
          'Tus-Resumable': null,
          'Access-Control-Request-Method': method,
          'Access-Control-Request-Headers': 'tus-resumable,upload-offset',
        },
      })
      assert.ok(status === 200 || status === 204, `a browser stops at ${status}`)
      assert.is(headers['access-control-allow-origin'], '*')
      for (const verb of ['post', 'head', 'patch', 'options', 'delete', 'get']) {
        assert.ok(list(headers['access-control-allow-methods']).includes(verb), verb)
      }
      for (const name of accepted) {
        assert.ok(list(headers['access-control-allow-headers']).includes(name), name)
      }
    })
  }
}

const accepted = [
  'authorization',
  'content-type',
  'tus-resumable',
  'upload-length',
  'upload-defer-length',
  'upload-offset',
  'upload-metadata',
  'upload-checksum',
  'upload-concat',
  'upload-complete',
  'upload-draft-interop-version',
  'upload-ticket',
  'x-http-method-override',
  'x-requested-with',
]

const exposed =
  /^(?=.*\bLocation\b)(?=.*\bUpload-Offset\b)(?=.*\bUpload-Length\b)(?=.*\bUpload-Expires\b)(?=.*\bTus-Resumable\b)(?=.*\bTus-Version\b)(?=.*\bTus-Extension\b)(?=.*\bTus-Max-Size\b)(?=.*\bUpload-Metadata\b)(?=.*\bUpload-Concat\b)/
const readable = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': exposed,
}

type Request = Pick<ProtocolRecord, 'method' | 'upload' | 'path' | 'headers'>

const answers: [status: number, request: Request][] = [
  [201, { method: 'POST', headers: { 'Upload-Length': '3' } }],
  [200, { method: 'HEAD', upload: {} }],
  [200, { method: 'GET', upload: {} }],
  [204, { method: 'DELETE', upload: {} }],
  [400, { method: 'POST' }],
  [404, { method: 'HEAD', path: unknown }],
  [404, { method: 'POST', path: '/uploads/nothing' }],
  [404, { method: 'GET', path: '/files/AAAAAAAAAAAAAAAAAAAAAAAA' }],
  [404, { method: 'GET', path: '/elsewhere/uploads/demo' }],
  [404, { method: 'GET', path: '/nothing' }],
  [405, { method: 'PUT', upload: {} }],
  [412, { method: 'POST', headers: { 'Tus-Resumable': null } }],
  [415, { method: 'PATCH', upload: {}, headers: { 'Upload-Offset': '0' } }],
]

records(
  test,
  () => server,
  answers.map(([status, { headers, ...request }]) => ({
    title: `B2: a page may read the ${status} that answers ${request.method}`,
    ...request,
    headers: { ...origin, ...headers },
    answer: { status, headers: readable },
  })),
)

records(test, () => server, [
  {
    title: 'E6: a page may read Upload-Expires',
    method: 'POST',
    headers: { ...origin, 'Upload-Length': '3' },
    answer: {
      status: 201,
      headers: {
        'Upload-Expires': / GMT$/,
        'Access-Control-Expose-Headers': /\bUpload-Expires\b/,
      },
    },
  },
  {
    title: 'B4: GET of a file has CORS headers too',
    method: 'GET',
    path: '/files/AAAAAAAAAAAAAAAAAAAAAAAA',
    headers: origin,
    answer: { status: 404, headers: { 'Access-Control-Allow-Origin': '*' } },
  },
  {
    title: 'B5: all origins are allowed unless configured, and none may send cookies',
    method: 'POST',
    headers: { Origin: 'null', 'Upload-Length': '3' },
    answer: {
      status: 201,
      headers: {
        'Access-Control-Allow-Origin': '*',
        'Access-Control-Allow-Credentials': null,
      },
    },
  },
])

test('B4: a finished file is readable by a page', async () => {
  const url = await created(server.doors.http, { length: 5, bytes: 'hello' })
  const { status, headers, text } = await server.doors.http({
    method: 'GET',
    path: url.replace('/uploads/demo/', '/files/'),
    headers: origin,
  })
  assert.is(status, 200)
  assert.is(text, 'hello')
  assert.is(headers['access-control-allow-origin'], '*')
})

const origins: [row: string, origin: string | null, allowed: string | null][] = [
  ['B3: a configured origin is allowed', 'https://app.example', 'https://app.example'],
  ['SEC-31: an unknown origin gets nothing', 'https://evil.example', null],
  ['SEC-31: the origin "null" gets nothing', 'null', null],
  ['SEC-31: a prefix gets nothing', 'https://app.example.evil.com', null],
  ['SEC-31: a suffix gets nothing', 'https://evilapp.example', null],
  ['SEC-31: a subdomain gets nothing', 'https://x.app.example', null],
  ['SEC-31: another scheme gets nothing', 'http://app.example', null],
  ['SEC-31: another port gets nothing', 'https://app.example:444', null],
  ['SEC-31: upper case gets nothing', 'HTTPS://APP.EXAMPLE', null],
  ['B3: who is no browser gets nothing', null, null],
]

records(
  test,
  () => strict,
  origins.flatMap(([what, from, allowed]): ProtocolRecord[] => {
    const headers = {
      'Access-Control-Allow-Origin': allowed,
      'Access-Control-Allow-Credentials': null,
      Vary: /\bOrigin\b/,
    }
    return [
      {
        title: `${what}, in an answer`,
        method: 'POST',
        headers: { Origin: from, 'Upload-Length': '3' },
        answer: { status: 201, headers },
      },
      {
        title: `${what}, in a refusal`,
        method: 'POST',
        headers: { Origin: from, 'Upload-Length': 'x' },
        answer: { status: 400, headers },
      },
      {
        title: `${what}, in a preflight`,
        method: 'OPTIONS',
        headers: { Origin: from, 'Access-Control-Request-Method': 'POST' },
        answer: { status: 204, headers },
      },
    ]
  }),
)

records(
  test,
  () => strict,
  ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'].flatMap((verb): ProtocolRecord[] =>
    [
      { from: 'https://app.example', allowed: 'https://app.example' },
      { from: 'https://evil.example', allowed: null },
    ].flatMap(({ from, allowed }) => {
      const asked = { Origin: from, 'Access-Control-Request-Method': verb }
      const answer = {
        status: 204,
        headers: {
          'Access-Control-Allow-Origin': allowed,
          'Access-Control-Allow-Credentials': null,
          ...(allowed && { 'Access-Control-Allow-Methods': new RegExp(`\\b${verb}\\b`) }),
          Vary: /\bOrigin\b/,
        },
      }
      return [
        ['/uploads/demo', 'creations'] as const,
        ['/files/AAAAAAAAAAAAAAAAAAAAAAAA', 'files'] as const,
      ].map(([path, what]) => ({
        title: `SEC-31: a preflight for ${verb} of ${what} from ${from}`,
        ...{ method: 'OPTIONS', path, headers: asked, answer },
      }))
    }),
  ),
)

records(test, () => server, [
  {
    title: 'B3: an answer that is the same for every origin does not vary',
    method: 'POST',
    headers: { ...origin, 'Upload-Length': '3', 'Content-Type': offsetStream },
    answer: { status: 201, headers: { Vary: null } },
  },
])

test.run()
