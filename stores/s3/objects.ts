import { Readable } from 'node:stream'
import { CarcosaError } from '../../src/shared/errors.ts'
import type { ByteRange, Memo, OpenedObject, UrlGrant } from '../store.ts'
import type { Connected } from './client.ts'
import { isMissing, nameOf } from './errors.ts'
import { attributesOf, uploadIdOf } from './parts.ts'
import { presign } from './presign.ts'

/** What is asked of whole objects, one request each. Errors are the SDK's. */

export async function statObject(
  { sdk, client, at }: Connected,
  key: string,
): Promise<{ size: number } | null> {
  try {
    const found = await client.send(new sdk.HeadObjectCommand(at(key)))
    return { size: found.ContentLength ?? 0 }
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

export async function openObject(
  to: Connected,
  key: string,
  range?: ByteRange,
): Promise<OpenedObject | null> {
  const headers = { range: range && `bytes=${range.start}-${range.end}` }
  try {
    const found = await to.wire.send({ method: 'GET', key, headers })
    const { 'content-range': part = '', 'content-length': length } = found.headers
    const whole = /\/(\d+)$/.exec(part)?.[1]
    return { size: Number(whole ?? length), stream: found.body }
  } catch (error) {
    if (isMissing(error)) return null
    if (nameOf(error) !== 'InvalidRange') throw error
    // The object is shorter than the range: whoever asked wants to know how long it is.
    const held = await statObject(to, key)
    return held && { size: held.size, stream: Readable.from([]) }
  }
}

export async function deleteObject({ sdk, client, at }: Connected, key: string) {
  await client.send(new sdk.DeleteObjectCommand(at(key)))
}

/** AWS forgets that it ever had an upload, MinIO says yes to anything (S9): both are fine. */
export async function abortUpload(
  { sdk, client, at }: Connected,
  key: string,
  memo: Memo | null,
): Promise<void> {
  const UploadId = uploadIdOf(memo)
  if (UploadId === null) return
  const command = new sdk.AbortMultipartUploadCommand({ ...at(key), UploadId })
  await client.send(command).catch((error: unknown) => {
    if (!['NoSuchUpload', 'NotFound'].includes(nameOf(error))) throw error
  })
}

export async function copyObject(to: Connected, from: string, key: string) {
  const { settings, sdk, client, at } = to
  const source = at(from)
  const CopySource = encodeURI(`${source.Bucket}/${source.Key}`)
  const input = { ...at(key), CopySource, ...attributesOf(settings, {}) }
  await client.send(new sdk.CopyObjectCommand(input))
}

export function signUrl(to: Connected, key: string, grant: UrlGrant): Promise<string> {
  const { sdk, publicClient, at } = to
  const command = new sdk.GetObjectCommand({
    ...at(key),
    ResponseContentType: grant.contentType,
    ResponseContentDisposition: grant.contentDisposition,
    ResponseCacheControl: grant.cacheControl,
  })
  return presign(publicClient, command, grant.expiresIn)
}

/** At start only what no waiting mends is an error: a service that is down may come back. */
export async function requireBucket({ settings, sdk, client }: Connected): Promise<void> {
  const command = new sdk.HeadBucketCommand({ Bucket: settings.bucket })
  await client.send(command).catch((cause: unknown) => {
    const problem = problems.get(nameOf(cause))
    if (problem) throw new CarcosaError('CONFIG_INVALID', { message: problem, cause })
  })
}

const noBucket =
  's3(): the bucket does not exist. Create it, or correct bucket, region or endpoint.'

const problems = new Map([
  ['NotFound', noBucket],
  ['NoSuchBucket', noBucket],
  [
    'CredentialsProviderError',
    's3(): there are no credentials. Give `credentials`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role.',
  ],
])
