import type { IncomingMessage } from 'node:http'
import { crc32 } from 'node:zlib'
import { createDechunker } from './aws-chunked.ts'

/** What is left of a body. */
export interface Body {
  size: number
  crc: number
  /** The bytes, of a body so short that a server may have put its state or a tail there. */
  bytes: Buffer | null
}

/** Longest body whose bytes are kept: one that could not be a part of its own. */
const keptBytes = 5 * 2 ** 20

/**
 * Reads the body of `req` to its end, decoding aws-chunked. The bytes are kept only if
 * `keep` and there are few of them. Rejects if the client hangs up.
 */
export function receiveBody(req: IncomingMessage, keep: boolean): Promise<Body> {
  const { promise, resolve, reject } = Promise.withResolvers<Body>()
  let size = 0
  let crc = 0
  let chunks: Buffer[] | null = keep ? [] : null
  const take = (chunk: Buffer) => {
    size += chunk.length
    crc = crc32(chunk, crc)
    if (size > keptBytes) chunks = null
    chunks?.push(chunk)
  }
  const encoding = req.headers['content-encoding'] ?? ''
  req.on('data', encoding.includes('aws-chunked') ? createDechunker(take) : take)
  // Copied, because a short chunk would hold on to the whole 64 KiB it was read into.
  req.on('end', () => resolve({ size, crc, bytes: chunks && Buffer.concat(chunks) }))
  req.on('close', () => reject(new Error('The client hung up')))
  return promise
}
