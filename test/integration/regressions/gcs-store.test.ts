/** Faults of @tus/gcs-store 2.0 (rows G): first shown there, then not here. */
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sweep } from '../../../src/uploads/sweep.ts'
import { gcs } from '../../../stores/gcs.ts'
import type { BareTus } from '../../support/bare-tus.ts'
import { randomBytesFrom } from '../../support/byte-source.ts'
import { bareGcs, lastWordsAbout, requestsOfPatch } from '../../support/gcs/bare.ts'
import { type GcsFake, startGcsFake } from '../../support/gcs-fake.ts'
import { seededRandom } from '../../support/random.ts'
import {
  created,
  expectAnswer,
  metadataHeader,
  offsetOf,
  patch,
} from '../../support/records.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const test = suite('regressions/gcs-store')
const grain = 256 * 1024
const random = randomBytesFrom(seededRandom(7), 6 * grain + 17)
const partSize = 2 * grain
let fake: GcsFake
let server: TestServer
const bares: BareTus[] = []
test.before(async () => {
  fake = await startGcsFake()
  server = await startServer({ store: storeOf() })
})
test.before.each(() => fake.reset())
test.after.each(async () => {
  for (const bare of bares.splice(0)) await bare.close()
})
test.after(async () => {
  await server.close()
  await fake.close()
})

const http = () => server.doors.http

function storeOf() {
  const { bucket, endpoint: apiEndpoint } = fake
  return gcs({ bucket, apiEndpoint, partSize })
}

async function bare(): Promise<BareTus> {
  const started = await bareGcs(fake)
  bares.push(started)
  return started
}

async function contentOf(url: string) {
  const { id } = await server.row(url)
  return http()({ method: 'GET', path: `/files/${id}` })
}

async function objectOf(url: string) {
  const { key } = await server.row(url)
  return fake.objects.get(`carcosa/${key}`)
}

/** No chunk, and no question after one, gets through from the `n`th chunk on. */
function breakFrom(n: number): void {
  let broken = false
  fake.faults.fail = (operation, attempt) => {
    broken ||= operation === 'PutChunk' && attempt >= n
    return broken ? 500 : null
  }
}

test('G1: a request that fails takes nothing away that was acknowledged', async () => {
  const theirs = await bare()
  const first = await theirs.upload(10)
  fake.faults.fail = (operation) => (operation === 'PutChunk' ? 500 : null)
  const refused = await patch(theirs.exchange, first, { offset: 0, body: 'hello' })
  assert.is(refused.status, 500)
  fake.reset()
  const gone = await theirs.exchange({ method: 'HEAD', path: first })
  assert.is(gone.status, 404, 'it bites: the upload is gone')

  const url = await created(http(), { length: random.length })
  breakFrom(3)
  const failed = await patch(http(), url, { offset: 0, body: random })
  expectAnswer(failed, {
    status: 503,
    code: 'STORAGE_UNAVAILABLE',
    headers: { 'Retry-After': /^\d+$/ },
  })
  for (const secret of ['secret', fake.bucket, '127.0.0.1']) {
    assert.not(failed.text.includes(secret), failed.text)
  }
  fake.faults.fail = () => null
  const offset = await offsetOf(http(), url)
  assert.is(offset, 2 * partSize, 'the parts before stay')
  assert.is(
    (await patch(http(), url, { offset, body: random.subarray(offset) })).status,
    204,
  )
  assert.ok((await contentOf(url)).bytes.equals(random))
})

test('G2: what is deleted is gone, unfinished or not', async () => {
  const theirs = await bare()
  const kept = await theirs.upload(5, 'hello')
  const answer = await theirs.exchange({ method: 'DELETE', path: kept })
  assert.is(answer.status, 204)
  assert.is(fake.objects.size, 1, 'it bites: the object is still there')
  fake.reset()

  const unfinished = await created(http(), { length: random.length })
  await patch(http(), unfinished, { offset: 0, body: random.subarray(0, 2 * partSize) })
  const finished = await created(http(), { route: 'mine', length: 5, ...asUser })
  await patch(http(), finished, { offset: 0, body: 'hello', ...asUser })
  assert.is(fake.sessions.size, 1)
  assert.is(fake.objects.size, 1)
  for (const path of [unfinished, finished]) {
    assert.is((await http()({ method: 'DELETE', path, ...asUser })).status, 204)
  }
  assert.is(fake.sessions.size, 0)
  assert.is(fake.objects.size, 0)
})

