import { CarcosaError } from '../../src/shared/errors.ts'
import type { DirectOptions, DirectUpload, DirectUploads, Memo } from '../store.ts'
import type { Connected } from './client.ts'
import { nameOf } from './errors.ts'
import { attributesOf, uploadIdOf } from './parts.ts'
import { presign } from './presign.ts'

/** More URLs than this would be slow to sign and to send: the parts become larger instead. */
const maxUrls = 500

/** Runs requests; what goes wrong is an error of ours. */
export type Ask = <T>(work: (to: Connected) => Promise<T>) => Promise<T>

/**
 * Uploads from the client to S3. What the client claims is not believed: only the service
 * knows which parts there are, and whoever asked compares the size of the object afterwards.
 * Always in parts, however small: the URL of a whole object would work again after it was
 * judged, while those of parts are worth nothing once the object is made.
 */
export function directUploads(ask: Ask): DirectUploads {
  return {
    begin: (key, size, options) => ask((to) => beginParts(to, { key, size, options })),

    finish: (key, memo, receipts) =>
      ask(async (to) => {
        const UploadId = uploadIdOf(memo) ?? ''
        await finishParts(to, { ...to.at(key), UploadId }, { memo, receipts })
      }),
  }
}

interface Beginning {
  key: string
  size: number
  options: DirectOptions
}

async function beginParts(
  { settings, sdk, client, publicClient, ...to }: Connected,
  { key, size, options }: Beginning,
): Promise<DirectUpload> {
  const at = to.at(key)
  const attributes = attributesOf(settings, options.info)
  const begun = await client.send(
    new sdk.CreateMultipartUploadCommand({ ...at, ...attributes }),
  )
  const UploadId = begun.UploadId ?? ''
  const partSize = Math.max(settings.partSize, Math.ceil(size / maxUrls))
  const count = Math.ceil(size / partSize)
  const parts = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const PartNumber = i + 1
      const ContentLength = Math.min(partSize, size - i * partSize)
      const input = { ...at, UploadId, PartNumber, ContentLength }
      const command = new sdk.UploadPartCommand(input)
      const url = await presign(publicClient, command, options.expiresIn)
      return { url, size: ContentLength, headers: {} }
    }),
  )
  return { memo: { uploadId: UploadId, direct: count }, parts }
}

async function finishParts(
  { sdk, client }: Connected,
  at: { Bucket: string; Key: string; UploadId: string },
  { memo, receipts }: { memo: Memo; receipts: readonly string[] },
): Promise<void> {
  if (receipts.length !== memo.direct) {
    throw incomplete(`It has ${memo.direct} parts; ${receipts.length} receipts came.`)
  }
  const Parts = receipts.map((ETag, i) => ({ ETag, PartNumber: i + 1 }))
  const input = { ...at, MultipartUpload: { Parts } }
  try {
    await client.send(new sdk.CompleteMultipartUploadCommand(input))
  } catch (error) {
    const name = nameOf(error)
    if (name === 'NoSuchUpload' || name === 'NotFound') {
      // Completed before, perhaps: whoever asks looks at the object itself.
      return
    }
    if (
      !['InvalidPart', 'InvalidPartOrder', 'EntityTooSmall', 'MalformedXML'].includes(
        name,
      )
    )
      throw error
    throw incomplete('A part is missing, or its receipt is another.', error)
  }
}

function incomplete(what: string, cause?: unknown): CarcosaError {
  return new CarcosaError('UPLOAD_INCOMPLETE', {
    message: `Not every part of the upload arrived. ${what} Send every part to its URL, then finish with the ETag of each, in order.`,
    cause,
  })
}
