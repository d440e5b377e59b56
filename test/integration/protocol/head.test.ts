/** Rows C12–C16, D2, E4 and E7. */
import { setTimeout as wait } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { created, expectAnswer, patch, records } from '../../support/records.ts'
import { doors, startServer, type TestServer } from '../../support/server.ts'

const test = suite('protocol/head')
let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after(() => server.close())

const unknown = '/uploads/demo/AAAAAAAAAAAAAAAAAAAAAAAA'
const missing = {
  status: 404,
  headers: {
    'Upload-Offset': null,
    'Upload-Length': null,
    'Cache-Control': 'no-store',
    'Tus-Resumable': '1.0.0',
  },
}

records(test, () => server, [
  {
    title: 'C12: a new upload is at 0',
    method: 'HEAD',
    upload: {},
    answer: { status: 200, headers: { 'Upload-Offset': '0' } },
  },
  {
    title: 'C12: half an upload is at its half',
    method: 'HEAD',
    upload: { bytes: 'hello' },
    answer: { status: 200, headers: { 'Upload-Offset': '5' } },
  },
  {
    title: 'C12: a complete upload is at its end',
    method: 'HEAD',
    upload: { bytes: 'hellohello' },
    answer: { status: 200, headers: { 'Upload-Offset': '10' } },
  },
  {
    title: 'C13: a known length is told',
    method: 'HEAD',
    upload: { length: 10 },
    answer: {
      status: 200,
      headers: { 'Upload-Length': '10', 'Upload-Defer-Length': null },
    },
  },
  {
    title: 'C13: the length of a complete upload is told',
    method: 'HEAD',
    upload: { bytes: 'hellohello' },
    answer: { status: 200, headers: { 'Upload-Length': '10' } },
  },
  {
    title: 'C14: HEAD of an upload that is there is 200',
    method: 'HEAD',
    upload: {},
    answer: { status: 200 },
  },
  {
    title: 'C15: HEAD is never cached',
    method: 'HEAD',
    upload: {},
    answer: { status: 200, headers: { 'Cache-Control': 'no-store' } },
  },
  {
    title: 'C16: an unknown id is 404 without an offset',
    method: 'HEAD',
    path: unknown,
    answer: missing,
  },
  {
    title: 'C16: what cannot be an id is 404 without an offset',
    method: 'HEAD',
    path: '/uploads/demo/x',
    answer: missing,
  },
  {
    title: 'C16: a path below an upload is 404',
    method: 'HEAD',
    upload: {},
    path: (upload) => `${upload}/more`,
    answer: missing,
  },
  {
    title: 'C16: an upload of another route is 404',
    method: 'HEAD',
    upload: {},
    path: (upload) => upload.replace('demo', 'private'),
    answer: missing,
  },
  {
    title: 'C16: HEAD of the creation URL is not allowed, and not cached',
    method: 'HEAD',
    answer: { status: 405, headers: { Allow: /POST/, 'Cache-Control': 'no-store' } },
  },
  {
    title: 'D2: as long as the length is deferred HEAD says so',
    method: 'HEAD',
    upload: { length: null, bytes: 'hello' },
    answer: {
      status: 200,
      headers: {
        'Upload-Offset': '5',
        'Upload-Defer-Length': '1',
        'Upload-Length': null,
      },
    },
  },
  {
    title: 'E7: HEAD of an unfinished upload says when it expires',
    method: 'HEAD',
    upload: { bytes: 'hello' },
    answer: { status: 200, headers: { 'Upload-Expires': / GMT$/ } },
  },
  {
    title: 'E7: a complete upload does not expire',
    method: 'HEAD',
    upload: { bytes: 'hellohello' },
    answer: { status: 200, headers: { 'Upload-Expires': null } },
  },
  {
    title: 'C31: a query behind the URL changes nothing',
    method: 'HEAD',
    upload: { bytes: 'hello' },
    path: (upload) => `${upload}?x=1&y=/uploads/demo/z`,
    answer: { status: 200, headers: { 'Upload-Offset': '5' } },
  },
  {
    title: 'C31: a slash behind the URL changes nothing',
    method: 'HEAD',
    upload: { bytes: 'hello' },
    path: (upload) => `${upload}/`,
    answer: { status: 200, headers: { 'Upload-Offset': '5' } },
  },
  {
    title: 'C31: the same id under another base path is not found',
    method: 'HEAD',
    upload: { bytes: 'hello' },
    path: (upload) => `/elsewhere${upload}`,
    answer: { status: 404, headers: { 'Upload-Offset': null } },
  },
])

for (const door of doors) {
  test(`E4: an expired upload is 410 to HEAD, PATCH and DELETE (${door})`, async () => {
    const exchange = server.doors[door]
    const path = await created(exchange, { route: 'brief', bytes: 'hello' })
    await wait(750)
    const gone = { status: 410, headers: { 'Upload-Offset': null } }
    expectAnswer(await exchange({ method: 'HEAD', path }), {
      ...gone,
      headers: { ...gone.headers, 'Cache-Control': 'no-store' },
    })
    expectAnswer(await patch(exchange, path, { offset: 5, body: 'hello' }), gone)
    expectAnswer(await exchange({ method: 'DELETE', path }), gone)
    assert.is((await server.row(path)).offset, 5)
  })

  test(`E4: a finished upload does not expire (${door})`, async () => {
    const exchange = server.doors[door]
    const path = await created(exchange, { route: 'brief', bytes: 'hellohello' })
    await wait(750)
    expectAnswer(await exchange({ method: 'HEAD', path }), {
      status: 200,
      headers: { 'Upload-Offset': '10' },
    })
  })

  test(`E4: whoever goes on sending does not expire (${door})`, async () => {
    const exchange = server.doors[door]
    const path = await created(exchange, { route: 'brief' })
    for (let offset = 0; offset < 4; offset++) {
      await wait(300)
      const answer = await patch(exchange, path, { offset, body: 'x' })
      assert.is(answer.status, 204, `at ${offset}: ${answer.text}`)
    }
  })
}

test.run()
