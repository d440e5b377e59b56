/** Creation, creation-with-upload and creation-defer-length: rows C9, CR, W, D and E of POST. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  created,
  expectAnswer,
  metadataHeader,
  offsetOf,
  offsetStream,
  type ProtocolRecord,
  records,
} from '../../support/records.ts'
import { doors, maxSize, startServer, type TestServer } from '../../support/server.ts'

const test = suite('protocol/post')
let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after(() => server.close())

const location = /^\/uploads\/demo\/[A-Za-z0-9_-]{22,}$/
const httpDate =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/
const badNumbers = [
  '-1',
  '1.5',
  'abc',
  '0x10',
  '1e+21',
  '',
  '+5',
  ' ',
  '01',
  '1_0',
  '1,1',
]
const beyondIntegers = ['9007199254740992', '9007199254740993', '99999999999999999999']

const refused = (title: string, headers: Record<string, string>): ProtocolRecord => ({
  title,
  method: 'POST',
  headers,
  answer: { status: 400, code: 'LENGTH_INVALID', headers: { Location: null } },
})

records(test, () => server, [
  ...[...badNumbers, ...beyondIntegers].map((length) =>
    refused(`C9: Upload-Length: ${JSON.stringify(length)} is refused`, {
      'Upload-Length': length,
    }),
  ),
  {
    title: 'CR1: an upload is created at a path of its own',
    method: 'POST',
    headers: { 'Upload-Length': '100' },
    answer: { status: 201, headers: { Location: location, 'Upload-Offset': '0' } },
  },
  {
    title: 'CR1: a trailing slash on the creation URL is the same place',
    method: 'POST',
    path: '/uploads/demo/',
    headers: { 'Upload-Length': '100' },
    answer: { status: 201, headers: { Location: location } },
  },
  refused('CR3: no length at all is refused', {}),
  refused('CR4: a length that is known and deferred is refused', {
    'Upload-Length': '100',
    'Upload-Defer-Length': '1',
  }),
  ...['2', '0', '-1', 'true', '', '1, 1'].map((value) =>
    refused(`CR5: Upload-Defer-Length: ${JSON.stringify(value)} is refused`, {
      'Upload-Defer-Length': value,
    }),
  ),
  ...[maxSize + 1, 5 * 2 ** 40, Number.MAX_SAFE_INTEGER].map(
    (length): ProtocolRecord => ({
      title: `CR6: ${length} bytes are more than the route takes`,
      method: 'POST',
      headers: { 'Upload-Length': String(length) },
      answer: { status: 413, code: 'FILE_TOO_LARGE', headers: { Location: null } },
    }),
  ),
  {
    title: 'CR6: exactly as many bytes as the route takes are welcome',
    method: 'POST',
    headers: { 'Upload-Length': String(maxSize) },
    answer: { status: 201 },
  },
  {
    title: 'D1: the length may be told later',
    method: 'POST',
    headers: { 'Upload-Defer-Length': '1' },
    answer: { status: 201, headers: { Location: location } },
  },
  {
    title: 'E2: the answer to POST says when the upload expires',
    method: 'POST',
    headers: { 'Upload-Length': '100' },
    answer: { status: 201, headers: { 'Upload-Expires': httpDate } },
  },
  {
    title: 'E3: the date of POST is an IMF-fixdate',
    method: 'POST',
    headers: { 'Upload-Defer-Length': '1' },
    answer: { status: 201, headers: { 'Upload-Expires': httpDate } },
  },
])

const badMetadata: [what: string, header: string][] = [
  ['a key twice', 'k aGk=,k aGk='],
  ['an empty key', 'k aGk=, bGk='],
  ['nothing between commas', 'k aGk=,,l aGk='],
  ['a comma at the end', 'k aGk=,'],
  ['a space after a comma', 'a aGk=, b aGk='],
  ['a space in a key', 'a b aGk='],
  ['two spaces', 'k  aGk='],
  ['a value that is not base64', 'k !!!!'],
  ['base64 without padding', 'k aGk'],
  ['base64 of the URL alphabet', 'k __-_'],
  ['padding in the middle', 'k aG==aGk='],
  ['a key outside of ASCII', 'sch\u00f6n aGk='],
]

records(
  test,
  () => server,
  badMetadata.map(([what, header]) => ({
    title: `CR8: metadata with ${what} is refused`,
    method: 'POST',
    headers: { 'Upload-Length': '1', 'Upload-Metadata': header },
    answer: { status: 400, code: 'METADATA_INVALID', headers: { Location: null } },
  })),
)

const echoed: [what: string, header: string][] = [
  ['a value and a flag', 'k aGk=,flag'],
  ['an empty value', 'k ,flag'],
  ['bytes that are not UTF-8', 'k //6A'],
  ['keys like numbers, in their order', 'b aGk=,2 aGk=,1 aGk='],
  ['names of Object.prototype', 'constructor aGk=,toString aGk=,__proto__ aGk='],
  ['every printable character in a key', '!"#$%&\'()*+-./:;<=>?@[\\]^_`{|}~ aGk='],
]

for (const door of doors) {
  for (const [what, header] of echoed) {
    test(`CR7: HEAD tells metadata as it came: ${what} (${door})`, async () => {
      const url = await created(server.doors[door], {
        headers: { 'Upload-Metadata': header },
      })
      const head = await server.doors[door]({ method: 'HEAD', path: url })
      assert.is(head.headers['upload-metadata'], header)
    })
  }

  test(`CR10: control characters in metadata are kept and reach no other header (${door})`, async () => {
    const name = 'a\r\nSet-Cookie: x=1\0\x7f.txt'
    const header = metadataHeader({ filename: name, filetype: 'text/plain\r\nX-Evil: 1' })
    const exchange = server.doors[door]
    const url = await created(exchange, {
      length: 5,
      bytes: 'hello',
      headers: { 'Upload-Metadata': header },
    })
    const head = await exchange({ method: 'HEAD', path: url })
    assert.is(head.headers['upload-metadata'], header)
    const file = url.replace('/uploads/demo/', '/files/')
    const download = await exchange({ method: 'GET', path: file })
    assert.is(download.status, 200)
    assert.is(download.text, 'hello')
    assert.is(download.headers['set-cookie'], undefined)
    assert.is(download.headers['x-evil'], undefined)
    for (const value of Object.values(download.headers)) {
      assert.match(value, /^[\x20-\x7e]*$/)
    }
  })

  test(`CR2: an empty upload is complete at once and readable (${door})`, async () => {
    const exchange = server.doors[door]
    const url = await created(exchange, { length: 0 })
    const head = await exchange({ method: 'HEAD', path: url })
    expectAnswer(head, {
      status: 200,
      headers: { 'Upload-Offset': '0', 'Upload-Length': '0' },
    })
    assert.is((await server.row(url)).state, 'ready')
    const file = await exchange({
      method: 'GET',
      path: url.replace('/uploads/demo/', '/files/'),
    })
    expectAnswer(file, { status: 200, headers: { 'Content-Length': '0' } })
    assert.is(file.bytes.length, 0)
  })

  test(`CR2: an empty upload sent with an empty body is complete too (${door})`, async () => {
    const answer = await server.doors[door]({
      method: 'POST',
      path: '/uploads/demo',
      headers: { 'Upload-Length': '0', 'Content-Type': offsetStream },
      body: '',
    })
    expectAnswer(answer, { status: 201, headers: { 'Upload-Offset': '0' } })
    assert.is((await server.row(answer.headers.location ?? '')).state, 'ready')
  })

  test(`CR11: every upload has a URL of its own (${door})`, async () => {
    const urls = await Promise.all(
      Array.from({ length: 20 }, () => created(server.doors[door])),
    )
    assert.is(new Set(urls).size, 20)
  })

  test(`C9: a refused length leaves nothing behind (${door})`, async () => {
    const before = await rows()
    await server.doors[door]({
      method: 'POST',
      path: '/uploads/demo',
      headers: { 'Upload-Length': '1e+21', 'Content-Type': offsetStream },
      body: 'hello',
    })
    assert.is(await rows(), before)
  })

  test(`CR6: an upload that is too large leaves nothing behind (${door})`, async () => {
    const before = await rows()
    await server.doors[door]({
      method: 'POST',
      path: '/uploads/demo',
      headers: { 'Upload-Length': String(maxSize + 1) },
    })
    assert.is(await rows(), before)
  })

  test(`W1: a body may come with the creation (${door})`, async () => {
    const answer = await server.doors[door]({
      method: 'POST',
      path: '/uploads/demo',
      headers: { 'Upload-Length': '30', 'Content-Type': offsetStream },
      body: 'abc',
    })
    expectAnswer(answer, {
      status: 201,
      headers: { Location: location, 'Upload-Offset': '3', 'Upload-Expires': httpDate },
    })
    assert.is(await offsetOf(server.doors[door], answer.headers.location ?? ''), 3)
  })

  test(`W1: a body without a length may come with the creation (${door})`, async () => {
    const answer = await server.doors[door]({
      method: 'POST',
      path: '/uploads/demo',
      headers: { 'Upload-Length': '30', 'Content-Type': offsetStream },
      body: ['ab', 'c'],
    })
    expectAnswer(answer, { status: 201, headers: { 'Upload-Offset': '3' } })
  })

  test(`W1: an empty body with the creation is at offset 0 (${door})`, async () => {
    const answer = await server.doors[door]({
      method: 'POST',
      path: '/uploads/demo',
      headers: { 'Upload-Length': '30', 'Content-Type': offsetStream },
      body: '',
    })
    expectAnswer(answer, { status: 201, headers: { 'Upload-Offset': '0' } })
  })

  test(`W1: a deferred length may come with a body (${door})`, async () => {
    const answer = await server.doors[door]({
      method: 'POST',
      path: '/uploads/demo',
      headers: { 'Upload-Defer-Length': '1', 'Content-Type': offsetStream },
      body: 'abc',
    })
    expectAnswer(answer, { status: 201, headers: { 'Upload-Offset': '3' } })
    const head = await server.doors[door]({
      method: 'HEAD',
      path: answer.headers.location ?? '',
    })
    expectAnswer(head, {
      status: 200,
      headers: { 'Upload-Offset': '3', 'Upload-Defer-Length': '1' },
    })
  })

  test(`W2: the whole body with the creation completes it (${door})`, async () => {
    const answer = await server.doors[door]({
      method: 'POST',
      path: '/uploads/demo',
      headers: { 'Upload-Length': '5', 'Content-Type': offsetStream },
      body: 'hello',
    })
    expectAnswer(answer, {
      status: 201,
      headers: { 'Upload-Offset': '5', 'Upload-Expires': null },
    })
    const row = await server.row(answer.headers.location ?? '')
    assert.is(row.state, 'ready')
    const file = await server.doors[door]({ method: 'GET', path: `/files/${row.id}` })
    assert.is(file.text, 'hello')
  })

  for (const [how, body] of [
    ['with its length', 'hello world'],
    ['in chunks', ['hello', ' world']],
  ] as const) {
    test(`W4: a body ${how} larger than the upload is refused and leaves nothing (${door})`, async () => {
      const before = await server.newest()
      const answer = await server.doors[door]({
        method: 'POST',
        path: '/uploads/demo',
        headers: { 'Upload-Length': '5', 'Content-Type': offsetStream },
        body,
      })
      expectAnswer(answer, {
        status: 413,
        code: 'LENGTH_EXCEEDED',
        headers: { Location: null },
      })
      const after = await server.newest()
      if (after?.id === before?.id) return
      assert.is(after?.state, 'removed')
      const store = server.uploads.stores.get(after?.storeName ?? '')
      assert.is(await store?.stat(after?.key ?? ''), null)
    })
  }

  for (const type of ['text/plain', 'application/json', null]) {
    test(`W5: a body of type ${type} with the creation is refused (${door})`, async () => {
      const answer = await server.doors[door]({
        method: 'POST',
        path: '/uploads/demo',
        headers: { 'Upload-Length': '5', 'Content-Type': type },
        body: 'hello',
      })
      expectAnswer(answer, { status: 415, code: 'CONTENT_TYPE_UNSUPPORTED' })
    })
  }

  test(`W5: a type without a body says nothing (${door})`, async () => {
    const answer = await server.doors[door]({
      method: 'POST',
      path: '/uploads/demo',
      headers: { 'Upload-Length': '5', 'Content-Type': 'text/plain' },
    })
    expectAnswer(answer, { status: 201, headers: { 'Upload-Offset': '0' } })
  })
}

test('W1: a web Request without framing headers is read all the same', async () => {
  const response = await server.carcosa.fetch(
    new Request('http://localhost/uploads/demo', {
      method: 'POST',
      headers: {
        'Tus-Resumable': '1.0.0',
        'Upload-Length': '5',
        'Content-Type': offsetStream,
      },
      body: 'hello',
    }),
  )
  assert.is(response.status, 201)
  assert.is(response.headers.get('upload-offset'), '5')
})

test('W5: a web Request without framing headers is refused for its type all the same', async () => {
  const response = await server.carcosa.fetch(
    new Request('http://localhost/uploads/demo', {
      method: 'POST',
      headers: { 'Tus-Resumable': '1.0.0', 'Upload-Length': '5' },
      body: 'hello',
    }),
  )
  assert.is(response.status, 415)
})

async function rows(): Promise<number> {
  const [row] = await server.uploads.db.query<{ n: number }>({
    name: 'count_files',
    sql: 'SELECT count(*)::int4 AS n FROM carcosa.file',
  })
  return row?.n ?? -1
}

test.run()
