/** The store of Google Cloud Storage, where the service or this process fails. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError } from '../../../src/shared/errors.ts'
import { gcs } from '../../../stores/gcs.ts'
import type { Store } from '../../../stores/store.ts'
import { repeatable } from '../../../stores/testing/bytes.ts'
import { nothing, remember } from '../../../stores/testing/remembered.ts'
import { Upload } from '../../../stores/testing/upload.ts'
import { type GcsFake, startGcsFake } from '../../support/gcs-fake.ts'

const test = suite('stores/gcs: faults')
let fake: GcsFake
let store: Store
test.before(async () => {
  fake = await startGcsFake()
})
test.before.each(() => {
  fake.reset()
  store = open()
})
test.after(() => fake.close())

const grain = 256 * 1024
/** Four parts, the last of which is short. */
const size = 7 * grain + 17
const bytes = repeatable(size)
const key = 'k3Y_-0123456789abcdef'

function open(): Store {
  const { bucket, endpoint: apiEndpoint } = fake
  return gcs({ bucket, apiEndpoint, partSize: 2 * grain })
}

function upload(length: number | null = size): Upload {
  return new Upload(store, { key, size: length, partSize: 2 * grain })
}

const held = () => fake.objects.get(`carcosa/${key}`)?.bytes
const ranges = () => fake.requests.map(({ headers }) => headers['content-range'])
const ofSession = () => ranges().filter((range) => range !== undefined)

/** What the upload layer does before it goes on. */
async function adopted(object: Upload): Promise<number> {
  const found = await object.store.offset?.(object.object())
  if (found) object.remembered = remember(object.remembered, found)
  return object.offset
}

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

for (const status of [408, 429, 500, 502, 503, 504]) {
  test(`a part that is answered ${status} is sent again`, async () => {
    fake.faults.fail = (operation, attempt) =>
      operation === 'PutChunk' && attempt === 2 ? status : null
    const object = upload()
    await object.write(bytes)
    await object.complete()
    assert.ok(held()?.equals(bytes))
    assert.is(fake.count('QuerySession'), 1)
  })
}

test('of a part that broke off half way only the rest is sent again', async () => {
  fake.faults.reset = (operation, attempt) =>
    operation === 'PutChunk' && attempt === 2 ? 'half' : null
  const object = upload()
  await object.write(bytes)
  await object.complete()
  assert.ok(held()?.equals(bytes))
  assert.equal(ofSession().slice(1, 4), [
    `bytes ${2 * grain}-${4 * grain - 1}/*`,
    'bytes */*',
    `bytes ${3 * grain}-${4 * grain - 1}/*`,
  ])
})

for (const part of [2, 4]) {
  test(`part ${part}, whose answer was lost, is not sent again`, async () => {
    fake.faults.reset = (operation, attempt) =>
      operation === 'PutChunk' && attempt === part ? 'done' : null
    const object = upload()
    await object.write(bytes)
    await object.complete()
    assert.ok(held()?.equals(bytes))
    assert.is(fake.count('PutChunk'), 4)
    assert.is(fake.count('QuerySession'), 1)
  })
}

test('a session that keeps less than it was sent gets the rest', async () => {
  fake.faults.keep = (attempt) => (attempt < 3 ? grain : null)
  const object = upload()
  await object.write(bytes)
  await object.complete()
  assert.ok(held()?.equals(bytes))
})

test('an error at the end is none if the object was made', async () => {
  for (const [operation, length] of [
    ['PutChunk', size],
    ['Insert', 5],
  ] as const) {
    fake.reset()
    const last = operation === 'PutChunk' ? 4 : 1
    fake.faults.failDone = (now, attempt) =>
      now === operation && attempt === last ? 500 : null
    const object = upload(length)
    await object.write(repeatable(length))
    await object.complete()
    assert.ok(held()?.equals(repeatable(length)))
  }
})

test('a session that is gone after it made the object has done its work', async () => {
  fake.faults.reset = (operation, attempt) => {
    if (operation !== 'PutChunk' || attempt < 4) return null
    setImmediate(() => fake.forgetSessions())
    return 'done'
  }
  const object = upload()
  await object.write(bytes)
  await object.complete()
  assert.ok(held()?.equals(bytes))
})

test('what a service that stays down was sent before is safe', async () => {
  fake.faults.fail = (operation, attempt) =>
    ['PutChunk', 'QuerySession'].includes(operation) && attempt > 2 ? 503 : null
  const object = upload()
  const error = await failure(object.write(bytes))
  assert.is(error.code, 'STORAGE_UNAVAILABLE')
  assert.match(error.headers['Retry-After'] ?? '', /^\d+$/)
  assert.is(object.remembered.settled, 4 * grain)
  fake.faults.fail = () => null
  assert.is((await store.offset?.(object.object()))?.offset, 4 * grain)
  await object.write(bytes.subarray(4 * grain))
  await object.complete()
  assert.ok(held()?.equals(bytes))
})

test('what was sent right before a crash is found, and not sent again', async () => {
  const object = upload()
  await object.write(bytes.subarray(0, 4 * grain + 5))
  const before = object.history.find(({ settled }) => settled === 2 * grain)
  object.remembered = before ?? nothing
  object.store = open()
  assert.is(await adopted(object), 4 * grain)
  const sent = fake.count('PutChunk')
  await object.write(bytes.subarray(object.offset))
  await object.complete()
  assert.ok(held()?.equals(bytes))
  assert.is(ofSession()[sent], 'bytes */*')
  assert.is(ofSession()[sent + 1], `bytes ${4 * grain}-${6 * grain - 1}/*`)
})

test('a file that was finished right before a crash is found finished', async () => {
  const object = upload()
  await object.write(bytes)
  const before = object.history.find(({ settled }) => settled === 4 * grain)
  object.remembered = before ?? nothing
  object.store = open()
  assert.is(await adopted(object), size)
  await object.complete()
  assert.ok(held()?.equals(bytes))
  assert.is(fake.count('PutChunk'), 4)
})

test('a session that lost its bytes fails the upload, and says where', async () => {
  for (const length of [6 * grain, size]) {
    fake.reset()
    const object = upload()
    await object.write(bytes.subarray(0, 4 * grain))
    fake.forgetSessions()
    assert.is((await store.offset?.(object.object()))?.offset, 0)
    const error = await failure(object.write(bytes.subarray(4 * grain, length)))
    assert.is(error.code, 'STORAGE_CORRUPT')
  }
})

test('a session that was gone before its first byte is begun anew', async () => {
  fake.faults.fail = (operation) =>
    ['PutChunk', 'QuerySession'].includes(operation) ? 503 : null
  const object = upload()
  await failure(object.write(bytes))
  assert.ok(object.remembered.memo)
  fake.faults.fail = () => null
  fake.forgetSessions()
  assert.is((await store.offset?.(object.object()))?.offset, 0)
  await object.write(bytes)
  await object.complete()
  assert.ok(held()?.equals(bytes))
})

test('an object that somebody deleted does not complete', async () => {
  const object = upload()
  await object.write(bytes)
  fake.deleteObject(`carcosa/${key}`)
  object.store = open()
  assert.is((await failure(object.complete())).code, 'STORAGE_CORRUPT')
})

test('a source that goes on beyond the size does no harm', async () => {
  const object = upload()
  const { excess, offset } = await object.write([bytes, Buffer.from('more')])
  assert.is(excess, 1)
  assert.ok(offset < size)
  assert.is(held(), undefined)
  await object.write(bytes.subarray(offset))
  await object.complete()
  assert.ok(held()?.equals(bytes))
})

test.run()
