import { createHash } from 'node:crypto'
import { CarcosaError } from '../../src/shared/errors.ts'
import type { Part } from '../store.ts'
import type { Connected } from './client.ts'
import { isMissing, toStoreError } from './errors.ts'
import { readReceipt } from './parts.ts'

export interface Completing {
  readonly key: string
  readonly uploadId: string
  readonly parts: readonly Part[]
  readonly size: number
}

/**
 * Makes one object of the parts. Whatever the service answers, the object decides: some answer
 * an error although they made it (S20), one that was completed before says NoSuchUpload (S2),
 * and an answer may be lost on the way.
 *
 * @throws {CarcosaError} STORAGE_CORRUPT if parts are missing, STORAGE_UNAVAILABLE
 */
export async function completeParts(
  to: Connected,
  completing: Completing,
): Promise<void> {
  requireWhole(completing)
  const { settings, sdk, client, at } = to
  const { key, uploadId, parts, size } = completing
  try {
    const completed = await client.send(
      new sdk.CompleteMultipartUploadCommand({
        ...at(key),
        UploadId: uploadId,
        MultipartUpload: {
          Parts: parts.map(({ number, receipt }) => ({
            PartNumber: number,
            ...readReceipt(receipt),
          })),
        },
        ...(settings.profile.checksum === 'crc32' && { MpuObjectSize: size }),
      }),
    )
    if (hasParts(completed.ETag, parts.length)) return
  } catch (error) {
    const failure = toStoreError(error)
    const isMade = await isThere(to, completing).catch((cause: unknown) => {
      // Parts may be missing because they are in the object, which nobody knows now.
      throw failure.code === 'STORAGE_CORRUPT' ? cause : failure
    })
    if (isMade) return
    throw failure
  }
  if (await isThere(to, completing)) return
  throw new CarcosaError('STORAGE_CORRUPT', {
    message: 'The store made another object than it was told to.',
  })
}

/** Nothing is completed that is not, by our own account, exactly the file (S1). */
function requireWhole({ parts, size }: Completing): void {
  // Numbers are left out where a writer was overtaken; a hole would be missed in the sum.
  const isRow = parts.every(({ number }, i) => number > (parts[i - 1]?.number ?? 0))
  const held = parts.reduce((sum, part) => sum + part.size, 0)
  if (isRow && held === size) return
  throw new CarcosaError('STORAGE_CORRUPT', {
    message: `The parts of the upload have ${held} bytes where ${size} are expected.`,
    details: { held, size },
  })
}

/** The ETag of an object of several parts ends with their number. */
function hasParts(etag: string | undefined, count: number): boolean {
  const suffix = /-(\d+)"?$/.exec(etag ?? '')?.[1]
  return suffix === undefined || Number(suffix) === count
}

/** Whether the object is there and is the one that these parts make. */
async function isThere(
  { sdk, client, at }: Connected,
  { key, parts, size }: Completing,
): Promise<boolean> {
  try {
    const found = await client.send(new sdk.HeadObjectCommand(at(key)))
    if (found.ContentLength !== size) return false
    const expected = compositeTag(parts)
    const isKnown = expected !== null && /^"?[0-9a-f]{32}-\d+"?$/.test(found.ETag ?? '')
    // Under some kinds of encryption an ETag is no digest: then the size must do.
    return isKnown && !found.ServerSideEncryption?.startsWith('aws:')
      ? found.ETag?.replaceAll('"', '') === expected
      : hasParts(found.ETag, parts.length)
  } catch (error) {
    if (isMissing(error)) return false
    throw toStoreError(error)
  }
}

/** MD5 of the MD5s of the parts, and their number; null if the ETags are no MD5s. */
function compositeTag(parts: readonly Part[]): string | null {
  const tags = parts.map(({ receipt }) => readReceipt(receipt).ETag.replaceAll('"', ''))
  if (!tags.every((tag) => /^[0-9a-f]{32}$/.test(tag))) return null
  const hash = createHash('md5')
  for (const tag of tags) hash.update(Buffer.from(tag, 'hex'))
  return `${hash.digest('hex')}-${tags.length}`
}
