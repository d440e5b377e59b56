/** Uploads whose bytes go from the client to the store, past this server. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRouter, route } from '../../src/index.ts'
import { s3 } from '../../stores/s3.ts'
import { randomBytesFrom } from '../support/byte-source.ts'
import { eventsOf } from '../support/lifecycle.ts'
import { seededRandom } from '../support/random.ts'
import { patch } from '../support/records.ts'
import { type S3Fake, startS3Fake } from '../support/s3-fake.ts'
import { startServer, type TestServer } from '../support/server.ts'

const MiB = 1024 * 1024
const bytes = randomBytesFrom(seededRandom(7), 12 * MiB)
const png = Buffer.concat([
  Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
  Buffer.alloc(1000),
])

const router = createRouter({
  demo: route({ blob: { maxFileSize: '1GB', acl: 'public-read' } })
    .public()
    .direct(),
  called: route({ blob: { maxFileSize: '1GB' } })
    .public()
    .direct()
    .onUploadComplete(({ file }) => ({ got: file.size })),
  image: route({ image: { maxFileSize: '1GB' } })
    .public()
    .direct(),
  limited: route({ blob: { maxFileCount: 9 } })
    .public()
    .direct()
    .rateLimit({ points: 3, per: '1h' }),
  ordinary: route({ blob: { maxFileSize: '1GB' } }).public(),
})

interface Prepared {
  name: string
  ticket: string
  error?: { code: string }
  direct?: { url: string; expiresAt: string; parts: { url: string; size: number }[] }
}

const test = suite('a direct upload')
let fake: S3Fake
let server: TestServer
test.before(async () => {
  fake = await startS3Fake()
  const store = s3({
    bucket: fake.bucket,
    endpoint: fake.endpoint,
    forcePathStyle: true,
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
  })
  server = await startServer({ router, store })
})
test.after(async () => {
  await server.close()
  await fake.close()
})
test.before.each(() => fake.reset())

async function prepare(name: string, size: number | null, more: object = {}) {
  const answer = await server.doors.http({
    method: 'POST',
    path: `/uploads/${name}/prepare`,
    headers: { 'Content-Type': 'application/json', 'Tus-Resumable': null },
    body: JSON.stringify({
      files: [{ name: 'film.bin', size, type: '' }],
      direct: true,
      ...more,
    }),
  })
  assert.is(answer.status, 200, answer.text)
  const [file] = (answer.json() as unknown as { files: Prepared[] }).files
  assert.ok(file)
  return file
}

/** Sends each part to its URL as a browser would, and gathers the receipts. */
async function send({ direct }: Prepared, content: Buffer): Promise<string[]> {
  const receipts: string[] = []
  let at = 0
  for (const { url, size } of direct?.parts ?? []) {
    const body = new Uint8Array(content.subarray(at, at + size))
    const answer = await fetch(url, { method: 'PUT', body })
    assert.is(answer.status, 200, await answer.text())
    receipts.push(answer.headers.get('etag') ?? '')
    at += size
  }
  return receipts
}

function finish({ direct, ticket }: Prepared, body: unknown, headers: object = {}) {
  return server.doors.http({
    method: 'POST',
    path: `${direct?.url}/finish`,
    headers: {
      'Content-Type': 'application/json',
      'Tus-Resumable': null,
      'Upload-Ticket': ticket,
      ...headers,
    },
    body: JSON.stringify(body),
  })
}

const idOf = ({ direct }: Prepared) => direct?.url.split('/').at(-1) ?? ''

test('arrives without a byte of it passing the server', async () => {
  const file = await prepare('demo', bytes.length)
  assert.equal(
    file.direct?.parts.map(({ size }) => size),
    [8 * MiB, 4 * MiB],
  )
  const receipts = await send(file, bytes)
  const answer = await finish(file, { receipts })
  assert.is(answer.status, 200, answer.text)
  assert.is(answer.json().state, 'ready')
  assert.is(answer.json().size, bytes.length)
  const got = await server.doors.http({ method: 'GET', path: `/files/${idOf(file)}` })
  assert.ok(got.bytes.equals(bytes))
  assert.equal(await eventsOf(server, { id: idOf(file), url: '' }), [
    'file.created',
    'file.stored',
    'file.ready',
  ])
  assert.is(fake.uploads.size, 0)
  assert.is((await server.row(idOf(file))).storeMemo, null)
})