const asUser = { headers: { Authorization: 'Bearer ann' } }

test('G2: what expires is gone', async () => {
  const url = await created(http(), { route: 'brief', length: random.length })
  await patch(http(), url, { offset: 0, body: random.subarray(0, 2 * partSize) })
  assert.is(fake.sessions.size, 1)
  await sleep(750)
  assert.is((await sweep(server.uploads)).expired, 1)
  assert.is(fake.sessions.size, 0)
})

test('G3: a body in chunks that is too long does not end the upload', async () => {
  const theirs = await bare()
  const destroyed = await theirs.upload(4 * grain)
  const body = [0, 1, 2, 3, 4, 5].map((n) => random.subarray(n * grain, (n + 1) * grain))
  const refused = await patch(theirs.exchange, destroyed, { offset: 0, body })
  assert.is(refused.status, 413)
  const gone = await theirs.exchange({ method: 'HEAD', path: destroyed })
  assert.is(gone.status, 404, 'it bites: the upload is gone')

  for (const length of [10, random.length]) {
    const bytes = random.subarray(0, length)
    const url = await created(http(), { length })
    const chunks = [bytes, Buffer.from('and more')]
    const told = await patch(http(), url, { offset: 0, body: chunks })
    expectAnswer(told, { status: 413, code: 'LENGTH_EXCEEDED' })
    const offset = await offsetOf(http(), url)
    assert.ok(offset < length)
    const rest = bytes.subarray(offset)
    assert.is((await patch(http(), url, { offset, body: rest })).status, 204)
    assert.ok((await contentOf(url)).bytes.equals(bytes))
  }
})

test('G4: the object has the content type of the file, however it arrived', async () => {
  const theirs = await bare()
  const png = 'contentType aW1hZ2UvcG5n'
  await theirs.upload(5, 'hello', png)
  const [object] = [...fake.objects.values()]
  assert.is.not(object?.resource.contentType, 'image/png', 'it bites: the type is lost')

  const headers = {
    'Upload-Metadata': metadataHeader({ filename: 'a.txt', filetype: 'text/plain' }),
  }
  const text = Buffer.alloc(random.length, 'lorem ipsum\n')
  for (const length of [10, text.length]) {
    const url = await created(http(), { length, headers })
    const half = Math.ceil(length / 2)
    for (const [offset, end] of [
      [0, half],
      [half, length],
    ] as const) {
      await patch(http(), url, { offset, body: text.subarray(offset, end) })
    }
    const stored = await objectOf(url)
    assert.is(stored?.bytes.length, length)
    assert.match(stored?.resource.contentType ?? '', /^text\/plain/)
    assert.match(stored?.resource.contentDisposition ?? '', /a\.txt/)
  }
})

test('G5: a service that lets an object change once a second is no hindrance', async () => {
  fake.faults.changeEveryMs = 1_000
  const theirs = await bare()
  const limited = await theirs.upload(10)
  await sleep(1_000)
  const statuses: number[] = []
  for (const [offset, body] of ['he', 'll', 'ow'].entries()) {
    const path = limited
    const sent = await patch(theirs.exchange, path, { offset: 2 * offset, body })
    statuses.push(sent.status)
  }
  assert.ok(
    statuses.some((status) => status >= 400),
    `it bites: ${statuses}`,
  )
  fake.reset()

  fake.faults.changeEveryMs = 1_000
  const url = await created(http(), { length: random.length })
  const step = Math.ceil(random.length / 12)
  for (let offset = 0; offset < random.length; offset += step) {
    const body = random.subarray(offset, offset + step)
    assert.is((await patch(http(), url, { offset, body })).status, 204)
  }
  assert.ok((await contentOf(url)).bytes.equals(random))
  assert.is(fake.count('Compose') + fake.count('Patch') + fake.count('Delete'), 0)
})

test('G6: an object of somebody else does not end the process', async () => {
  fake.putObject('foreign', 'hello')
  fake.putObject('carcosa/foreign', 'hello')
  const crashed = await lastWordsAbout('foreign', fake)
  assert.match(crashed, /TypeError/, 'it bites: an error that nobody can catch')

  const head = await http()({ method: 'HEAD', path: '/uploads/demo/foreign' })
  assert.is(head.status, 404)
})

