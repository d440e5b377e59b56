/** What happens on a real socket: rows C17, C26–C28, C30, W4, W6 and W7. */
import { setTimeout as wait } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  chunk,
  eventually,
  lastChunk,
  openRaw,
  type RawConnection,
} from '../../support/raw-http.ts'
import {
  created,
  expectAnswer,
  offsetOf,
  offsetStream,
  patch,
} from '../../support/records.ts'
import { maxSize, startServer, type TestServer } from '../../support/server.ts'

const test = suite('protocol/interrupted')
let server: TestServer
const open = new Set<RawConnection>()
test.before(async () => {
  server = await startServer({ idleTimeout: 1_500, minUploadRate: 0 })
})
test.after.each(() => {
  for (const connection of open) connection.cut()
  open.clear()
})
test.after(() => server.close())

const http = () => server.doors.http
const size = 1_000_000
const sent = Buffer.alloc(300_000, 'abcdefghij')

async function connection(): Promise<RawConnection> {
  const raw = await openRaw(server.port)
  open.add(raw)
  return raw
}

/** Announces `length` bytes of body, or a chunked one, and sends nothing of it yet. */
async function patching(
  url: string,
  { offset, length }: { offset: number; length: number | null },
): Promise<RawConnection> {
  const raw = await connection()
  raw.ask('PATCH', url, {
    'Upload-Offset': String(offset),
    'Content-Type': offsetStream,
    ...(length === null
      ? { 'Transfer-Encoding': 'chunked' }
      : { 'Content-Length': String(length) }),
  })
  return raw
}

const rowOffset = async (url: string) => (await server.row(url)).offset

for (const [how, length] of [
  ['with a length', size],
  ['in chunks', null],
] as const) {
  const part = (bytes: Buffer) => (length === null ? chunk(bytes) : bytes)

  test(`C27: a connection cut in a body ${how} keeps what had arrived`, async () => {
    const url = await created(http(), { length: size })
    const raw = await patching(url, { offset: 0, length })
    raw.write(part(sent))
    await eventually(
      () => rowOffset(url),
      (offset) => offset === sent.length,
    )
    raw.cut()
    assert.is(await offsetOf(http(), url), sent.length)
    const rest = Buffer.alloc(size - sent.length, 'z')
    const answer = await patch(http(), url, { offset: sent.length, body: rest })
    assert.is(answer.status, 204)
    const { id } = await server.row(url)
    const file = await http()({ method: 'GET', path: `/files/${id}` })
    assert.ok(file.bytes.equals(Buffer.concat([sent, rest])), 'the bytes are the same')
  })

  test(`C27: a connection cut at once in a body ${how} never keeps more than was sent`, async () => {
    const url = await created(http(), { length: size })
    const raw = await patching(url, { offset: 0, length })
    raw.write(part(sent))
    raw.socket.end()
    await raw.closed
    const offset = await offsetOf(http(), url)
    assert.ok(offset <= sent.length, `${offset} of ${sent.length}`)
    const answer = await patch(http(), url, { offset, body: 'more' })
    expectAnswer(answer, {
      status: 204,
      headers: { 'Upload-Offset': String(offset + 4) },
    })
  })

  test(`C27: what a stalled client sent in a body ${how} is safe within a second`, async () => {
    const url = await created(http(), { length: size })
    const raw = await patching(url, { offset: 0, length })
    raw.write(part(sent))
    await eventually(
      () => rowOffset(url),
      (offset) => offset === sent.length,
      1_000,
    )
  })

  test(`C17: HEAD during a stalled body ${how} tells an offset from which PATCH goes on`, async () => {
    const url = await created(http(), { length: size })
    const raw = await patching(url, { offset: 0, length })
    raw.write(part(sent))
    await wait(100)
    const started = Date.now()
    const offset = await offsetOf(http(), url)
    assert.ok(Date.now() - started < 1_000, `HEAD took ${Date.now() - started} ms`)
    assert.is(offset, sent.length)
    const old = await raw.answer()
    assert.is(old.status, 204)
    assert.is(old.headers['upload-offset'], String(offset))
    const answer = await patch(http(), url, { offset, body: 'more' })
    expectAnswer(answer, {
      status: 204,
      headers: { 'Upload-Offset': String(offset + 4) },
    })
  })
}

