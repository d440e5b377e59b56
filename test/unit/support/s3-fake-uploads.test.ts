import { Readable } from 'node:stream'
import { type S3, UploadPartCommand } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bigUpload, clientOf, crcOf, md5, nameOf } from '../../support/s3/client.ts'
import { type S3Fake, startS3Fake } from '../../support/s3-fake.ts'

const MiB = 1024 * 1024
const Bucket = 'test-bucket'
const test = suite('support/s3-fake-uploads')
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

test('parts make an object, whatever their order, and the last of a number counts', async () => {
  const { UploadId } = await s3.createMultipartUpload({
    Bucket,
    Key: 'big',
    ContentType: 'image/png',
    Metadata: { x: 'y' },
  })
  const first = Buffer.alloc(5 * MiB, 1)
  await part({ UploadId, PartNumber: 2, Body: Buffer.from('old') })
  await part({ UploadId, PartNumber: 1, Body: first })
  await part({ UploadId, PartNumber: 2, Body: Buffer.from('end') })
  const listed = await s3.listParts({ Bucket, Key: 'big', UploadId })
  assert.equal(
    listed.Parts?.map(({ PartNumber, Size, ETag }) => [PartNumber, Size, ETag]),
    [
      [1, 5 * MiB, `"${md5(first)}"`],
      [2, 3, `"${md5('end')}"`],
    ],
  )
  assert.is(fake.objects.size, 0)
  const done = await s3.completeMultipartUpload({
    Bucket,
    Key: 'big',
    UploadId,
    MultipartUpload: { Parts: listed.Parts },
    MpuObjectSize: 5 * MiB + 3,
  })
  const digests = Buffer.from(md5(first) + md5('end'), 'hex')
  assert.is(done.ETag, `"${md5(digests)}-2"`)
  const object = fake.objects.get('big')
  assert.equal(object?.bytes, Buffer.concat([first, Buffer.from('end')]))
  assert.is(object?.headers['content-type'], 'image/png')
  assert.is(object?.headers['x-amz-meta-x'], 'y')
  assert.is(fake.uploads.size, 0)
  assert.is(await nameOf(s3.listParts({ Bucket, Key: 'big', UploadId })), 'NoSuchUpload')
})

test('parts are copied from a range of an object', async () => {
  fake.putObject('source', 'abcdefghij')
  const { UploadId } = await s3.createMultipartUpload({ Bucket, Key: 'big' })
  const { CopyPartResult } = await s3.uploadPartCopy({
    Bucket,
    Key: 'big',
    UploadId,
    PartNumber: 1,
    CopySource: `${Bucket}/source`,
    CopySourceRange: 'bytes=2-5',
  })
  assert.is(CopyPartResult?.ETag, `"${md5('cdef')}"`)
  await complete(UploadId, [[1, CopyPartResult?.ETag]])
  assert.is(fake.objects.get('big')?.bytes.toString(), 'cdef')
})

test('parts are listed page by page', async () => {
  const UploadId = await threeParts()
  const page = await s3.listParts({ Bucket, Key: 'big', UploadId, MaxParts: 2 })
  assert.is(page.IsTruncated, true)
  const rest = await s3.listParts({
    Bucket,
    Key: 'big',
    UploadId,
    PartNumberMarker: page.NextPartNumberMarker,
  })
  assert.equal(
    rest.Parts?.map(({ PartNumber }) => PartNumber),
    [3],
  )
  assert.is(rest.IsTruncated, false)
})

test('uploads are listed by prefix and page by page', async () => {
  for (const Key of ['b/2', 'b/1', 'b/1', 'a/1', 'b/1']) {
    await s3.createMultipartUpload({ Bucket, Key })
  }
  const keys: (string | undefined)[] = []
  let KeyMarker: string | undefined
  let UploadIdMarker: string | undefined
  for (let truncated = true; truncated; ) {
    const page = await s3.listMultipartUploads({
      Bucket,
      Prefix: 'b/',
      MaxUploads: 2,
      KeyMarker,
      UploadIdMarker,
    })
    keys.push(...(page.Uploads ?? []).map(({ Key }) => Key))
    truncated = page.IsTruncated ?? false
    KeyMarker = page.NextKeyMarker
    UploadIdMarker = page.NextUploadIdMarker
  }
  assert.equal(keys, ['b/1', 'b/1', 'b/1', 'b/2'])
  const ids = new Set([...fake.uploads.values()].map(({ uploadId }) => uploadId))
  assert.is(ids.size, 5)
})