test('G6: metadata is not limited by what an object can have', async () => {
  const theirs = await bare()
  const long = metadataHeader({ filename: 'a.txt', note: '"'.repeat(5_000) })
  const headers = { 'Upload-Length': '5', 'Upload-Metadata': long }
  const refused = await theirs.exchange({ method: 'POST', path: '/files', headers })
  assert.is.not(refused.status, 201, 'it bites: the upload cannot be created')

  const url = await created(http(), { length: 5, headers: { 'Upload-Metadata': long } })
  await patch(http(), url, { offset: 0, body: 'hello' })
  assert.is((await contentOf(url)).text, 'hello')
})

test('G6: bytes on their way have no name that a file could have', async () => {
  const theirs = await bare()
  const path = await theirs.upload(10, 'hello')
  const id = path.split('/').pop()
  fake.putObject(`${id}_patch`, 'the file of somebody else')
  await patch(theirs.exchange, path, { offset: 5, body: 'world' })
  assert.not(fake.objects.has(`${id}_patch`), 'it bites: that file is gone')
  fake.reset()

  const url = await created(http(), { length: random.length })
  await patch(http(), url, { offset: 0, body: random.subarray(0, 2 * partSize + 5) })
  assert.is(fake.objects.size, 0)
  const offset = await offsetOf(http(), url)
  await patch(http(), url, { offset, body: random.subarray(offset) })
  assert.is(fake.objects.size, 1)
})

test('G7: an upload is one session, whatever pieces it comes in', async () => {
  const theirs = await bare()
  const perPatch = await requestsOfPatch(theirs, fake)
  assert.ok(perPatch >= 4, `it bites: ${perPatch} requests for each PATCH`)
  fake.reset()

  const url = await created(http(), { length: random.length })
  const step = Math.ceil(random.length / 12)
  for (let offset = 0; offset < random.length; offset += step) {
    await patch(http(), url, { offset, body: random.subarray(offset, offset + step) })
  }
  assert.is(fake.count('BeginSession'), 1)
  const parts = Math.ceil(random.length / partSize)
  assert.ok(fake.count() <= parts + 2, `${fake.count()} requests for ${parts} parts`)
  for (const { headers } of fake.requests.filter(isChunk)) {
    const [, first, last, total] =
      /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? []
    assert.is(Number(first) % grain, 0)
    if (total === '*') assert.is((Number(last) + 1) % grain, 0)
  }
  assert.ok((await contentOf(url)).bytes.equals(random))
})

test('G7: what a crash kept from being remembered the session knows', async () => {
  const url = await created(http(), { length: random.length })
  await patch(http(), url, { offset: 0, body: random.subarray(0, partSize) })
  await sleep(50)
  const asked = fake.count()
  const offset = await offsetOf(http(), url)
  assert.is(fake.count(), asked, 'who wrote last need not ask')
  // As after a crash: more arrived than is remembered, and nobody knows of it.
  const [session] = fake.sessions.values()
  assert.ok(session)
  session.bytes = random.subarray(0, 2 * partSize)
  server.uploads.tails.drop(url.split('/').pop() ?? '')
  assert.is(offset, partSize)
  assert.is(await offsetOf(http(), url), 2 * partSize)
  assert.is(fake.count('QuerySession'), 1)
  const rest = random.subarray(2 * partSize)
  const answer = await patch(http(), url, { offset: 2 * partSize, body: rest })
  assert.is(answer.status, 204, answer.text)
  assert.ok((await contentOf(url)).bytes.equals(random))
})

test('G7: a session that is lost is an upload that failed, and says so', async () => {
  const url = await created(http(), { length: random.length })
  await patch(http(), url, { offset: 0, body: random.subarray(0, 2 * partSize) })
  fake.forgetSessions()
  const rest = random.subarray(2 * partSize)
  const answer = await patch(http(), url, { offset: 2 * partSize, body: rest })
  expectAnswer(answer, { status: 410, code: 'UPLOAD_GONE' })
  assert.is((await server.row(url)).failure?.code, 'STORAGE_CORRUPT')
})

const isChunk = ({ operation }: { operation: string }) => operation === 'PutChunk'

test.run()
