import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { GetObjectCommand, PutObjectCommand, type S3 } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { clientOf, crcOf, md5, nameOf } from '../../support/s3/client.ts'
import { type S3Fake, startS3Fake } from '../../support/s3-fake.ts'

const MiB = 1024 * 1024
const Bucket = 'test-bucket'
const test = suite('support/s3-fake')
let fake: S3Fake
let s3: S3

test.before(async () => {
  fake = await startS3Fake()
  s3 = clientOf(fake)
})
test.after(async () => {
  s3.destroy()
  await fake.close()
})
test.before.each(() => fake.reset())

test('an object comes back as it was put, with its headers', async () => {
  const put = await s3.putObject({
    Bucket,
    Key: 'a/b c+d/é.txt',
    Body: 'hello',
    ContentType: 'text/plain',
    ContentDisposition: 'attachment',
    CacheControl: 'no-store',
    Metadata: { owner: 'ann' },
    Tagging: 'x=1&y=2',
    StorageClass: 'STANDARD_IA',
    ServerSideEncryption: 'AES256',
    ACL: 'private',
  })
  assert.is(put.ETag, `"${md5('hello')}"`)
  assert.is(put.ServerSideEncryption, 'AES256')
  assert.equal([...fake.objects.keys()], ['a/b c+d/é.txt'])
  const got = await s3.getObject({ Bucket, Key: 'a/b c+d/é.txt' })
  assert.is(await got.Body?.transformToString(), 'hello')
  assert.is(got.ContentType, 'text/plain')
  assert.is(got.ContentDisposition, 'attachment')
  assert.is(got.CacheControl, 'no-store')
  assert.equal(got.Metadata, { owner: 'ann' })
  assert.is(got.TagCount, 2)
  assert.is(got.StorageClass, 'STANDARD_IA')
  assert.is(got.ChecksumCRC32, crcOf('hello'))
  const kept = fake.objects.get('a/b c+d/é.txt')?.headers
  assert.is(kept?.['x-amz-tagging'], 'x=1&y=2')
  assert.is(kept?.['x-amz-acl'], 'private')
  assert.is(kept?.['content-encoding'], undefined)
})