test('C17: bytes of the old connection that come after HEAD are not written', async () => {
  const url = await created(http(), { length: size })
  const raw = await patching(url, { offset: 0, length: size })
  raw.write(sent)
  await wait(100)
  const offset = await offsetOf(http(), url)
  raw.write(Buffer.alloc(100_000, '!'))
  await wait(100)
  assert.is(await offsetOf(http(), url), offset)
  const rest = Buffer.alloc(size - offset, 'z')
  await patch(http(), url, { offset, body: rest })
  const { id } = await server.row(url)
  const file = await http()({ method: 'GET', path: `/files/${id}` })
  assert.ok(file.bytes.equals(Buffer.concat([sent, rest])))
})

test('C26: chunks beyond the length are refused while the client still sends', async () => {
  const url = await created(http(), { length: 10, bytes: 'hello' })
  const raw = await patching(url, { offset: 5, length: null })
  raw.write(chunk('wor'))
  await wait(50)
  raw.write(chunk('lds'))
  const answer = await raw.answer()
  assert.is(answer.status, 413)
  assert.is(JSON.parse(answer.body).code, 'LENGTH_EXCEEDED')
  const offset = await offsetOf(http(), url)
  assert.ok(offset >= 5 && offset < 10, String(offset))
  const rest = 'helloworld'.slice(offset)
  const completed = await patch(http(), url, { offset, body: rest })
  assert.is(completed.status, 204)
  const { id } = await server.row(url)
  assert.is((await http()({ method: 'GET', path: `/files/${id}` })).text, 'helloworld')
})

test('C26: chunks on a complete upload are refused while the client still sends', async () => {
  const url = await created(http(), { length: 5, bytes: 'hello' })
  const raw = await patching(url, { offset: 5, length: null })
  raw.write(chunk('more'))
  const answer = await raw.answer()
  assert.is(answer.status, 413)
  assert.is(JSON.parse(answer.body).code, 'LENGTH_EXCEEDED')
})

test('C26: a chunked body that stops exactly at the length completes with its last chunk', async () => {
  const url = await created(http(), { length: 10, bytes: 'hello' })
  const raw = await patching(url, { offset: 5, length: null })
  raw.write(chunk('world'))
  raw.write(lastChunk)
  const answer = await raw.answer()
  assert.is(answer.status, 204)
  assert.is(answer.headers['upload-offset'], '10')
})

test('C26: an endless body on a complete upload does not hold it', async () => {
  const url = await created(http(), { length: 5, bytes: 'hello' })
  await patching(url, { offset: 5, length: null })
  await wait(50)
  const started = Date.now()
  assert.is(await offsetOf(http(), url), 5)
  assert.ok(Date.now() - started < 1_000, `HEAD took ${Date.now() - started} ms`)
})

test('C28: of two PATCHes at the same offset one is taken and one is a conflict', async () => {
  const url = await created(http(), { length: 2_000_000 })
  const bodies = [Buffer.alloc(1_000_000, 'a'), Buffer.alloc(1_000_000, 'b')]
  const answers = await Promise.all(
    bodies.map((body) => patch(http(), url, { offset: 0, body })),
  )
  assert.equal(answers.map(({ status }) => status).sort(), [204, 409])
  const loser = answers.find(({ status }) => status === 409)
  assert.is(loser?.headers['upload-offset'], '1000000')
  const winner = bodies[answers.findIndex(({ status }) => status === 204)]
  const { storeName, key } = await server.row(url)
  const opened = await server.uploads.stores.get(storeName)?.open(key)
  const chunks: Buffer[] = []
  for await (const part of opened?.stream ?? []) chunks.push(part)
  assert.ok(winner?.equals(Buffer.concat(chunks)), 'no byte of the other is among them')
})

test('C28: a live writer is not chased away by another PATCH', async () => {
  const url = await created(http(), { length: 100 })
  const raw = await patching(url, { offset: 0, length: 100 })
  raw.write('x')
  await wait(50)
  const second = patch(http(), url, { offset: 0, body: 'y'.repeat(100) })
  for (let i = 1; i < 100; i++) {
    raw.write('x')
    if (i % 5 === 0) await wait(75)
  }
  assert.is((await raw.answer()).headers['upload-offset'], '100')
  assert.is((await second).status, 409)
})

test('C28: a stalled writer gives way to another PATCH, which is told the offset', async () => {
  const url = await created(http(), { length: 100 })
  const raw = await patching(url, { offset: 0, length: 100 })
  raw.write('xxxxx')
  await wait(50)
  const second = await patch(http(), url, { offset: 0, body: 'yyy' })
  expectAnswer(second, { status: 409, headers: { 'Upload-Offset': '5' } })
  assert.is((await raw.answer()).headers['upload-offset'], '5')
  const third = await patch(http(), url, { offset: 5, body: 'z' })
  assert.is(third.status, 204)
})

