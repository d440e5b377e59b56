/** Rows C9, C18–C25, C29, C31, D3–D7, E1 and E3 of PATCH. Connections that break: interrupted.test.ts. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  created,
  expectAnswer,
  offsetOf,
  offsetStream,
  type ProtocolRecord,
  patch,
  records,
} from '../../support/records.ts'
import { doors, maxSize, startServer, type TestServer } from '../../support/server.ts'

const test = suite('protocol/patch')
let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after(() => server.close())

const half = { upload: { bytes: 'hello' }, method: 'PATCH', body: 'world' } as const
const stays = { 'Upload-Offset': '5', 'Upload-Length': '10' }
const bytesAt = (offset: string) => ({
  'Upload-Offset': offset,
  'Content-Type': offsetStream,
})
const httpDate =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/

records(test, () => server, [
  ...[
    '-1',
    '1.5',
    'abc',
    '0x10',
    '1e+21',
    '',
    '+5',
    '05',
    '5, 5',
    '9007199254740993',
  ].map(
    (offset): ProtocolRecord => ({
      title: `C9: Upload-Offset: ${JSON.stringify(offset)} is refused`,
      ...half,
      headers: bytesAt(offset),
      answer: { status: 400, code: 'HEADER_INVALID' },
      after: stays,
    }),
  ),
  {
    title: 'C18: bytes at the current offset are taken',
    ...half,
    headers: bytesAt('5'),
    answer: { status: 204, headers: { 'Upload-Offset': '10' } },
    after: { 'Upload-Offset': '10' },
  },
  {
    title: 'C18: bytes in chunks are taken',
    ...half,
    headers: bytesAt('5'),
    body: ['wo', 'r'],
    answer: { status: 204, headers: { 'Upload-Offset': '8' } },
    after: { 'Upload-Offset': '8' },
  },
  ...['text/plain', 'application/json', 'application/offset+octet-streams', 'x'].map(
    (type): ProtocolRecord => ({
      title: `C19: Content-Type: ${type} is refused`,
      ...half,
      headers: { 'Upload-Offset': '5', 'Content-Type': type },
      answer: { status: 415, code: 'CONTENT_TYPE_UNSUPPORTED' },
      after: stays,
    }),
  ),
  {
    title: 'C20: no Content-Type is refused',
    ...half,
    headers: { 'Upload-Offset': '5' },
    answer: { status: 415, code: 'CONTENT_TYPE_UNSUPPORTED' },
    after: stays,
  },
  ...[
    'Application/Offset+Octet-Stream',
    `${offsetStream}; charset=x`,
    `${offsetStream} ;x=y`,
  ].map(
    (type): ProtocolRecord => ({
      title: `C21: Content-Type: ${type} is accepted`,
      ...half,
      headers: { 'Upload-Offset': '5', 'Content-Type': type },
      answer: { status: 204, headers: { 'Upload-Offset': '10' } },
    }),
  ),
  ...['0', '4', '6', '10', '11'].map(
    (offset): ProtocolRecord => ({
      title: `C22: offset ${offset} where the upload stands at 5 is a conflict that tells so`,
      ...half,
      headers: bytesAt(offset),
      body: 'wor',
      answer: {
        status: 409,
        code: 'OFFSET_MISMATCH',
        headers: { 'Upload-Offset': '5' },
      },
      after: stays,
    }),
  ),
  {
    title: 'C23: no Upload-Offset is refused',
    ...half,
    headers: { 'Content-Type': offsetStream },
    answer: { status: 400, code: 'HEADER_INVALID' },
    after: stays,
  },
  {
    title: 'C24: an unknown id is 404',
    method: 'PATCH',
    path: '/uploads/demo/AAAAAAAAAAAAAAAAAAAAAAAA',
    headers: bytesAt('0'),
    body: 'hello',
    answer: { status: 404, code: 'UPLOAD_NOT_FOUND' },
  },
  {
    title: 'C24: PATCH of the creation URL is not allowed',
    method: 'PATCH',
    headers: bytesAt('0'),
    body: 'hello',
    answer: { status: 405, code: 'METHOD_NOT_ALLOWED', headers: { Allow: /POST/ } },
  },
  {
    title: 'C25: more bytes than are missing are refused, none of them is kept',
    ...half,
    headers: bytesAt('5'),
    body: 'worlds',
    answer: { status: 413, code: 'LENGTH_EXCEEDED' },
    after: stays,
  },
  {
    title: 'C26: more bytes than are missing, in chunks, are refused',
    ...half,
    headers: bytesAt('5'),
    body: ['wor', 'lds'],
    answer: { status: 413, code: 'LENGTH_EXCEEDED' },
    after: { 'Upload-Offset': /^[5-9]$/ },
  },
  {
    title: 'C26: more bytes on a complete upload, in chunks, are refused',
    ...half,
    upload: { bytes: 'hellohello' },
    headers: bytesAt('10'),
    body: ['wor', 'lds'],
    answer: { status: 413, code: 'LENGTH_EXCEEDED' },
    after: { 'Upload-Offset': '10' },
  },
  {
    title: 'C29: no bytes at the current offset change nothing',
    ...half,
    headers: bytesAt('5'),
    body: '',
    answer: { status: 204, headers: { 'Upload-Offset': '5' } },
    after: stays,
  },
  {
    title: 'C29: no bytes at the end change nothing',
    ...half,
    upload: { bytes: 'hellohello' },
    headers: bytesAt('10'),
    body: '',
    answer: { status: 204, headers: { 'Upload-Offset': '10' } },
    after: { 'Upload-Offset': '10' },
  },
  {
    title: 'C31: a query behind the URL changes nothing',
    ...half,
    path: (upload) => `${upload}?x=1`,
    headers: bytesAt('5'),
    answer: { status: 204, headers: { 'Upload-Offset': '10' } },
  },
  {
    title: 'D3: a deferred length is told with the next bytes',
    ...half,
    upload: { length: null, bytes: 'hello' },
    headers: { ...bytesAt('5'), 'Upload-Length': '20' },
    answer: { status: 204, headers: { 'Upload-Offset': '10' } },
    after: {
      'Upload-Offset': '10',
      'Upload-Length': '20',
      'Upload-Defer-Length': null,
    },
  },
  {
    title: 'D3: a deferred length told with the last bytes completes the upload',
    ...half,
    upload: { length: null, bytes: 'hello' },
    headers: { ...bytesAt('5'), 'Upload-Length': '10' },
    answer: { status: 204, headers: { 'Upload-Offset': '10', 'Upload-Expires': null } },
    after: { 'Upload-Offset': '10', 'Upload-Length': '10' },
  },
  {
    title: 'D4: another length is refused',
    ...half,
    headers: { ...bytesAt('5'), 'Upload-Length': '11' },
    answer: { status: 400, code: 'LENGTH_INVALID' },
    after: stays,
  },
  {
    title: 'D4: the same length again is accepted',
    ...half,
    headers: { ...bytesAt('5'), 'Upload-Length': '10' },
    answer: { status: 204, headers: { 'Upload-Offset': '10' } },
  },
  {
    title: 'D5: a length below the offset is refused',
    ...half,
    upload: { length: null, bytes: 'hello' },
    headers: { ...bytesAt('5'), 'Upload-Length': '4' },
    body: '',
    answer: { status: 400, code: 'LENGTH_INVALID' },
    after: { 'Upload-Offset': '5', 'Upload-Defer-Length': '1' },
  },
  {
    title: 'D6: a length above the largest is refused',
    ...half,
    upload: { length: null, bytes: 'hello' },
    headers: { ...bytesAt('5'), 'Upload-Length': String(maxSize + 1) },
    answer: { status: 413, code: 'FILE_TOO_LARGE' },
    after: { 'Upload-Offset': '5', 'Upload-Defer-Length': '1' },
  },
  {
    title: 'D7: a last PATCH without bytes that tells the length completes the upload',
    ...half,
    upload: { length: null, bytes: 'hello' },
    headers: { ...bytesAt('5'), 'Upload-Length': '5' },
    body: '',
    answer: { status: 204, headers: { 'Upload-Offset': '5' } },
    after: { 'Upload-Offset': '5', 'Upload-Length': '5', 'Upload-Defer-Length': null },
  },
  {
    title: 'E1: PATCH says when the upload expires',
    ...half,
    headers: bytesAt('5'),
    body: 'wor',
    answer: { status: 204, headers: { 'Upload-Expires': httpDate } },
  },
  {
    title:
      'E3: the date of PATCH is an IMF-fixdate, and there is none once it is complete',
    ...half,
    headers: bytesAt('5'),
    answer: { status: 204, headers: { 'Upload-Expires': null } },
  },
])

for (const door of doors) {
  test(`C18: the file is what was sent (${door})`, async () => {
    const exchange = server.doors[door]
    const url = await created(exchange, { bytes: 'hello' })
    await patch(exchange, url, { offset: 5, body: ['wo', 'rld'] })
    const { id, state, sha256 } = await server.row(url)
    assert.is(state, 'ready')
    assert.is(sha256, '936a185caaa266bb9cbe981e9e05cb78cd732b0b3280eb944412bb6f8f8f07af')
    const file = await exchange({ method: 'GET', path: `/files/${id}` })
    assert.is(file.text, 'helloworld')
  })

  test(`C26: after too many bytes the upload goes on (${door})`, async () => {
    const exchange = server.doors[door]
    const url = await created(exchange, { bytes: 'hello' })
    await patch(exchange, url, { offset: 5, body: ['w', 'orldly'] })
    const offset = await offsetOf(exchange, url)
    const rest = 'helloworld'.slice(offset)
    const answer = await patch(exchange, url, { offset, body: rest })
    expectAnswer(answer, { status: 204, headers: { 'Upload-Offset': '10' } })
    const { id } = await server.row(url)
    const file = await exchange({ method: 'GET', path: `/files/${id}` })
    assert.is(file.text, 'helloworld')
  })

  test(`C29: a complete upload is completed once (${door})`, async () => {
    const exchange = server.doors[door]
    const url = await created(exchange, { bytes: 'hellohello' })
    for (let i = 0; i < 3; i++) {
      const answer = await patch(exchange, url, { offset: 10, body: '' })
      assert.is(answer.status, 204)
    }
    assert.equal(await eventsOf(url), ['file.created', 'file.stored', 'file.ready'])
  })

  test(`D4: the length of a complete upload may be repeated too (${door})`, async () => {
    const exchange = server.doors[door]
    const url = await created(exchange, { bytes: 'hellohello' })
    const answer = await patch(exchange, url, {
      offset: 10,
      body: '',
      headers: { 'Upload-Length': '10' },
    })
    expectAnswer(answer, { status: 204, headers: { 'Upload-Offset': '10' } })
  })

  for (const [how, split] of [
    ['with its length', false],
    ['in chunks', true],
  ] as const) {
    test(`D6: a body ${how} beyond the largest file is refused (${door})`, async () => {
      const exchange = server.doors[door]
      const url = await created(exchange, { length: null })
      const large = Buffer.alloc(maxSize + 1)
      const body = split ? [large] : large
      const answer = await patch(exchange, url, { offset: 0, body })
      expectAnswer(answer, { status: 413 })
      assert.ok((await server.row(url)).offset <= maxSize)
      const head = await exchange({ method: 'HEAD', path: url })
      assert.is(head.status, 200)
      assert.ok(Number(head.headers['upload-offset']) <= maxSize)
    })
  }

  test(`D7: an upload whose length was told but not finished is finished by HEAD (${door})`, async () => {
    const exchange = server.doors[door]
    const url = await created(exchange, { length: null, bytes: 'hello' })
    const refused = await patch(exchange, url, {
      offset: 5,
      body: 'too much',
      headers: { 'Upload-Length': '5' },
    })
    expectAnswer(refused, { status: 413 })
    // A client that is told "5 of 5" believes that it is done, and never comes back.
    const head = await exchange({ method: 'HEAD', path: url })
    const { state } = await server.row(url)
    const isDone = head.headers['upload-length'] === head.headers['upload-offset']
    assert.is(state === 'ready', isDone, `HEAD says done: ${isDone}, but it is ${state}`)
  })
}

test('C18: a web Request without framing headers is read all the same', async () => {
  const url = await created(server.doors.fetch)
  const response = await server.carcosa.fetch(
    new Request(`http://localhost${url}`, {
      method: 'PATCH',
      headers: { 'Tus-Resumable': '1.0.0', ...bytesAt('0') },
      body: 'hello',
    }),
  )
  assert.is(response.status, 204)
  assert.is(response.headers.get('upload-offset'), '5')
})

async function eventsOf(url: string): Promise<string[]> {
  const events = await server.uploads.db.query<{ type: string }>(
    {
      name: 'events_of_file',
      sql: 'SELECT type FROM carcosa.event WHERE file_id = $1 ORDER BY seq',
    },
    [url.split('/').pop()],
  )
  return events.map(({ type }) => type)
}

test.run()
