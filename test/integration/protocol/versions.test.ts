/** Which version of the protocol a request speaks, and whether an answer says so. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ErrorCode } from '../../../src/shared/errors.ts'
import { offsetStream, type ProtocolRecord, records } from '../../support/records.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const test = suite('protocol/versions')
let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after(() => server.close())

const unknown = '/uploads/demo/AAAAAAAAAAAAAAAAAAAAAAAA'
const bytes = { 'Upload-Offset': '0', 'Content-Type': offsetStream }

type Request = Pick<ProtocolRecord, 'method' | 'upload' | 'path' | 'headers' | 'body'>

const answered: [status: number, request: Request][] = [
  [201, { method: 'POST', headers: { 'Upload-Length': '10' } }],
  [200, { method: 'HEAD', upload: {} }],
  [204, { method: 'PATCH', upload: {}, headers: bytes, body: 'hello' }],
  [204, { method: 'DELETE', upload: {} }],
  [404, { method: 'HEAD', path: unknown }],
  [404, { method: 'PATCH', path: unknown, headers: bytes, body: 'hello' }],
  [404, { method: 'DELETE', path: '/uploads/demo/x' }],
  [404, { method: 'POST', path: '/uploads/nothing', headers: { 'Upload-Length': '1' } }],
  [405, { method: 'PUT', upload: {} }],
  [400, { method: 'POST', headers: { 'Upload-Length': 'x' } }],
  [409, { method: 'PATCH', upload: {}, headers: { ...bytes, 'Upload-Offset': '3' } }],
  [415, { method: 'PATCH', upload: {}, headers: { 'Upload-Offset': '0' }, body: 'x' }],
  [400, { method: 'POST', headers: { 'Upload-Concat': 'partial' } }],
]

records(
  test,
  () => server,
  answered.map(([status, request]) => ({
    title: `C1: ${request.method} answered with ${status} names the version`,
    ...request,
    answer: { status, headers: { 'Tus-Resumable': '1.0.0' } },
  })),
)

const verbs: Request[] = [
  { method: 'POST', headers: { 'Upload-Length': '10' } },
  { method: 'HEAD', upload: {} },
  { method: 'PATCH', upload: {}, headers: bytes, body: 'hello' },
  { method: 'DELETE', upload: {} },
]
const versions: [row: string, version: string | null][] = [
  ['C2: no version', null],
  ['C3: an unsupported version 0.2.2', '0.2.2'],
  ['C3: an unsupported version 2.0.0', '2.0.0'],
  ['C3: two versions', '1.0.0, 2.0.0'],
]

records(
  test,
  () => server,
  versions.flatMap(([what, version]) =>
    verbs.map(({ headers, ...request }): ProtocolRecord => {
      const code: ErrorCode = 'TUS_VERSION_UNSUPPORTED'
      return {
        title: `${what} in ${request.method} is refused with the one we speak`,
        ...request,
        headers: { ...headers, 'Tus-Resumable': version },
        answer: {
          status: 412,
          headers: { 'Tus-Version': '1.0.0', 'Tus-Resumable': '1.0.0', Location: null },
          ...(request.method !== 'HEAD' && { code }),
        },
        ...(request.upload && { after: { 'Upload-Offset': '0' } }),
      }
    }),
  ),
)

for (const door of ['http', 'fetch'] as const) {
  test(`C2: a missing version is explained for who has a proxy in between (${door})`, async () => {
    const { text } = await server.doors[door]({
      method: 'POST',
      path: '/uploads/demo',
      headers: { 'Tus-Resumable': null, 'Upload-Length': '1' },
    })
    assert.match(JSON.parse(text).detail, /Tus-Resumable: 1\.0\.0.* is missing.*proxy/)
  })
}

test.run()
