import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ProtocolRecord, records } from '../../support/records.ts'
import { doors, maxSize, startServer, type TestServer } from '../../support/server.ts'

const test = suite('protocol/options')
let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after(() => server.close())

const extensions = [
  'creation',
  'creation-with-upload',
  'creation-defer-length',
  'expiration',
  'termination',
]

const advertised = { status: 204, headers: { 'Tus-Version': '1.0.0' } }

records(test, () => server, [
  {
    title: 'C4: OPTIONS needs no version and tells ours',
    method: 'OPTIONS',
    headers: { 'Tus-Resumable': null },
    answer: advertised,
  },
  {
    title: 'C4: OPTIONS of an upload tells the same',
    method: 'OPTIONS',
    upload: {},
    headers: { 'Tus-Resumable': null },
    answer: advertised,
  },
  {
    title: 'C5: OPTIONS ignores the version of the client',
    method: 'OPTIONS',
    headers: { 'Tus-Resumable': '9.9.9' },
    answer: advertised,
  },
  {
    title: 'C6: Tus-Version is a list of versions, most preferred first',
    method: 'OPTIONS',
    answer: {
      status: 204,
      headers: { 'Tus-Version': /^\d+\.\d+\.\d+(,\d+\.\d+\.\d+)*$/ },
    },
  },
  {
    title: 'C8: Tus-Max-Size is the largest file of the route',
    method: 'OPTIONS',
    answer: { status: 204, headers: { 'Tus-Max-Size': String(maxSize) } },
  },
  {
    title: 'C7: checksum and concatenation are not advertised, so a checksum is refused',
    method: 'POST',
    headers: { 'Upload-Length': '10', 'Upload-Checksum': 'sha1 AAAA' },
    answer: { status: 400, code: 'EXTENSION_UNSUPPORTED' },
  },
  {
    title: 'C7: … a checksum of bytes too, and none of them is kept',
    method: 'PATCH',
    upload: {},
    headers: {
      'Upload-Offset': '0',
      'Content-Type': 'application/offset+octet-stream',
      'Upload-Checksum': 'sha1 AAAA',
    },
    body: 'hello',
    answer: { status: 400, code: 'EXTENSION_UNSUPPORTED' },
    after: { 'Upload-Offset': '0' },
  },
  ...['partial', 'final;/uploads/demo/a /uploads/demo/b'].map(
    (concat): ProtocolRecord => ({
      title: `C7: … and so is Upload-Concat: ${concat}`,
      method: 'POST',
      headers: { 'Upload-Length': '10', 'Upload-Concat': concat },
      answer: { status: 400, code: 'EXTENSION_UNSUPPORTED', headers: { Location: null } },
    }),
  ),
])

for (const door of doors) {
  const rows: [row: string, extension: string][] = [
    ['CR9', 'creation'],
    ['W3', 'creation-with-upload'],
    ['D8', 'creation-defer-length'],
    ['E1', 'expiration'],
    ['X5', 'termination'],
  ]
  for (const [row, extension] of rows) {
    test(`${row}: ${extension} is advertised (${door})`, async () => {
      assert.ok((await advertisedBy(door)).includes(extension))
    })
  }

  test(`C7: nothing is advertised beyond what works (${door})`, async () => {
    assert.equal(await advertisedBy(door), extensions)
  })
}

async function advertisedBy(door: (typeof doors)[number]): Promise<string[]> {
  const answer = await server.doors[door]({ method: 'OPTIONS', path: '/uploads/demo' })
  return answer.headers['tus-extension']?.split(',') ?? []
}

test.run()
