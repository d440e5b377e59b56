/** Clients that can only send GET and POST: rows C10 and C11. */
import { suite } from 'uvu'
import { offsetStream, type ProtocolRecord, records } from '../../support/records.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const test = suite('protocol/method-override')
let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after(() => server.close())

const override = (method: string) => ({ 'X-HTTP-Method-Override': method })
const half = { upload: { bytes: 'hello' }, method: 'POST' } as const
const bytes = { 'Upload-Offset': '5', 'Content-Type': offsetStream }

records(test, () => server, [
  ...['PATCH', 'patch', ' PATCH '].map(
    (method): ProtocolRecord => ({
      title: `C10: POST that means ${JSON.stringify(method)} is PATCH`,
      ...half,
      headers: { ...override(method), ...bytes },
      body: 'world',
      answer: { status: 204, headers: { 'Upload-Offset': '10' } },
      after: { 'Upload-Offset': '10' },
    }),
  ),
  {
    title: 'C10: PATCH by override is judged like PATCH',
    ...half,
    headers: { ...override('PATCH'), ...bytes, 'Upload-Offset': '3' },
    body: 'world',
    answer: { status: 409, code: 'OFFSET_MISMATCH', headers: { 'Upload-Offset': '5' } },
    after: { 'Upload-Offset': '5' },
  },
  {
    title: 'C10: PATCH by override with an empty body is PATCH',
    ...half,
    headers: { ...override('PATCH'), ...bytes },
    body: '',
    answer: { status: 204, headers: { 'Upload-Offset': '5' } },
  },
  {
    title: 'C11: POST that means HEAD tells the offset without a body',
    ...half,
    headers: override('HEAD'),
    answer: {
      status: 200,
      headers: {
        'Upload-Offset': '5',
        'Upload-Length': '10',
        'Cache-Control': 'no-store',
      },
    },
  },
  {
    title: 'C11: POST that means HEAD of what is not there is 404',
    method: 'POST',
    path: '/uploads/demo/AAAAAAAAAAAAAAAAAAAAAAAA',
    headers: override('HEAD'),
    answer: { status: 404, headers: { 'Upload-Offset': null } },
  },
  {
    title: 'C11: POST that means DELETE deletes',
    ...half,
    headers: override('DELETE'),
    answer: { status: 204, headers: { 'Upload-Offset': null } },
  },
  {
    title: 'C11: POST to an upload that means nothing else is not allowed',
    ...half,
    answer: { status: 405, code: 'METHOD_NOT_ALLOWED', headers: { Allow: /PATCH/ } },
    after: { 'Upload-Offset': '5' },
  },
  ...['PUT', 'POST', 'GET', 'TRACE', 'x'].map(
    (method): ProtocolRecord => ({
      title: `C11: POST to an upload that means ${method} is not allowed`,
      ...half,
      headers: override(method),
      answer: { status: 405, code: 'METHOD_NOT_ALLOWED' },
      after: { 'Upload-Offset': '5' },
    }),
  ),
  ...['HEAD', 'DELETE'].map(
    (method): ProtocolRecord => ({
      title: `C11: only POST is overridden: ${method} that means PATCH is ${method}`,
      ...half,
      method,
      headers: { ...override('PATCH'), ...bytes },
      answer: { status: method === 'HEAD' ? 200 : 204 },
    }),
  ),
  {
    title: 'C11: creating by POST that means POST creates',
    method: 'POST',
    headers: { ...override('POST'), 'Upload-Length': '5' },
    answer: { status: 201, headers: { Location: /^\/uploads\/demo\// } },
  },
  {
    title: 'C11: POST that means DELETE on the creation URL is not allowed',
    method: 'POST',
    headers: override('DELETE'),
    answer: { status: 405, code: 'METHOD_NOT_ALLOWED' },
  },
])

test.run()