const lists: [name: string, list: [number, string?][], code: string][] = [
  ['a part that is not there', [[1], [4, '"x"']], 'InvalidPart'],
  ['a part with another ETag', [[1], [2, '"x"'], [3]], 'InvalidPart'],
  ['a wrong order', [[2], [1]], 'InvalidPartOrder'],
  ['a part twice', [[1], [1]], 'InvalidPartOrder'],
  ['no part', [], 'MalformedXML'],
]
for (const [name, list, code] of lists) {
  test(`a list of ${name} does not complete an upload`, async () => {
    const UploadId = await threeParts()
    fake.faults.minPartSize = 1
    const parts = list.map(([n, etag = etags[n - 1]]) => [n, etag] as const)
    assert.is(await nameOf(complete(UploadId, parts)), code)
    assert.is(fake.uploads.size, 1)
  })
}

test('a part that is too small, but for the last, or a wrong size, does not complete it', async () => {
  const UploadId = await threeParts()
  const all = etags.map((etag, i) => [i + 1, etag] as const)
  assert.is(await nameOf(complete(UploadId, all)), 'EntityTooSmall')
  fake.faults.minPartSize = 1
  assert.is(await nameOf(complete(UploadId, all, { MpuObjectSize: 4 })), 'InvalidRequest')
  await complete(UploadId, all.slice(2))
  assert.is(fake.objects.get('big')?.bytes.toString(), '3')
})

test('a composite checksum is made of those of the parts, which must all be named', async () => {
  const { UploadId } = await s3.createMultipartUpload({
    Bucket,
    Key: 'big',
    ChecksumAlgorithm: 'CRC32',
  })
  const put = await part({ UploadId, PartNumber: 1, Body: Buffer.from('hello') })
  assert.is(put.ChecksumCRC32, crcOf('hello'))
  assert.is(await nameOf(complete(UploadId, [[1, put.ETag]])), 'InvalidRequest')
  const named = (ChecksumCRC32?: string) =>
    s3.completeMultipartUpload({
      Bucket,
      Key: 'big',
      UploadId,
      MultipartUpload: { Parts: [{ PartNumber: 1, ETag: put.ETag, ChecksumCRC32 }] },
    })
  assert.is(await nameOf(named('AAAAAA==')), 'InvalidPart')
  const done = await named(put.ChecksumCRC32)
  assert.is(done.ChecksumCRC32, `${crcOf(Buffer.from(crcOf('hello'), 'base64'))}-1`)
  assert.is(done.ChecksumType, 'COMPOSITE')
})

for (const discardBodies of [false, true]) {
  test(`the checksum of a full object is computed and compared (discarding: ${discardBodies})`, async () => {
    const other = await startS3Fake({ discardBodies, faults: { minPartSize: 1 } })
    const client = clientOf(other)
    const begun = await client.createMultipartUpload({
      Bucket,
      Key: 'big',
      ChecksumAlgorithm: 'CRC32',
      ChecksumType: 'FULL_OBJECT',
    })
    const upload = { Bucket, Key: 'big', UploadId: begun.UploadId }
    const first = Buffer.alloc(100_000, 'x')
    const one = await client.uploadPart({ ...upload, PartNumber: 1, Body: first })
    const two = await client.uploadPart({ ...upload, PartNumber: 2, Body: 'end' })
    const finish = (ChecksumCRC32: string) =>
      client.completeMultipartUpload({
        ...upload,
        ChecksumCRC32,
        MultipartUpload: {
          Parts: [
            { PartNumber: 1, ETag: one.ETag },
            { PartNumber: 2, ETag: two.ETag },
          ],
        },
      })
    assert.is(await nameOf(finish('AAAAAA==')), 'BadDigest')
    const done = await finish(crcOf(Buffer.concat([first, Buffer.from('end')])))
    assert.is(done.ChecksumType, 'FULL_OBJECT')
    assert.is(other.objects.get('big')?.size, 100_003)
    assert.is(other.objects.get('big')?.bytes.length, discardBodies ? 0 : 100_003)
    client.destroy()
    await other.close()
  })
}

test('the upload of lib-storage goes through, with default checksums', async () => {
  const bytes = Buffer.alloc(11 * MiB, 'abc')
  const body = Readable.from([bytes.subarray(0, 7 * MiB), bytes.subarray(7 * MiB)])
  await new Upload({ client: s3, params: { Bucket, Key: 'lib', Body: body } }).done()
  assert.ok(fake.objects.get('lib')?.bytes.equals(bytes))
  assert.is(fake.count('UploadPart'), 3)
})

test('a part is put to a presigned URL', async () => {
  const plain = clientOf(fake, { requestChecksumCalculation: 'WHEN_REQUIRED' })
  const { UploadId } = await plain.createMultipartUpload({ Bucket, Key: 'big' })
  const url = await getSignedUrl(
    plain,
    new UploadPartCommand({ Bucket, Key: 'big', UploadId, PartNumber: 1 }),
  )
  const put = await fetch(url, { method: 'PUT', body: 'hello' })
  assert.is(put.status, 200)
  await complete(UploadId, [[1, put.headers.get('etag') ?? '']])
  assert.is(fake.objects.get('big')?.bytes.toString(), 'hello')
  plain.destroy()
})

test.run()
