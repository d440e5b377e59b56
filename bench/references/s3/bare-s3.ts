import { S3Store } from '@tus/s3-store'
import { Server } from '@tus/server'
import { type S3Reference, uploadsPath } from '../reference.ts'
import { bucket, clientConfig } from './client-config.ts'

/** `@tus/server` with `@tus/s3-store`, parts of 8 MiB and every other option at its default. */
export const bareS3: S3Reference = (endpoint) => {
  const server = new Server({
    path: uploadsPath,
    datastore: new S3Store({
      partSize: 8 * 2 ** 20,
      s3ClientConfig: { bucket, ...clientConfig(endpoint) },
    }),
  })
  return (req, res) => server.handle(req, res)
}
