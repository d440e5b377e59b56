/** What the sweep does: rows E5 and W7 (what clients are told: post, patch and head tests). */
import { setTimeout as wait } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sweep } from '../../../src/uploads/sweep.ts'
import { eventually, openRaw } from '../../support/raw-http.ts'
import { created, expectAnswer, offsetStream, patch } from '../../support/records.ts'
import { doors, startServer, type TestServer } from '../../support/server.ts'

const test = suite('protocol/expiry')
let server: TestServer
test.before(async () => {
  server = await startServer()
})
test.after(() => server.close())

for (const door of doors) {
  test(`E5: the sweep frees expired uploads, which stay 410, and leaves finished files (${door})`, async () => {
    const exchange = server.doors[door]
    const half = await created(exchange, { route: 'brief', bytes: 'hello' })
    const whole = await created(exchange, { route: 'brief', bytes: 'helloworld' })
    const alive = await created(exchange, { bytes: 'hello' })
    await wait(750)
    await sweep(server.uploads)
    expectAnswer(await exchange({ method: 'HEAD', path: half }), { status: 410 })
    const more = await patch(exchange, half, { offset: 5, body: 'world' })
    expectAnswer(more, { status: 410, code: 'UPLOAD_GONE' })
    assert.is(await heldOf(half), null)
    expectAnswer(await exchange({ method: 'HEAD', path: whole }), {
      status: 200,
      headers: { 'Upload-Offset': '10' },
    })
    assert.is(await heldOf(whole), 10)
    assert.is(await heldOf(alive), 5)
    const status = await exchange({ method: 'GET', path: half })
    assert.is(status.json().state, 'expired')
  })
}

test('E5: a sweep twice at once expires each upload once', async () => {
  const url = await created(server.doors.http, { route: 'brief', bytes: 'hello' })
  await wait(750)
  await Promise.all([sweep(server.uploads), sweep(server.uploads)])
  const events = await server.uploads.db.query<{ type: string }>(
    {
      name: 'events_of_file',
      sql: 'SELECT type FROM carcosa.event WHERE file_id = $1 ORDER BY seq',
    },
    [url.split('/').pop()],
  )
  assert.equal(
    events.map(({ type }) => type),
    ['file.created', 'file.expired'],
  )
})

test('E5: an upload that is being sent slowly is not swept away', async () => {
  const url = await created(server.doors.http, { route: 'brief', length: 20 })
  const raw = await openRaw(server.port)
  raw.ask('PATCH', url, {
    'Upload-Offset': '0',
    'Content-Type': offsetStream,
    'Content-Length': '20',
  })
  for (let i = 0; i < 10; i++) {
    raw.write('xx')
    await wait(120)
    await sweep(server.uploads)
  }
  const answer = await raw.answer()
  assert.is(answer.status, 204, answer.body)
  assert.is(answer.headers['upload-offset'], '20')
  assert.is((await server.row(url)).state, 'ready')
  raw.cut()
})

test('W7: what a creation cut before its answer left is swept away', async () => {
  const raw = await openRaw(server.port)
  raw.ask('POST', '/uploads/brief', {
    'Upload-Length': '1000',
    'Content-Type': offsetStream,
    'Content-Length': '1000',
  })
  raw.write('half')
  const row = await eventually(
    () => server.newest(),
    (file) => file?.route === 'brief' && file.offset === 4,
  )
  const url = `/uploads/brief/${row?.id}`
  assert.is(await heldOf(url), 4)
  raw.cut()
  await wait(900)
  await sweep(server.uploads)
  assert.is(await heldOf(url), null)
  assert.is((await server.row(url)).state, 'expired')
})

async function heldOf(url: string): Promise<number | null> {
  const { storeName, key } = await server.row(url)
  const held = await server.uploads.stores.get(storeName)?.stat(key)
  return held?.size ?? null
}

test.run()
