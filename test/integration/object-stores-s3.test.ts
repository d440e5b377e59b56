/**
 * What the S3 servers of the tests can do, shown with nothing but the SDK. Stores may rely on
 * it; what these servers do differently from Amazon's is not here.
 */
import { crc32 } from 'node:zlib'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { requires } from '../support/requirements.ts'
import {
  type S3Program,
  type S3Server,
  s3Client,
  s3Server,
} from '../support/s3-server.ts'

const MiB = 1024 * 1024

interface S3Context {
  server: S3Server
  client: S3Client
  at(name: string): { Bucket: string; Key: string }
}

for (const program of ['versitygw', 'minio'] as const) {
  const s3 = requires(program, suite<S3Context>(`S3 by ${program}`))
  s3Tests(program, s3)
  s3.run()
}

function s3Tests(program: S3Program, s3: ReturnType<typeof suite<S3Context>>): void {
  s3.before(async (context) => {
    context.server = await s3Server(program)
    context.client = s3Client(context.server)
    const { bucket, prefix } = context.server
    context.at = (name) => ({ Bucket: bucket, Key: `${prefix}${name}` })
  })
  s3.after(async ({ server, client }) => {
    // Neither is there if it did not start, and that error is the one to see.
    client?.destroy()
    await server?.stop()
  })

  s3('keeps what is put, with its content type and metadata', async ({ client, at }) => {
    await client.send(
      new PutObjectCommand({
        ...at('put'),
        Body: 'hello world',
        ContentType: 'text/x-greeting',
        ContentDisposition: 'attachment; filename="hello.txt"',
        Metadata: { colour: 'blue' },
      }),
    )
    const got = await client.send(new GetObjectCommand(at('put')))
    assert.is(await got.Body?.transformToString(), 'hello world')
    assert.is(got.ContentType, 'text/x-greeting')
    assert.is(got.ContentDisposition, 'attachment; filename="hello.txt"')
    assert.equal(got.Metadata, { colour: 'blue' })
    assert.is(got.ContentLength, 11)
  })

  s3('gives a range, and refuses one behind the end', async ({ client, at }) => {
    await client.send(new PutObjectCommand({ ...at('range'), Body: 'hello world' }))
    const ranged = (Range: string) => new GetObjectCommand({ ...at('range'), Range })
    const got = await client.send(ranged('bytes=6-'))
    assert.is(got.ContentRange, 'bytes 6-10/11')
    assert.is(await got.Body?.transformToString(), 'world')
    assert.is(await failure(client.send(ranged('bytes=11-'))), 'InvalidRange')
  })

  s3('knows no object and no upload that is not there', async ({ client, at }) => {
    const missing = at('missing')
    assert.is(await failure(client.send(new GetObjectCommand(missing))), 'NoSuchKey')
    assert.is(await failure(client.send(new HeadObjectCommand(missing))), 'NotFound')
    const listed = client.send(new ListPartsCommand({ ...missing, UploadId: 'none' }))
    assert.is(await failure(listed), 'NoSuchUpload')
    await client.send(new DeleteObjectCommand(missing))
  })

  s3('puts only where nothing is, if asked to', async ({ client, at }) => {
    const put = { ...at('once'), Body: 'x', IfNoneMatch: '*' }
    await client.send(new PutObjectCommand(put))
    const again = client.send(new PutObjectCommand(put))
    assert.is(await failure(again), 'PreconditionFailed')
  })

  s3('lists by prefix, page by page', async ({ client, at }) => {
    const names = ['list/1', 'list/2', 'list/3', 'lister']
    for (const name of names) {
      await client.send(new PutObjectCommand({ ...at(name), Body: name }))
    }
    const { Bucket, Key: Prefix } = at('list/')
    const page = { Bucket, Prefix, MaxKeys: 2 }
    const first = await client.send(new ListObjectsV2Command(page))
    assert.ok(first.IsTruncated)
    const { NextContinuationToken: ContinuationToken } = first
    const second = await client.send(
      new ListObjectsV2Command({ ...page, ContinuationToken }),
    )
    assert.not.ok(second.IsTruncated)
    const keys = [first, second].flatMap(({ Contents = [] }) =>
      Contents.map(({ Key, Size }) => [Key, Size]),
    )
    assert.equal(
      keys,
      names.slice(0, 3).map((name) => [at(name).Key, name.length]),
    )
  })

  s3('puts parts of any size together, whose last may be small', async (context) => {
    const { client, at } = context
    const bodies = [5 * MiB, 6 * MiB, 1].map((size, n) => Buffer.alloc(size, `${n}`))
    const upload = await begin(context, 'parts', { ContentType: 'video/x-parts' })
    const Parts = []
    for (const [index, Body] of bodies.entries()) {
      const part = { ...upload, PartNumber: index + 1, Body }
      const { ETag } = await client.send(new UploadPartCommand(part))
      Parts.push({ PartNumber: index + 1, ETag })
    }
    const listed = await client.send(new ListPartsCommand(upload))
    const sizes = listed.Parts?.map(({ Size }) => Size)
    assert.equal(sizes, [5 * MiB, 6 * MiB, 1])
    const whole = { ...upload, MultipartUpload: { Parts } }
    await client.send(new CompleteMultipartUploadCommand(whole))
    const got = await client.send(new GetObjectCommand(at('parts')))
    const bytes = await got.Body?.transformToByteArray()
    assert.ok(Buffer.concat(bodies).equals(bytes ?? Buffer.of()))
    assert.is(got.ContentType, 'video/x-parts')
  })

  s3('refuses an inner part that is too small, and keeps the upload', async (context) => {
    const { client } = context
    const upload = await begin(context, 'small')
    const Parts = []
    for (const PartNumber of [1, 2]) {
      const part = { ...upload, PartNumber, Body: 'small' }
      Parts.push({
        PartNumber,
        ETag: (await client.send(new UploadPartCommand(part))).ETag,
      })
    }
    const whole = { ...upload, MultipartUpload: { Parts } }
    const completed = client.send(new CompleteMultipartUploadCommand(whole))
    assert.is(await failure(completed), 'EntityTooSmall')
    const listed = await client.send(new ListPartsCommand(upload))
    assert.is(listed.Parts?.length, 2)
    await client.send(new AbortMultipartUploadCommand(upload))
  })

  for (const ChecksumType of ['COMPOSITE', 'FULL_OBJECT'] as const) {
    s3(`verifies CRC32 of parts and ${ChecksumType} of the whole`, async (context) => {
      const { client, at } = context
      const bodies = [Buffer.alloc(5 * MiB, 'a'), Buffer.from('b')]
      const options = { ChecksumAlgorithm: 'CRC32', ChecksumType } as const
      const upload = await begin(context, ChecksumType, options)
      const Parts = []
      for (const [index, Body] of bodies.entries()) {
        const part = { ...upload, PartNumber: index + 1, Body }
        const wrong = { ...part, ChecksumCRC32: sum('something else') }
        assert.ok(await failure(client.send(new UploadPartCommand(wrong))))
        const checked = { ...part, ChecksumAlgorithm: 'CRC32' } as const
        const { ETag, ChecksumCRC32 } = await client.send(new UploadPartCommand(checked))
        assert.is(ChecksumCRC32, sum(Body))
        Parts.push({ PartNumber: index + 1, ETag, ChecksumCRC32 })
      }
      const whole = { ...upload, ChecksumType, MultipartUpload: { Parts } }
      await client.send(new CompleteMultipartUploadCommand(whole))
      const enabled = { ...at(ChecksumType), ChecksumMode: 'ENABLED' } as const
      const head = await client.send(new HeadObjectCommand(enabled))
      assert.is(head.ChecksumType, ChecksumType)
      const sums = bodies.map((body) => Buffer.from(sum(body), 'base64'))
      const expected = {
        COMPOSITE: `${sum(Buffer.concat(sums))}-2`,
        FULL_OBJECT: sum(Buffer.concat(bodies)),
      }
      assert.is(head.ChecksumCRC32, expected[ChecksumType])
    })
  }

  s3('forgets an upload that is aborted', async (context) => {
    const { client } = context
    const upload = await begin(context, 'aborted')
    const part = { ...upload, PartNumber: 1, Body: 'x' }
    await client.send(new UploadPartCommand(part))
    await client.send(new AbortMultipartUploadCommand(upload))
    assert.is(await failure(client.send(new UploadPartCommand(part))), 'NoSuchUpload')
  })

  s3('copies, and may replace the content type', async ({ client, at }) => {
    const put = { ...at('original'), Body: 'x', ContentType: 'text/one' }
    await client.send(new PutObjectCommand(put))
    const { Bucket, Key } = at('original')
    await client.send(
      new CopyObjectCommand({
        ...at('copy'),
        CopySource: `${Bucket}/${Key}`,
        MetadataDirective: 'REPLACE',
        ContentType: 'text/two',
      }),
    )
    const head = await client.send(new HeadObjectCommand(at('copy')))
    assert.is(head.ContentType, 'text/two')
  })

  s3('lets who has a signed URL read, with other headers', async ({ client, at }) => {
    await client.send(new PutObjectCommand({ ...at('signed'), Body: 'hello world' }))
    const command = new GetObjectCommand({
      ...at('signed'),
      ResponseContentType: 'application/pdf',
      ResponseContentDisposition: 'attachment; filename="a.pdf"',
    })
    const url = await getSignedUrl(client, command, { expiresIn: 60 })
    const answer = await fetch(url, { headers: { range: 'bytes=0-4' } })
    assert.is(answer.status, 206)
    assert.is(await answer.text(), 'hello')
    assert.is(answer.headers.get('content-type'), 'application/pdf')
    assert.is(answer.headers.get('content-disposition'), 'attachment; filename="a.pdf"')
    assert.is((await fetch(url.replace('/signed?', '/put?'))).status, 403)
  })

  // MinIO lists the uploads of one key only.
  if (program !== 'versitygw') return
  s3('lists unfinished uploads by prefix, page by page', async (context) => {
    const { client, at } = context
    const uploads = []
    for (const name of ['open/1', 'open/2', 'open/3', 'opener']) {
      uploads.push(await begin(context, name))
    }
    const { Bucket, Key: Prefix } = at('open/')
    const page = { Bucket, Prefix, MaxUploads: 2 }
    const first = await client.send(new ListMultipartUploadsCommand(page))
    assert.ok(first.IsTruncated)
    const next = { ...page, KeyMarker: first.NextKeyMarker }
    const second = await client.send(new ListMultipartUploadsCommand(next))
    const found = [first, second].flatMap(({ Uploads = [] }) =>
      Uploads.map(({ Key, UploadId }) => [Key, UploadId]),
    )
    const expected = uploads.slice(0, 3).map(({ Key, UploadId }) => [Key, UploadId])
    assert.equal(found, expected)
    for (const upload of uploads)
      await client.send(new AbortMultipartUploadCommand(upload))
  })
}

async function begin({ client, at }: S3Context, name: string, options: object = {}) {
  const create = new CreateMultipartUploadCommand({ ...at(name), ...options })
  const { UploadId } = await client.send(create)
  return { ...at(name), UploadId }
}

function sum(bytes: string | Buffer): string {
  const bits = Buffer.alloc(4)
  bits.writeUInt32BE(crc32(bytes))
  return bits.toString('base64')
}

/** The name of the error that it must end with. */
async function failure(sent: Promise<unknown>): Promise<string> {
  const error = await sent.then(
    () => assert.unreachable('it succeeded'),
    (error: unknown) => error,
  )
  return error instanceof Error ? error.name : String(error)
}
