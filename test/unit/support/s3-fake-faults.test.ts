import { request } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { S3 } from '@aws-sdk/client-s3'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bigUpload, clientOf, nameOf } from '../../support/s3/client.ts'
import type { S3Faults } from '../../support/s3/faults.ts'
import { type S3Fake, startS3Fake } from '../../support/s3-fake.ts'

const MiB = 1024 * 1024
const Bucket = 'test-bucket'
const test = suite('support/s3-fake-faults')
let fake: S3Fake
let s3: S3
const { etags, threeParts, part, complete } = bigUpload(() => s3)

test.before(async () => {
  fake = await startS3Fake()
  s3 = clientOf(fake)
})
test.after(async () => {
  s3.destroy()
  await fake.close()
})
test.before.each(() => fake.reset())

const refusals: [fault: Partial<S3Faults>, code: string, status: number][] = [
  [{ slowDown: () => true }, 'SlowDown', 503],
  [{ expiredToken: true }, 'ExpiredToken', 400],
  [{ accessDenied: true }, 'AccessDenied', 403],
  [{ bucketMissing: true }, 'NoSuchBucket', 404],
  [{ clockSkew: true }, 'RequestTimeTooSkewed', 403],
  [{ noTagging: true }, 'NotImplemented', 501],
]
for (const [fault, code, status] of refusals) {
  test(`${Object.keys(fault)}: a request is ${status} ${code}`, async () => {
    Object.assign(fake.faults, fault)
    const put = () => s3.putObject({ Bucket, Key: 'a', Body: 'hello', Tagging: 'a=b' })
    assert.is(await nameOf(put()), code)
    assert.is(fake.requests[0]?.status, status)
    assert.is(fake.objects.size, 0)
    fake.reset()
    await put()
  })
}

test('equalParts: Complete refuses what R2 refuses', async () => {
  Object.assign(fake.faults, { equalParts: true, minPartSize: 1 })
  for (const [sizes, good] of [
    [[5, 5, 5], true],
    [[5, 5, 2], true],
    [[2], true],
    [[5, 4, 2], false],
    [[5, 6], false],
  ] as const) {
    const { UploadId } = await s3.createMultipartUpload({ Bucket, Key: 'big' })
    const parts: [number, string?][] = []
    for (const [i, size] of sizes.entries()) {
      const put = await part({ UploadId, PartNumber: i + 1, Body: Buffer.alloc(size) })
      parts.push([i + 1, put.ETag])
    }
    const name = await nameOf(complete(UploadId, parts))
    assert.is(name, good ? null : 'InvalidPart', String(sizes))
  }
})

test('maxParts: a part beyond the last number is refused', async () => {
  fake.faults.maxParts = 2
  const { UploadId } = await s3.createMultipartUpload({ Bucket, Key: 'big' })
  const put = part({ UploadId, PartNumber: 3, Body: Buffer.from('x') })
  assert.is(await nameOf(put), 'InvalidArgument')
})

test('noSuchUploadOnAbort: a finished upload cannot be aborted, or the abort does nothing', async () => {
  const { UploadId } = await s3.createMultipartUpload({ Bucket, Key: 'big' })
  const abort = () => s3.abortMultipartUpload({ Bucket, Key: 'big', UploadId })
  await abort()
  assert.is(fake.uploads.size, 0)
  assert.is(await nameOf(abort()), 'NoSuchUpload')
  fake.faults.noSuchUploadOnAbort = false
  await abort()
})

test('failPart: a part fails as often as told', async () => {
  const retrying = clientOf(fake, { maxAttempts: 3 })
  fake.faults.failPart = (n, attempt) => (n === 2 && attempt < 3 ? 503 : null)
  const { UploadId } = await s3.createMultipartUpload({ Bucket, Key: 'big' })
  const Body = Buffer.from('x')
  await retrying.uploadPart({ Bucket, Key: 'big', UploadId, PartNumber: 1, Body })
  await retrying.uploadPart({ Bucket, Key: 'big', UploadId, PartNumber: 2, Body })
  const statuses = fake.requests
    .filter(({ operation }) => operation === 'UploadPart')
    .map(({ partNumber, status }) => [partNumber, status])
  assert.equal(statuses, [
    [1, 200],
    [2, 503],
    [2, 503],
    [2, 200],
  ])
  retrying.destroy()
})

test('failComplete: nothing happens to the upload', async () => {
  fake.faults.failComplete = 1
  const UploadId = await threeParts()
  const last = [[3, etags[2]]] as const
  assert.is(await nameOf(complete(UploadId, last)), 'InternalError')
  assert.is(fake.objects.size, 0)
  await complete(UploadId, last)
  assert.is(fake.objects.size, 1)
})

test('completeErrorsButExists: the object is there all the same', async () => {
  fake.faults.completeErrorsButExists = 1
  const UploadId = await threeParts()
  assert.is(await nameOf(complete(UploadId, [[3, etags[2]]])), 'InternalError')
  assert.is(fake.objects.get('big')?.size, 1)
  assert.is(fake.uploads.size, 0)
})

test('resetMidBody: the connection breaks off and nothing is stored', async () => {
  fake.faults.resetMidBody = () => true
  const put = s3.putObject({ Bucket, Key: 'a', Body: Buffer.alloc(MiB) })
  assert.ok(await nameOf(put))
  assert.is(fake.objects.size, 0)
  assert.is(fake.requests[0]?.status, 0)
})

test('resetAfter: the connection breaks off when all is done', async () => {
  fake.faults.resetAfter = (operation) => operation === 'PutObject'
  assert.ok(await nameOf(s3.putObject({ Bucket, Key: 'a', Body: 'hello' })))
  assert.is(fake.objects.get('a')?.size, 5)
  assert.is(fake.requests[0]?.status, 0)
})

test('delayMs and before: a request waits, and is seen before anything is done', async () => {
  const seen: [string, number][] = []
  fake.faults.before = ({ operation }) => {
    seen.push([operation, fake.objects.size])
  }
  fake.faults.delayMs = (operation) => (operation === 'PutObject' ? 200 : 0)
  const started = Date.now()
  await s3.putObject({ Bucket, Key: 'a', Body: 'hello' })
  assert.ok(Date.now() - started >= 195)
  await s3.headBucket({ Bucket })
  assert.equal(seen, [
    ['PutObject', 0],
    ['HeadBucket', 1],
  ])
})

test('what is damaged from outside is gone for everybody', async () => {
  const UploadId = await threeParts()
  fake.abortUpload('big')
  const list = s3.listParts({ Bucket, Key: 'big', UploadId })
  assert.is(await nameOf(list), 'NoSuchUpload')
  fake.putObject('a', 'hello')
  fake.deleteObject('a')
  assert.is(await nameOf(s3.headObject({ Bucket, Key: 'a' })), 'NotFound')
})

test('a client that goes away leaves no object', async () => {
  const put = request(`${fake.endpoint}/${Bucket}/a`, {
    method: 'PUT',
    headers: { authorization: 'anything', 'content-length': 2 * MiB },
  })
  put.on('error', () => {})
  put.write(Buffer.alloc(MiB))
  await wait(50)
  put.destroy()
  await wait(50)
  assert.is(fake.objects.size, 0)
  assert.equal(
    fake.requests.map(({ status, received }) => [status, received]),
    [[0, MiB]],
  )
})

test.run()
