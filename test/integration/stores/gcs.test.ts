/** The store of Google Cloud Storage, where the service does what it should. */
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type GcsStoreOptions, gcs } from '../../../stores/gcs.ts'
import type { Store } from '../../../stores/store.ts'
import { repeatable } from '../../../stores/testing/bytes.ts'
import { Upload } from '../../../stores/testing/upload.ts'
import { type GcsFake, startGcsFake } from '../../support/gcs-fake.ts'

const test = suite('stores/gcs')
let fake: GcsFake
test.before(async () => {
  fake = await startGcsFake()
})
test.before.each(() => fake.reset())
test.after(() => fake.close())

const grain = 256 * 1024
const key = 'k3Y_-0123456789abcdef'

function storeOf(options: Partial<GcsStoreOptions> = {}) {
  const { bucket, endpoint: apiEndpoint } = fake
  return gcs({ bucket, apiEndpoint, partSize: grain, ...options })
}

function uploadTo(store: Store, size: number | null, partSize = grain): Upload {
  return new Upload(store, { key, size, partSize })
}

const operations = () => fake.requests.map(({ operation }) => operation)

test('a file below the size of a part is one request', async () => {
  const object = uploadTo(storeOf(), 10_000)
  await object.write(repeatable(10_000))
  await object.complete()
  assert.equal(operations(), ['Insert'])
})

test('a larger one is a session, and a request for each part', async () => {
  const size = 3 * grain + 17
  const object = uploadTo(storeOf(), size)
  await object.write(repeatable(size))
  await object.complete()
  assert.equal(operations(), ['BeginSession', ...Array(4).fill('PutChunk')])
  assert.equal(
    fake.requests.slice(1).map(({ headers }) => headers['content-range']),
    [
      `bytes 0-${grain - 1}/*`,
      `bytes ${grain}-${2 * grain - 1}/*`,
      `bytes ${2 * grain}-${3 * grain - 1}/*`,
      `bytes ${3 * grain}-${size - 1}/${size}`,
    ],
  )
})

test('what comes in small pieces is gathered until it fills a part', async () => {
  const size = 20 * grain
  const object = uploadTo(storeOf({ partSize: 8 * grain }), size, 8 * grain)
  const bytes = repeatable(size)
  for (let at = 0; at < size; at += grain) {
    await object.write(bytes.subarray(at, at + grain))
  }
  await object.complete()
  assert.equal(operations(), ['BeginSession', 'PutChunk', 'PutChunk', 'PutChunk'])
})

test('what breaks off far from the end of a part is sent all the same', async () => {
  const size = 40 * grain
  const object = uploadTo(storeOf({ partSize: 32 * grain }), size, 32 * grain)
  await object.write(repeatable(size).subarray(0, 20 * grain + 5))
  assert.is(object.offset, 20 * grain + 5)
  assert.is(object.remembered.settled, 20 * grain)
  assert.is(object.remembered.staged[0]?.bytes.length, 5)
})

for (const size of [1_000, 2 * grain]) {
  test(`the object of ${size} bytes says what it is`, async () => {
    const store = storeOf({ cacheControl: 'private, no-store', storageClass: 'NEARLINE' })
    const object = uploadTo(store, size)
    await object.write(repeatable(size))
    await object.complete()
    assert.equal(fake.objects.get(`carcosa/${key}`)?.resource, {
      contentType: 'text/plain',
      contentDisposition: 'inline; filename="a.txt"',
      metadata: { 'carcosa-id': 'id' },
      cacheControl: 'private, no-store',
      storageClass: 'NEARLINE',
    })
  })
}

test('how an object is protected is said when it is begun', async () => {
  const kmsKeyName = 'projects/p/locations/l/keyRings/r/cryptoKeys/k'
  const store = storeOf({ kmsKeyName, predefinedAcl: 'projectPrivate' })
  for (const size of [5, 2 * grain]) await store.put(key, repeatable(size), {})
  await uploadTo(store, 2 * grain).write(repeatable(2 * grain))
  for (const { operation, query } of fake.requests) {
    if (operation !== 'Insert' && operation !== 'BeginSession') continue
    assert.is(query.kmsKeyName, kmsKeyName)
    assert.is(query.predefinedAcl, 'projectPrivate')
  }
})

test('a length that is declared after the last byte ends what was staged', async () => {
  for (const size of [5, grain, 2 * grain + 5]) {
    fake.reset()
    const store = storeOf()
    const object = uploadTo(store, null)
    await object.write(repeatable(size))
    object.size = size
    object.store = storeOf()
    await object.complete()
    await object.complete()
    assert.ok(fake.objects.get(`carcosa/${key}`)?.bytes.equals(repeatable(size)))
  }
})

test('removing an unfinished object ends its session', async () => {
  const store = storeOf()
  const object = uploadTo(store, 3 * grain)
  await object.write(repeatable(2 * grain))
  assert.is(fake.sessions.size, 1)
  const { memo } = object.object()
  await store.remove(key, memo)
  assert.is(fake.sessions.size, 0)
  await store.remove(key, memo)
})