test('C30: a client that stalls is disconnected, and what it sent is kept', async () => {
  const url = await created(http(), { length: size })
  const raw = await patching(url, { offset: 0, length: size })
  raw.write(sent)
  const started = Date.now()
  await raw.closed
  const took = Date.now() - started
  assert.ok(took >= 1_400 && took < 4_000, `after ${took} ms`)
  assert.is(await offsetOf(http(), url), sent.length)
})

test('C30: without a minimum rate a client that sends a byte now and then is not disconnected', async () => {
  const url = await created(http(), { length: 10 })
  const raw = await patching(url, { offset: 0, length: 3 })
  for (let i = 0; i < 3; i++) {
    await wait(900)
    raw.write('x')
  }
  const answer = await raw.answer()
  assert.is(answer.status, 204)
  assert.is(answer.headers['upload-offset'], '3')
})

test('C30: a connection may rest between two requests', async () => {
  const raw = await connection()
  const url = await created(http(), { length: 10 })
  raw.ask('PATCH', url, {
    'Upload-Offset': '0',
    'Content-Type': offsetStream,
    'Content-Length': '1',
  })
  raw.write('x')
  assert.is((await raw.answer()).status, 204)
  await wait(2_000)
  raw.ask('HEAD', url)
  assert.is((await raw.answer()).headers['upload-offset'], '1')
})

test('W4: a chunked creation that lies about its length is refused while it still sends', async () => {
  const raw = await connection()
  raw.ask('POST', '/uploads/demo', {
    'Upload-Length': '5',
    'Content-Type': offsetStream,
    'Transfer-Encoding': 'chunked',
  })
  raw.write(chunk('hello'))
  await wait(50)
  raw.write(chunk(' world'))
  const answer = await raw.answer()
  assert.is(answer.status, 413)
  const newest = await server.newest()
  assert.is(newest?.size, 5)
  assert.is(newest?.state, 'removed')
  assert.is(await server.uploads.stores.get('default')?.stat(newest?.key ?? ''), null)
})

const expecting = (length: number) => ({
  'Upload-Length': String(length),
  'Content-Type': offsetStream,
  'Content-Length': String(length),
  Expect: '100-continue',
})

test('W6: a POST that will be refused is refused before its body is asked for', async () => {
  const raw = await connection()
  raw.ask('POST', '/uploads/demo', expecting(maxSize + 1))
  assert.is((await raw.answer()).status, 413)
})

test('W6: a PATCH at a wrong offset is refused before its body is asked for', async () => {
  const url = await created(http(), { length: 10 })
  const raw = await connection()
  raw.ask('PATCH', url, {
    'Upload-Offset': '3',
    'Content-Type': offsetStream,
    'Content-Length': '5',
    Expect: '100-continue',
  })
  assert.is((await raw.answer()).status, 409)
})

test('W6: a POST that is welcome is asked for its body', async () => {
  const raw = await connection()
  raw.ask('POST', '/uploads/demo', expecting(5))
  assert.is((await raw.answer()).status, 100)
  raw.write('hello')
  const answer = await raw.answer()
  assert.is(answer.status, 201)
  assert.is(answer.headers['upload-offset'], '5')
})

test('W7: a creation cut before its answer leaves an upload that expires', async () => {
  const raw = await connection()
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
  raw.cut()
  assert.ok(row?.expiresAt, 'it expires')
  assert.ok(Number(row.expiresAt) > Number(row.createdAt))
})

test('SEC-9: a body shorter than its Content-Length counts as what it is', async () => {
  const url = await created(http(), { length: 10 })
  const raw = await patching(url, { offset: 0, length: 10 })
  raw.write('hel')
  await eventually(
    () => rowOffset(url),
    (offset) => offset === 3,
  )
  raw.cut()
  assert.is(await offsetOf(http(), url), 3)
})

test('W6: a refused client that goes on sending still reads its answer', async () => {
  const raw = await connection()
  raw.ask('POST', '/uploads/demo', {
    'Upload-Length': String(maxSize + 1),
    'Content-Type': offsetStream,
    'Content-Length': String(maxSize + 1),
  })
  raw.write(Buffer.alloc(4_000_000))
  assert.is((await raw.answer()).status, 413)
})

test.run()
