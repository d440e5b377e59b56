/** The store of Google Cloud Storage, where the service refuses what it is asked for. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError } from '../../../src/shared/errors.ts'
import { gcs } from '../../../stores/gcs.ts'
import type { Store } from '../../../stores/store.ts'
import { repeatable } from '../../../stores/testing/bytes.ts'
import { Upload } from '../../../stores/testing/upload.ts'
import { type GcsFake, startGcsFake } from '../../support/gcs-fake.ts'

const test = suite('stores/gcs: refusals')
let fake: GcsFake
let store: Store
test.before(async () => {
  fake = await startGcsFake()
})
test.before.each(() => {
  fake.reset()
  const { bucket, endpoint: apiEndpoint } = fake
  store = gcs({ bucket, apiEndpoint, partSize: 2 * grain })
})
test.after(() => fake.close())

const grain = 256 * 1024
const size = 7 * grain + 17
const bytes = repeatable(size)
const key = 'k3Y_-0123456789abcdef'

function upload(length: number | null = size): Upload {
  return new Upload(store, { key, size: length, partSize: 2 * grain })
}

const held = () => fake.objects.get(`carcosa/${key}`)?.bytes

async function failure(work: Promise<unknown>): Promise<CarcosaError> {
  const error = await work.then(
    () => new Error('it worked'),
    (caught) => caught,
  )
  assert.instance(error, CarcosaError, String(error))
  for (const secret of ['secret', fake.bucket, '127.0.0.1', 'carcosa/']) {
    assert.not(error.message.includes(secret), error.message)
  }
  return error
}

const refusals = [
  { status: 401, reason: 'authError', code: 'STORAGE_UNAVAILABLE', told: /credentials/ },
  { status: 403, reason: 'forbidden', code: 'STORAGE_UNAVAILABLE', told: /credentials/ },
  { status: 403, reason: 'quotaExceeded', code: 'STORAGE_FULL', told: /full/ },
  { status: 400, reason: 'invalid', code: 'STORAGE_UNAVAILABLE', told: /retry/ },
] as const
for (const { status, reason, code, told } of refusals) {
  test(`${status} ${reason} is told as ${code}, at once, and passes`, async () => {
    await store.put('another-0123456789', Buffer.from('hello'), {})
    fake.faults.fail = () => status
    fake.faults.reason = reason
    const asked = fake.count()
    const calls = [
      () => upload().write(bytes),
      () => upload(5).write('hello'),
      () => store.put(key, Buffer.from('hello'), {}),
      () => store.open('another-0123456789'),
      () => store.stat('another-0123456789'),
      () => store.remove('another-0123456789'),
      async () => store.copy?.('another-0123456789', key),
      async () => {
        for await (const _object of store.list?.() ?? []) break
      },
    ]
    for (const call of calls) {
      const error = await failure(Promise.resolve(call()))
      assert.is(error.code, code)
      assert.match(error.message, told)
      assert.match(error.headers['Retry-After'] ?? '', /^\d+$/)
      assert.instance(error.cause, Error)
    }
    assert.is(fake.count() - asked, calls.length)
    fake.faults.fail = () => null
    const object = upload()
    await object.write(bytes)
    await object.complete()
    assert.ok(held()?.equals(bytes))
  })
}

test('credentials that expire do not end an upload that was begun', async () => {
  const object = upload()
  await object.write(bytes.subarray(0, 4 * grain))
  fake.faults.fail = (operation) =>
    ['PutChunk', 'QuerySession'].includes(operation) ? null : 401
  await object.write(bytes.subarray(4 * grain))
  await object.complete()
  assert.ok(held()?.equals(bytes))
})

test('a missing bucket is told by start, and is no missing object', async () => {
  await store.put(key, Buffer.from('hello'), {})
  await store.start()
  fake.faults.bucketMissing = true
  const error = await store.start().then(
    () => null,
    (caught: unknown) => caught,
  )
  assert.instance(error, CarcosaError)
  assert.is((error as CarcosaError).code, 'CONFIG_INVALID')
  for (const work of [
    () => store.stat(key),
    () => store.open(key),
    () => store.remove(key),
    () => upload(5).write('hello'),
  ]) {
    const told = await failure(Promise.resolve(work()))
    assert.is(told.code, 'STORAGE_UNAVAILABLE')
    assert.match(told.message, /bucket of the store does not exist/)
  }
})

test('a service that is down does not keep the server from starting', async () => {
  const { bucket } = fake
  await gcs({ bucket, apiEndpoint: 'http://127.0.0.1:1' }).start()
})

test('reading is tried again until the first byte', async () => {
  await store.put(key, Buffer.from('hello'), {})
  fake.faults.reset = (operation, attempt) =>
    operation === 'Download' && attempt === 1 ? 'done' : null
  fake.faults.fail = (operation, attempt) =>
    operation === 'Download' && attempt === 2 ? 503 : null
  const opened = await store.open(key)
  assert.is(String((await opened?.stream.toArray())?.[0]), 'hello')
})

test.run()
