/** Termination: rows X1–X4 and X6 (X5: options.test.ts). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { created, expectAnswer, patch, records } from '../../support/records.ts'
import { doors, startServer, type TestServer } from '../../support/server.ts'

const test = suite('protocol/delete')
let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after(() => server.close())

const ann = { Authorization: 'Bearer ann' }

records(test, () => server, [
  {
    title: 'X1: an unfinished upload is deleted',
    method: 'DELETE',
    upload: { bytes: 'hello' },
    answer: { status: 204, headers: { 'Tus-Resumable': '1.0.0', 'Upload-Offset': null } },
  },
  {
    title: 'X4: an unknown id is 404',
    method: 'DELETE',
    path: '/uploads/demo/AAAAAAAAAAAAAAAAAAAAAAAA',
    answer: { status: 404, code: 'UPLOAD_NOT_FOUND' },
  },
  {
    title: 'X4: an upload of another route is 404',
    method: 'DELETE',
    upload: {},
    path: (upload) => upload.replace('demo', 'private'),
    answer: { status: 404, code: 'UPLOAD_NOT_FOUND' },
    after: { 'Upload-Offset': '0' },
  },
  {
    title: 'X4: DELETE of the creation URL is not allowed',
    method: 'DELETE',
    answer: { status: 405, code: 'METHOD_NOT_ALLOWED' },
  },
  {
    title: 'X2: a finished upload of nobody is in links and cannot be deleted by its URL',
    method: 'DELETE',
    upload: { bytes: 'hellohello' },
    answer: { status: 403, code: 'FORBIDDEN' },
    after: { 'Upload-Offset': '10' },
  },
])

for (const door of doors) {
  test(`X1: the bytes of a deleted upload are freed (${door})`, async () => {
    const exchange = server.doors[door]
    const path = await created(exchange, { bytes: 'hello' })
    assert.is(await heldOf(path), 5)
    expectAnswer(await exchange({ method: 'DELETE', path }), { status: 204 })
    assert.is(await heldOf(path), null)
    const row = await server.row(path)
    assert.is(row.state, 'removed')
    assert.ok(row.purgedAt)
  })

  test(`X2: its owner deletes a finished upload, and it is gone everywhere (${door})`, async () => {
    const exchange = server.doors[door]
    const path = await created(exchange, {
      route: 'mine',
      bytes: 'hellohello',
      headers: ann,
    })
    const file = path.replace('/uploads/mine/', '/files/')
    const before = await exchange({ method: 'GET', path: file, headers: ann })
    assert.is(before.text, 'hellohello')
    const answer = await exchange({ method: 'DELETE', path, headers: ann })
    expectAnswer(answer, { status: 204, headers: { 'Tus-Resumable': '1.0.0' } })
    assert.is(await heldOf(path), null)
    const after = await exchange({ method: 'GET', path: file, headers: ann })
    assert.is(after.status, 404)
  })

  test(`X2: the ticket of an anonymous upload deletes it when it is finished (${door})`, async () => {
    const exchange = server.doors[door]
    const prepared = await exchange({
      method: 'POST',
      path: '/uploads/demo/prepare',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ files: [{ name: 'a.bin', size: 10, type: '' }] }),
    })
    const [{ ticket }] = prepared.json().files as [{ ticket: string }]
    const headers = { 'Upload-Ticket': ticket }
    const path = await created(exchange, { bytes: 'hellohello', headers })
    expectAnswer(await exchange({ method: 'DELETE', path, headers }), { status: 204 })
    assert.is(await heldOf(path), null)
  })

  test(`X2: nobody but the owner deletes an upload (${door})`, async () => {
    const exchange = server.doors[door]
    const path = await created(exchange, { route: 'mine', headers: ann })
    const strangers: Record<string, string>[] = [{}, { Authorization: 'Bearer bob' }]
    for (const headers of strangers) {
      const answer = await exchange({ method: 'DELETE', path, headers })
      expectAnswer(answer, { status: 404, code: 'UPLOAD_NOT_FOUND' })
    }
    assert.is((await server.row(path)).state, 'created')
  })

  for (const bytes of ['hello', undefined]) {
    test(`X3: a deleted upload with ${bytes?.length ?? 0} bytes is gone for every verb (${door})`, async () => {
      const exchange = server.doors[door]
      const path = await created(exchange, { ...(bytes && { bytes }) })
      await exchange({ method: 'DELETE', path })
      const gone = { status: 410, headers: { 'Upload-Offset': null } }
      expectAnswer(await exchange({ method: 'HEAD', path }), gone)
      expectAnswer(await exchange({ method: 'DELETE', path }), gone)
      const more = await patch(exchange, path, {
        offset: bytes?.length ?? 0,
        body: 'world',
      })
      expectAnswer(more, gone)
      assert.is(await heldOf(path), null)
    })
  }
}

test('X6: an upload that is being written to is deleted at once and does not come back', async () => {
  const path = await created(server.doors.http, { bytes: 'hello' })
  let feed: ReadableStreamDefaultController<Uint8Array> | undefined
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      feed = controller
      controller.enqueue(Buffer.from('wo'))
    },
  })
  const writing = server.carcosa.fetch(
    new Request(`http://localhost${path}`, {
      method: 'PATCH',
      headers: {
        'Tus-Resumable': '1.0.0',
        'Upload-Offset': '5',
        'Content-Type': 'application/offset+octet-stream',
      },
      body,
      duplex: 'half',
    } as RequestInit),
  )
  const started = Date.now()
  expectAnswer(await server.doors.http({ method: 'DELETE', path }), { status: 204 })
  assert.ok(Date.now() - started < 2_000, `it took ${Date.now() - started} ms`)
  await writing
  feed?.close()
  assert.is(await heldOf(path), null)
  assert.is((await server.row(path)).state, 'removed')
})

async function heldOf(upload: string): Promise<number | null> {
  const { storeName, key } = await server.row(upload)
  const held = await server.uploads.stores.get(storeName)?.stat(key)
  return held?.size ?? null
}

test.run()
