import type { IncomingMessage } from 'node:http'
import { unchunked } from './aws-chunked.ts'
import { type Algorithm, algorithmIn, hasher } from './checksums.ts'
import { S3Error } from './error.ts'
import type { Content, Headers } from './state.ts'

export interface Reading {
  /** The headers of the request, those hoisted into a presigned URL included. */
  readonly headers: Headers
  /** The checksum to compute even when the request names none. */
  readonly algorithm: Algorithm | null
  /** Whether to keep the bytes. */
  readonly keep: boolean
  onReceived(count: number): void
}

/**
 * Reads the body of a request.
 * @throws S3Error if it is not what its length, Content-MD5 or checksum promise.
 */
export async function readContent(
  request: IncomingMessage,
  reading: Reading,
): Promise<Content> {
  const { headers, keep, onReceived } = reading
  const expected = expectedSize(headers)
  const algorithm = algorithmIn(headers) ?? reading.algorithm
  const trailers: Record<string, string> = {}
  const md5 = hasher('md5')
  const sum = algorithm && hasher(algorithm)
  const chunks: Buffer[] = []
  let size = 0
  const encoded = /\baws-chunked\b/.test(headers['content-encoding'] ?? '')
  for await (const chunk of encoded ? unchunked(request, trailers) : request) {
    onReceived(chunk.length)
    md5.update(chunk)
    sum?.update(chunk)
    size += chunk.length
    if (keep) chunks.push(chunk)
  }
  if (size !== expected) throw new S3Error('IncompleteBody')
  const content = { chunks, size, md5: md5.digest() }
  verifyMd5(headers['content-md5'], content.md5)
  if (!sum || !algorithm) return { ...content, checksum: null }
  const value = sum.digest()
  const name = `x-amz-checksum-${algorithm}`
  verifyChecksum(trailers[name] ?? headers[name], value)
  return { ...content, checksum: { algorithm, value } }
}

function expectedSize(headers: Headers): number {
  const length = headers['x-amz-decoded-content-length'] ?? headers['content-length']
  if (length === undefined) throw new S3Error('MissingContentLength')
  return Number(length)
}

function verifyMd5(claimed: string | undefined, real: Buffer): void {
  if (claimed === undefined) return
  const bytes = Buffer.from(claimed, 'base64')
  if (bytes.length !== 16) throw new S3Error('InvalidDigest')
  if (!bytes.equals(real)) {
    throw new S3Error('BadDigest', 'The Content-MD5 did not match what was received.')
  }
}

function verifyChecksum(claimed: string | undefined, real: Buffer): void {
  if (claimed === undefined || claimed === real.toString('base64')) return
  throw new S3Error('BadDigest', 'The checksum did not match what was received.')
}
