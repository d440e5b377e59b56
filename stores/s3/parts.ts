import { crc32 } from 'node:zlib'
import type { Memo, ObjectInfo } from '../store.ts'
import type { PartBody } from '../writing/part-body.ts'
import type { OutgoingPart, PartPlace, PartTarget } from '../writing/part-writer.ts'
import type { Connected } from './client.ts'
import type { S3Settings } from './options.ts'

/** No S3 takes larger objects. */
const maxObjectSize = 5 * 1024 ** 4

/**
 * Where parts must be equal and the length comes last, a route that allows terabytes would need
 * giant ones, and their beginnings would wait in the database. So such uploads end at 10,000 of
 * these: 625 GiB.
 */
const maxUnknownPart = 64 * 1024 ** 2

/** What is remembered of an unfinished object, beside what the part writer adds. */
export function uploadIdOf(memo: Memo | null): string | null {
  return typeof memo?.uploadId === 'string' ? memo.uploadId : null
}

/** A receipt is the ETag of a part, and its checksum where one is kept. */
export function readReceipt(receipt: string): { ETag: string; ChecksumCRC32?: string } {
  const [ETag = '', ChecksumCRC32] = receipt.split(' ')
  return { ETag, ...(ChecksumCRC32 && { ChecksumCRC32 }) }
}

export interface TargetOptions {
  readonly key: string
  /** Most bytes the object may have; its size, where known. */
  readonly maxSize: number
  /** Whether that is its size. Default true. */
  readonly isKnown?: boolean
  readonly memo?: Memo | null
  /** Bytes that wait for the first part. */
  readonly staged?: number
  /** Whether nothing of the key may be there. Default false. */
  readonly fresh?: boolean
}

/** How S3 takes the parts of one object. */
export function partTarget(to: Connected, options: TargetOptions): PartTarget {
  const { key, maxSize, fresh = false } = options
  const { settings, sdk, client, wire, at } = to
  const { concurrency, profile } = settings
  const partSize = partSizes(settings, options)
  // Whether enough numbers are left for what may still come in full parts.
  const isEnough = (after: PartPlace) =>
    after.count + Math.ceil((maxSize - after.position) / partSize(after)) <=
    profile.maxParts

  return {
    concurrency,
    partSize,

    shortPart(at, { bytes: rest, arrived }) {
      // Few bytes at a time are gathered: a request for each would be slower than staging them.
      if (profile.equalParts || arrived < profile.minPartSize) return 0
      const after = { count: at.count + 1, position: at.position + rest }
      return isEnough(after) ? rest : 0
    },

    async whole(body, info) {
      const headers = {
        ...headersOf(settings, info),
        ...(await payloadOf(settings, body)),
        'if-none-match': fresh && profile.conditionalPut ? '*' : undefined,
      }
      const answer = await wire.send({ method: 'PUT', key, headers, body: body.read })
      answer.body.resume()
    },

    async begin(info) {
      const attributes = attributesOf(settings, info)
      const ChecksumAlgorithm = profile.checksum === 'crc32' ? 'CRC32' : undefined
      const input = { ...at(key), ...attributes, ChecksumAlgorithm } as const
      const begun = await client.send(new sdk.CreateMultipartUploadCommand(input))
      const first = partSize({ count: 0, position: 0 })
      return { uploadId: begun.UploadId, ...(profile.equalParts && { partSize: first }) }
    },

    async pastContested(memo, at) {
      const last = await lastNumber(to, { key, memo, after: at.count })
      // What it began to send before it was overtaken, and one that it was about to.
      const count = last + concurrency + 1
      // Else rather a part that may be replaced than a file that does not fit.
      return isEnough({ ...at, count }) ? count : at.count
    },

    send: (memo, part) => sendPart(to, { key, memo }, part),
  }
}

/** The number of the last part that the service holds; `after` if none is behind it. */
async function lastNumber(
  { client, sdk, at }: Connected,
  { key, memo, after }: { key: string; memo: Memo; after: number },
): Promise<number> {
  const UploadId = uploadIdOf(memo) ?? ''
  for (let last = after; ; ) {
    const PartNumberMarker = String(last)
    const command = new sdk.ListPartsCommand({ ...at(key), UploadId, PartNumberMarker })
    const { Parts = [], IsTruncated } = await client.send(command)
    last = Parts.at(-1)?.PartNumber ?? last
    if (!IsTruncated || Parts.length === 0) return last
  }
}

