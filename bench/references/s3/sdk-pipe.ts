import type { IncomingMessage, ServerResponse } from 'node:http'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import type { S3Reference } from '../reference.ts'
import { bucket, clientConfig } from './client-config.ts'
import { relay } from './relay.ts'

/** The stream of the SDK piped into the answer by hand. Uploads, so that there is something to read, are relayed. */
export const sdkPipe: S3Reference = (endpoint) => {
  const client = new S3Client(clientConfig(endpoint))
  const upload = relay(endpoint)
  return (req, res) => (req.method === 'GET' ? serve(client, req, res) : upload(req, res))
}

async function serve(
  client: S3Client,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const Range = req.headers.range
  const Key = basename(req.url ?? '')
  const found = await client.send(new GetObjectCommand({ Bucket: bucket, Key, Range }))
  if (!(found.Body instanceof Readable)) throw new Error(`No stream of ${Key}`)
  res.writeHead(Range ? 206 : 200, {
    'content-type': found.ContentType,
    'content-length': found.ContentLength,
    ...(Range && { 'content-range': found.ContentRange }),
  })
  await pipeline(found.Body, res)
}