test('that is finished twice is finished once', async () => {
  const file = await prepare('demo', png.length)
  const receipts = await send(file, png)
  const answers = await Promise.all([
    finish(file, { receipts }),
    finish(file, { receipts }),
  ])
  assert.equal(
    answers.map(({ status }) => status),
    [200, 200],
  )
  assert.is((await eventsOf(server, { id: idOf(file), url: '' })).length, 3)
})

test('runs the completion callback', async () => {
  const file = await prepare('called', png.length)
  const answer = await finish(file, { receipts: await send(file, png) })
  assert.is(answer.status, 200, answer.text)
  const status = await server.doors.http({
    method: 'GET',
    path: `${file.direct?.url}?wait=5`,
  })
  assert.equal(status.json().serverData, { got: png.length })
})

test('is finished although the answer to it was lost', async () => {
  const file = await prepare('demo', bytes.length)
  const receipts = await send(file, bytes)
  fake.faults.completeErrorsButExists = 9
  const first = await finish(file, { receipts })
  fake.faults.completeErrorsButExists = 0
  const second = await finish(file, { receipts })
  assert.is(second.status, 200, `${first.text} ${second.text}`)
  assert.is(second.json().state, 'ready')
})

for (const [what, change] of [
  ['is missing', (receipts: string[]) => receipts.slice(1)],
  ['is another', (receipts: string[]) => [receipts[1] ?? '', receipts[0] ?? '']],
] as const) {
  test(`of which a receipt ${what} is not finished, and can be yet`, async () => {
    const file = await prepare('demo', bytes.length)
    const receipts = await send(file, bytes)
    const answer = await finish(file, { receipts: change(receipts) })
    assert.is(answer.status, 400, answer.text)
    assert.is(answer.json().code, 'UPLOAD_INCOMPLETE')
    assert.is((await finish(file, { receipts })).status, 200)
  })
}

for (const [how, sent] of [
  ['more', Buffer.concat([png, png])],
  ['less', png.subarray(1)],
] as const) {
  test(`of ${how} bytes than announced is refused and removed (SEC-9)`, async () => {
    const file = await prepare('demo', png.length)
    const [part] = file.direct?.parts ?? []
    assert.ok(part)
    const lie = {
      ...file,
      direct: { ...file.direct, parts: [{ ...part, size: sent.length }] },
    }
    const receipts = await send(lie as Prepared, sent)
    const answer = await finish(file, { receipts })
    assert.is(answer.status, 400, answer.text)
    assert.is(answer.json().code, 'LENGTH_INVALID')
    assert.is((await server.row(idOf(file))).state, 'rejected')
    assert.is(fake.objects.size, 0)
    assert.is((await finish(file, { receipts })).status, 410)
  })
}

test('of a type the route does not take is refused and removed', async () => {
  const answerTo = async (content: Buffer) => {
    const file = await prepare('image', content.length, {
      files: [{ name: 'x.png', size: content.length, type: 'image/png' }],
    })
    const receipts = await send(file, content)
    return finish(file, { receipts })
  }
  const html = Buffer.from('<!doctype html><script>alert(1)</script>')
  const refused = await answerTo(html)
  assert.is(refused.status, 415, refused.text)
  assert.is(refused.json().code, 'TYPE_NOT_ALLOWED')
  assert.is(fake.objects.size, 0)
  assert.is((await answerTo(png)).status, 200)
})

test('has no URL left that could change it once it was judged', async () => {
  const file = await prepare('demo', png.length)
  await finish(file, { receipts: await send(file, png) })
  const [part] = file.direct?.parts ?? []
  const late = await fetch(part?.url ?? '', { method: 'PUT', body: 'something else' })
  assert.is(late.status, 404, await late.text())
  const got = await server.doors.http({ method: 'GET', path: `/files/${idOf(file)}` })
  assert.ok(got.bytes.equals(png))
})

