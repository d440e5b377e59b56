import { basename } from 'node:path'
import { S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { receive } from '../receive.ts'
import type { S3Reference } from '../reference.ts'
import { bucket, clientConfig } from './client-config.ts'

/** `Upload` of `@aws-sdk/lib-storage`, every option at its default. */
export const libStorage: S3Reference = (endpoint) => {
  const client = new S3Client(clientConfig(endpoint))
  return receive('', async (req, path) => {
    const params = { Bucket: bucket, Key: basename(path), Body: req }
    await new Upload({ client, params }).done()
  })
}
