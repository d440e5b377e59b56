import type { GetObjectCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3'
import { CarcosaError } from '../../src/shared/errors.ts'

/** A URL for one request; `expiresIn` in ms. @throws {CarcosaError} CONFIG_INVALID */
export async function presign(
  client: S3Client,
  command: GetObjectCommand | UploadPartCommand,
  expiresIn: number,
): Promise<string> {
  const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner').catch(
    (cause) => {
      throw new CarcosaError('CONFIG_INVALID', {
        message: 'Signed URLs of S3 need: npm install @aws-sdk/s3-request-presigner',
        cause,
      })
    },
  )
  const options = { expiresIn: Math.ceil(expiresIn / 1000) }
  // One call for each type: the presigner's own is generic in the command.
  if ('PartNumber' in command.input)
    return getSignedUrl(client, command as UploadPartCommand, options)
  return getSignedUrl(client, command as GetObjectCommand, options)
}