async function sendPart(
  { settings, wire }: Connected,
  { key, memo }: { key: string; memo: Memo },
  { number, body }: OutgoingPart,
): Promise<string> {
  const headers = await payloadOf(settings, body)
  const query = { partNumber: String(number), uploadId: uploadIdOf(memo) ?? '' }
  const sent = await wire.send({ method: 'PUT', key, query, headers, body: body.read })
  sent.body.resume()
  return [sent.headers.etag, headers['x-amz-checksum-crc32']].filter(Boolean).join(' ')
}

/**
 * Parts of one size, large enough that the largest object does with `maxParts`. Where parts
 * may differ they begin small and grow with the object, so that a route that allows terabytes
 * needs no giant parts for the files it really gets (S5).
 */
function partSizes(
  { partSize, profile }: S3Settings,
  { maxSize, isKnown = true, memo, staged = 0 }: TargetOptions,
) {
  const { equalParts } = profile
  // A tenth of the numbers is kept for short parts and for writers that are overtaken.
  const maxParts = Math.floor(profile.maxParts * 0.9)
  const most = Math.min(maxSize, maxObjectSize)
  const needed = roundUp(most / maxParts)
  if (equalParts) {
    // Decided with the first part, by what was known of the length then.
    const bearable = isKnown ? needed : Math.min(needed, maxUnknownPart)
    const size = Math.max(bearable, partSize, roundUp(staged))
    const decided = typeof memo?.partSize === 'number' ? memo.partSize : size
    return () => decided
  }
  if (needed <= partSize) return () => partSize
  const steps = growth(partSize, most, maxParts)
  const largest = steps.at(-1)?.size ?? needed
  return ({ count }: PartPlace) =>
    steps.find(({ until }) => count < until)?.size ?? largest
}

/** A quarter of all part numbers for each size, every one so much larger that all fit. */
function growth(least: number, maxSize: number, maxParts: number) {
  const quarter = Math.floor(maxParts / 4)
  let factor = 2
  const sizes = () => [0, 1, 2, 3].map((step) => roundUp(least * factor ** step))
  const capacity = () => sizes().reduce((sum, size) => sum + size * quarter, 0)
  while (capacity() < maxSize) factor += 0.25
  return sizes().map((size, step) => ({ size, until: quarter * (step + 1) }))
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / 1024) * 1024
}

/**
 * What a request says of its body. The CRC-32 is signed and covers it; a SHA-256 in the
 * signature besides would cost as much CPU as all the rest. Where there is no checksum, TLS must
 * do, or the body is signed after all.
 */
async function payloadOf({ profile, endpoint }: S3Settings, body: PartBody) {
  const isChecked = profile.checksum === 'crc32'
  const isPlain = endpoint?.startsWith('http:') ?? false
  return {
    'content-length': String(body.length),
    'x-amz-checksum-crc32': isChecked ? await crcOf(body) : undefined,
    'x-amz-content-sha256': isChecked || !isPlain ? 'UNSIGNED-PAYLOAD' : undefined,
  }
}

/** Base64 of the four bytes. */
async function crcOf(body: PartBody): Promise<string> {
  const bytes = body.read()
  let crc = 0
  if (Buffer.isBuffer(bytes)) crc = crc32(bytes)
  else for await (const chunk of bytes) crc = crc32(chunk, crc)
  const out = Buffer.alloc(4)
  out.writeUInt32BE(crc)
  return out.toString('base64')
}

/** What the object itself says, whoever reads it, as headers. */
function headersOf(settings: S3Settings, info: ObjectInfo) {
  const metadata = Object.entries(info.metadata ?? {}).map(
    ([name, value]): [string, string] => [`x-amz-meta-${name}`, value],
  )
  return {
    ...Object.fromEntries(metadata),
    'content-type': info.contentType,
    'content-disposition': info.contentDisposition,
    'cache-control': settings.cacheControl,
    'x-amz-acl': settings.acl,
    'x-amz-storage-class': settings.storageClass,
    'x-amz-server-side-encryption': settings.serverSideEncryption,
    'x-amz-server-side-encryption-aws-kms-key-id': settings.kmsKeyId,
  }
}

/** The same as the SDK takes it. */
export function attributesOf(settings: S3Settings, info: ObjectInfo) {
  return {
    ContentType: info.contentType,
    ContentDisposition: info.contentDisposition,
    CacheControl: settings.cacheControl,
    Metadata: info.metadata && { ...info.metadata },
    ACL: settings.acl,
    StorageClass: settings.storageClass,
    ServerSideEncryption: settings.serverSideEncryption,
    SSEKMSKeyId: settings.kmsKeyId,
  }
}