test('a stream is sent in aws-chunks, and its trailing checksum is verified', async () => {
  const parts = Array.from({ length: 7 }, (_, i) => Buffer.alloc(30_000 + i, i))
  const body = Buffer.concat(parts)
  await s3.putObject({
    Bucket,
    Key: 'stream',
    Body: Readable.from(parts, { objectMode: false }),
    ContentLength: body.length,
  })
  const [request] = fake.requests
  assert.is(
    request?.headers['x-amz-content-sha256'],
    'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  )
  assert.is(request?.received, body.length)
  assert.equal(fake.objects.get('stream')?.bytes, body)
  assert.equal(fake.objects.get('stream')?.checksum, {
    'x-amz-checksum-crc32': crcOf(body),
    'x-amz-checksum-type': 'FULL_OBJECT',
  })
})

for (const [name, headers] of [
  ['a checksum', { 'x-amz-checksum-crc32': 'AAAAAA==' }],
  ['a SHA-256', { 'x-amz-checksum-sha256': 'AAAA' }],
  ['a Content-MD5', { 'content-md5': Buffer.alloc(16).toString('base64') }],
] as const) {
  test(`${name} that is not that of the body is refused`, async () => {
    const answer = await raw('PUT', '/wrong', { headers, body: 'hello' })
    assert.is(answer.status, 400)
    assert.match(await answer.text(), '<Code>BadDigest</Code>')
    assert.is(fake.objects.size, 0)
  })
}

test('aws-chunks with a wrong trailer, or without an end, are refused', async () => {
  const chunked = (body: string) =>
    raw('PUT', '/wrong', {
      headers: {
        'content-encoding': 'aws-chunked',
        'x-amz-trailer': 'x-amz-checksum-crc32',
        'x-amz-decoded-content-length': '5',
      },
      body,
    })
  const right = await chunked(
    `5\r\nhello\r\n0\r\nx-amz-checksum-crc32:${crcOf('hello')}\r\n\r\n`,
  )
  assert.is(right.status, 200)
  const wrong = await chunked('5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n')
  assert.match(await wrong.text(), '<Code>BadDigest</Code>')
  const cut = await chunked('5\r\nhell')
  assert.match(await cut.text(), '<Code>IncompleteBody</Code>')
})

const ranges = [
  { range: 'bytes=0-3', text: 'abcd', shown: 'bytes 0-3/10' },
  { range: 'bytes=7-', text: 'hij', shown: 'bytes 7-9/10' },
  { range: 'bytes=7-99', text: 'hij', shown: 'bytes 7-9/10' },
  { range: 'bytes=-2', text: 'ij', shown: 'bytes 8-9/10' },
]
for (const { range, text, shown } of ranges) {
  test(`${range} is ${shown}`, async () => {
    fake.putObject('ten', 'abcdefghij')
    const got = await s3.getObject({ Bucket, Key: 'ten', Range: range })
    assert.is(await got.Body?.transformToString(), text)
    assert.is(got.ContentRange, shown)
    assert.is(got.$metadata.httpStatusCode, 206)
  })
}

test('a range beyond the end, a wrong ETag and a missing key are errors', async () => {
  fake.putObject('ten', 'abcdefghij')
  const get = (rest: object, Key = 'ten') => s3.getObject({ Bucket, Key, ...rest })
  assert.is(await nameOf(get({ Range: 'bytes=10-' })), 'InvalidRange')
  assert.is(await nameOf(get({ IfMatch: '"other"' })), 'PreconditionFailed')
  assert.is(await nameOf(get({}, 'nothing')), 'NoSuchKey')
  assert.is(await nameOf(s3.headObject({ Bucket, Key: 'nothing' })), 'NotFound')
  assert.is(await nameOf(s3.headObject({ Bucket: 'other', Key: 'ten' })), 'NotFound')
  assert.is(await nameOf(s3.getObject({ Bucket: 'other', Key: 'ten' })), 'NoSuchBucket')
})

test('an object that exists is not replaced if it must not', async () => {
  fake.putObject('ten', 'abcdefghij')
  const put = s3.putObject({ Bucket, Key: 'ten', Body: 'x', IfNoneMatch: '*' })
  assert.is(await nameOf(put), 'PreconditionFailed')
  assert.is(fake.objects.get('ten')?.size, 10)
})

test('objects are copied, with their headers or with others', async () => {
  fake.putObject('a b', 'hello', { 'content-type': 'text/plain', 'x-amz-meta-x': '1' })
  const CopySource = `${Bucket}/a%20b`
  await s3.copyObject({ Bucket, Key: 'same', CopySource })
  await s3.copyObject({
    Bucket,
    Key: 'other',
    CopySource,
    MetadataDirective: 'REPLACE',
    ContentType: 'text/html',
  })
  assert.is(fake.objects.get('same')?.bytes.toString(), 'hello')
  assert.is(fake.objects.get('same')?.headers['x-amz-meta-x'], '1')
  assert.is(fake.objects.get('other')?.headers['content-type'], 'text/html')
  assert.is(fake.objects.get('other')?.headers['x-amz-meta-x'], undefined)
})

test('objects are deleted, and deleting nothing is fine', async () => {
  for (const key of ['a', 'b', 'c & d']) fake.putObject(key, key)
  await s3.deleteObject({ Bucket, Key: 'a' })
  await s3.deleteObject({ Bucket, Key: 'a' })
  const { Deleted } = await s3.deleteObjects({
    Bucket,
    Delete: { Objects: [{ Key: 'c & d' }, { Key: 'nothing' }] },
  })
  assert.equal(
    Deleted?.map(({ Key }) => Key),
    ['c & d', 'nothing'],
  )
  assert.equal([...fake.objects.keys()], ['b'])
})

test('objects are listed by prefix and page by page', async () => {
  for (const key of ['b/3', 'a/1', 'b/1', 'b/2', 'c']) fake.putObject(key, key)
  const keys: (string | undefined)[][] = []
  let ContinuationToken: string | undefined
  do {
    const page = await s3.listObjectsV2({
      Bucket,
      Prefix: 'b/',
      MaxKeys: 2,
      ContinuationToken,
    })
    keys.push((page.Contents ?? []).map(({ Key }) => Key))
    ContinuationToken = page.NextContinuationToken
  } while (ContinuationToken)
  assert.equal(keys, [['b/1', 'b/2'], ['b/3']])
})

test('a presigned URL is good until it expires, and needs the headers it was signed with', async () => {
  fake.putObject('ten', 'abcdefghij')
  const get = new GetObjectCommand({
    Bucket,
    Key: 'ten',
    ResponseContentType: 'text/plain',
    ResponseContentDisposition: 'attachment; filename="a.txt"',
  })
  const url = await getSignedUrl(s3, get, { expiresIn: 60 })
  const answer = await fetch(url, { headers: { range: 'bytes=2-3' } })
  assert.is(answer.status, 206)
  assert.is(answer.headers.get('content-type'), 'text/plain')
  assert.is(await answer.text(), 'cd')
  const past = new Date(Date.now() - 61_000)
  const old = await getSignedUrl(s3, get, { expiresIn: 60, signingDate: past })
  const refused = await fetch(old)
  assert.is(refused.status, 403)
  assert.match(await refused.text(), 'Request has expired')
  assert.is((await fetch(`${fake.endpoint}/${Bucket}/ten`)).status, 403)

  const put = new PutObjectCommand({ Bucket, Key: 'put', ContentType: 'text/plain' })
  const to = await getSignedUrl(s3, put, { signableHeaders: new Set(['content-type']) })
  const untyped = await fetch(to, { method: 'PUT', body: Buffer.from('hello') })
  assert.is(untyped.status, 403)
})

test('a presigned PUT has the checksum of nothing in it, unless the SDK is told otherwise', async () => {
  const put = new PutObjectCommand({ Bucket, Key: 'put' })
  const to = await getSignedUrl(s3, put)
  assert.is((await fetch(to, { method: 'PUT', body: 'hello' })).status, 400)
  const plain = clientOf(fake, { requestChecksumCalculation: 'WHEN_REQUIRED' })
  const good = await getSignedUrl(plain, put)
  assert.is((await fetch(good, { method: 'PUT', body: 'hello' })).status, 200)
  assert.is(fake.objects.get('put')?.bytes.toString(), 'hello')
  plain.destroy()
})

test('headers that are not ASCII are refused', async () => {
  const put = s3.putObject({
    Bucket,
    Key: 'a',
    Body: 'x',
    ContentDisposition: 'attachment; filename="é"',
  })
  assert.is(await nameOf(put), 'InvalidArgument')
  const ResponseContentDisposition = 'attachment; filename="漢"'
  fake.putObject('ten', 'abcdefghij')
  const get = s3.getObject({ Bucket, Key: 'ten', ResponseContentDisposition })
  assert.is(await nameOf(get), 'InvalidArgument')
})

test('a read that is stopped is not sent to its end', async () => {
  fake.putObject('big', Buffer.alloc(64 * MiB))
  const got = await s3.getObject({ Bucket, Key: 'big' })
  if (!(got.Body instanceof Readable)) throw new TypeError('the body is no stream')
  got.Body.once('data', () => (got.Body as Readable).destroy())
  await wait(200)
  assert.ok((fake.requests[0]?.sent ?? 0) < 32 * MiB, String(fake.requests[0]?.sent))
})

test('what the fake does not know is 501', async () => {
  assert.is(await nameOf(s3.getBucketLocation({ Bucket })), 'NotImplemented')
  assert.is(await nameOf(s3.getObjectTagging({ Bucket, Key: 'a' })), 'NotImplemented')
})

function raw(
  method: string,
  path: string,
  { headers, body }: { headers: Record<string, string>; body: string },
): Promise<Response> {
  return fetch(`${fake.endpoint}/${Bucket}${path}`, {
    method,
    headers: { ...headers, authorization: 'anything' },
    body,
  })
}

test.run()