test('an object is read by one request, of which nothing is read in vain', async () => {
  const store = storeOf()
  await store.put(key, repeatable(100_000), {})
  fake.reset()
  fake.putObject(`carcosa/${key}`, repeatable(50_000_000))
  const opened = await store.open(key, { start: 10, end: 40_000_000 })
  assert.is(opened?.size, 50_000_000)
  for await (const _chunk of opened?.stream ?? []) break
  for (let i = 0; !fake.requests[0]?.cut && i < 100; i++) await sleep(10)
  assert.ok(fake.requests[0]?.cut, 'the service stops, too')
  assert.equal(operations(), ['Download'])
  assert.is(fake.requests[0]?.headers['accept-encoding'], 'gzip')
})

test('of a range beyond the end nothing is read', async () => {
  const store = storeOf()
  await store.put(key, Buffer.from('hello'), {})
  const opened = await store.open(key, { start: 5, end: 9 })
  assert.is(opened?.size, 5)
  assert.is((await buffer(opened?.stream ?? Readable.from([]))).length, 0)
})

test('it lists page after page, below its prefix only', async () => {
  for (let n = 0; n < 1_500; n++) fake.putObject(`carcosa/object-${n}`, 'x')
  fake.putObject('carcosa', 'not ours')
  fake.putObject('carcosa2/object', 'not ours')
  const keys: string[] = []
  for await (const object of storeOf().list?.() ?? []) keys.push(object.key)
  assert.is(keys.length, 1_500)
  assert.ok(keys.every((key) => /^object-\d+$/.test(key)))
  assert.is(fake.count('List'), 2)
})

test('a copy that takes the service long is waited for', async () => {
  const store = storeOf()
  await store.put(key, Buffer.from('hello'), { contentType: 'text/plain' })
  fake.faults.rewriteCalls = 3
  await store.copy?.(key, 'copy-0123456789')
  assert.is(fake.count('Rewrite'), 3)
  assert.is(
    fake.objects.get('carcosa/copy-0123456789')?.resource.contentType,
    'text/plain',
  )
})

test('a signed URL answers with the type and name it was granted', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const credentials = { client_email: 'carcosa@example.com', private_key }
  const store = storeOf({ credentials })
  await store.put(key, Buffer.from('hello'), { contentType: 'text/html' })
  const year = 365 * 24 * 3_600_000
  for (const expiresIn of [60_000, year]) {
    const url = await store.signedUrl?.(key, {
      expiresIn,
      contentType: 'text/plain',
      contentDisposition: 'attachment; filename="lake of hali.txt"',
      cacheControl: 'private, max-age=17',
    })
    const { searchParams } = new URL(url ?? '')
    assert.is(searchParams.get('X-Goog-Algorithm'), 'GOOG4-RSA-SHA256')
    const seconds = Number(searchParams.get('X-Goog-Expires'))
    assert.ok(seconds > 50 && seconds <= 7 * 24 * 3_600, 'Google allows a week')
    const answer = await fetch(url ?? '')
    assert.is(await answer.text(), 'hello')
    assert.is(answer.headers.get('content-type'), 'text/plain')
    assert.is(
      answer.headers.get('content-disposition'),
      'attachment; filename="lake of hali.txt"',
    )
  }
})

const wrong: readonly [given: Partial<GcsStoreOptions>, told: RegExp][] = [
  [{ bucket: '' }, /bucket must be a name/],
  [{ prefix: 'a' }, /prefix must be '' or end with a slash.*"a"/],
  [{ prefix: '/a/' }, /prefix/],
  [{ prefix: 'ä/' }, /prefix/],
  [{ partSize: 0 }, /partSize must be a multiple of 262144 bytes, not 0/],
  [{ partSize: '300KB' }, /partSize .* not 307200/],
  [{ apiEndpoint: 'localhost:80' }, /apiEndpoint must begin with http/],
]
for (const [given, told] of wrong) {
  test(`${JSON.stringify(given)} is refused with what is allowed`, () => {
    assert.throws(
      () => storeOf(given),
      (error: unknown) => {
        const { code, message } = error as { code?: string; message?: string }
        return code === 'CONFIG_INVALID' && told.test(message ?? '')
      },
    )
  })
}

test('without the SDK it says how to install it', () => {
  const script = `
    import { registerHooks } from 'node:module'
    registerHooks({
      resolve(name, context, next) {
        if (name.startsWith('@google-cloud/')) throw new Error('there is no such package')
        return next(name, context)
      },
    })
    const { gcs } = await import('./stores/gcs.ts')
    await gcs({ bucket: 'any' }).start().catch((error) => console.log(error.code, error.message))`
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: join(import.meta.dirname, '../../..'),
    encoding: 'utf8',
  })
  assert.match(said, /^CONFIG_INVALID .*npm install @google-cloud\/storage/)
})

test.run()