test('belongs to whoever has its ticket (SEC-6)', async () => {
  const file = await prepare('demo', png.length)
  const other = await prepare('demo', png.length)
  const receipts = await send(file, png)
  const without = await finish(file, { receipts }, { 'Upload-Ticket': null })
  assert.is(without.status, 403)
  const foreign = await finish(file, { receipts }, { 'Upload-Ticket': other.ticket })
  assert.is(foreign.status, 403)
  assert.is((await finish(file, { receipts })).status, 200)
})

test('keeps what its store remembers to itself', async () => {
  const file = await prepare('demo', bytes.length)
  const id = idOf(file)
  const { files } = server.carcosa.api
  assert.type((await server.row(id)).storeMemo?.uploadId, 'string')
  assert.is((await files.get(id))?.storeMemo, null)
  assert.is((await files.rename(id, 'other.bin')).storeMemo, null)
  const listed = await files.list({ states: ['created', 'receiving'] })
  assert.ok(listed.files.some((one) => one.id === id && one.storeMemo === null))
})

test('is deleted with all that was sent', async () => {
  const file = await prepare('demo', bytes.length)
  await send(file, bytes)
  const answer = await server.doors.http({
    method: 'DELETE',
    path: file.direct?.url ?? '',
    headers: { 'Upload-Ticket': file.ticket },
  })
  assert.is(answer.status, 204)
  assert.is(fake.uploads.size, 0)
  assert.is((await finish(file, { receipts: [] })).status, 410)
})

test('goes through the server all the same if the client sends it there', async () => {
  for (const content of [png, bytes]) {
    const file = await prepare('demo', content.length)
    const url = file.direct?.url ?? ''
    const half = content.length >> 1
    const headers = { 'Upload-Ticket': file.ticket }
    for (const [from, to] of [
      [0, half],
      [half, content.length],
    ] as const) {
      const body = content.subarray(from, to)
      const answer = await patch(server.doors.http, url, { offset: from, body, headers })
      assert.is(answer.status, 204, answer.text)
    }
    const got = await server.doors.http({ method: 'GET', path: `/files/${idOf(file)}` })
    assert.ok(got.bytes.equals(content))
  }
})

for (const [why, name, size] of [
  ['whose route does not say so', 'ordinary', 10],
  ['whose size is not known', 'demo', null],
  ['that is empty', 'demo', 0],
] as const) {
  test(`is not offered for a file ${why}`, async () => {
    const file = await prepare(name, size)
    assert.is(file.direct, undefined)
    assert.type(file.ticket, 'string')
    assert.is(fake.uploads.size, 0)
  })
}

test('is not offered to those who do not ask', async () => {
  assert.is((await prepare('demo', 10, { direct: false })).direct, undefined)
})

for (const body of [{}, { receipts: 'x' }, { receipts: [1] }, [], null]) {
  test(`is told what is wrong with ${JSON.stringify(body)}`, async () => {
    const file = await prepare('demo', png.length)
    const answer = await finish(file, body)
    assert.is(answer.status, 400)
    assert.is(answer.json().code, 'BAD_REQUEST')
  })
}

test('cannot be finished where there was none', async () => {
  const file = await prepare('ordinary', 10)
  const answer = await server.doors.http({
    method: 'POST',
    path: '/uploads/ordinary/unknown-unknown-unknown/finish',
    headers: { 'Content-Type': 'application/json', 'Upload-Ticket': file.ticket },
    body: '{"receipts":[]}',
  })
  assert.is(answer.status, 404)
})

test('beyond a rate limit a file is not offered the store, and waits for its turn', async () => {
  const files = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, size: 3, type: '' }))
  const answer = await server.doors.http({
    method: 'POST',
    path: '/uploads/limited/prepare',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ files, direct: true }),
  })
  assert.is(answer.status, 200)
  const prepared = (answer.json() as unknown as { files: Prepared[] }).files
  assert.equal(
    prepared.map(({ direct, ticket }) => [direct !== undefined, ticket !== '']),
    [true, true, true, false, false].map((offered) => [offered, true]),
  )
  const created = await server.doors.http({
    method: 'POST',
    path: '/uploads/limited',
    headers: { 'Upload-Length': '3', 'Upload-Ticket': prepared[4]?.ticket ?? '' },
  })
  assert.is(created.json().code, 'RATE_LIMITED')
})

test.run()
