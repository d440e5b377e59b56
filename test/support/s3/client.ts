import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { S3, type S3ClientConfig } from '@aws-sdk/client-s3'
import type { S3Fake } from '../s3-fake.ts'

/** The SDK, talking to the fake; each call is one attempt. */
export function clientOf(fake: S3Fake, options: S3ClientConfig = {}): S3 {
  return new S3({ ...clientConfig(fake), maxAttempts: 1, ...options })
}

/** What the SDK needs to talk to the fake; with its defaults for all the rest. */
export function clientConfig({ endpoint }: Pick<S3Fake, 'endpoint'>) {
  return {
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
  }
}

/** Steps of a multipart upload to the key `big`. */
export function bigUpload(client: () => S3) {
  const key = { Bucket: 'test-bucket', Key: 'big' }
  const part = (given: { UploadId?: string; PartNumber: number; Body: Buffer }) =>
    client().uploadPart({ ...key, UploadId: undefined, ...given })
  return {
    part,
    complete(
      UploadId: string | undefined,
      parts: readonly (readonly [number, string?])[],
      rest: { MpuObjectSize?: number } = {},
    ) {
      const Parts = parts.map(([PartNumber, ETag]) => ({ PartNumber, ETag }))
      const MultipartUpload = { Parts }
      return client().completeMultipartUpload({
        ...key,
        UploadId,
        MultipartUpload,
        ...rest,
      })
    },
    /** An upload whose parts are 1, 2 and 3. */
    async threeParts(): Promise<string | undefined> {
      const { UploadId } = await client().createMultipartUpload(key)
      for (const PartNumber of [1, 2, 3]) {
        await part({ UploadId, PartNumber, Body: Buffer.from(String(PartNumber)) })
      }
      return UploadId
    },
    /** Their ETags. */
    etags: ['1', '2', '3'].map((text) => `"${md5(text)}"`),
  }
}

/** The name of the error that a call fails with, or null. */
export function nameOf(call: Promise<unknown>): Promise<string | null> {
  return call.then(
    () => null,
    (error: Error) => error.name,
  )
}

export function md5(bytes: Buffer | string): string {
  return createHash('md5').update(bytes).digest('hex')
}

/** A CRC-32 as S3 writes it. */
export function crcOf(bytes: Buffer | string): string {
  const value = Buffer.alloc(4)
  value.writeUInt32BE(crc32(bytes))
  return value.toString('base64')
}
