import type { Readable } from 'node:stream'
import type { UploadDeps } from './deps.ts'
import { type EarlyType, headBytes } from './tails.ts'

/**
 * Asks for the type of a file whose first bytes came in with the request that creates it, so
 * that the detector works while the row is written. Null where they did not.
 */
export function detectEarly(
  { detector }: UploadDeps,
  body: Readable,
  size: number | null,
): EarlyType | null {
  const length = Math.min(size ?? headBytes, headBytes)
  if (length === 0 || body.readableLength < length) return null
  const chunk: Buffer | null = body.read()
  if (!chunk) return null
  body.unshift(chunk)
  // A copy: the thread would be sent all of the memory that the chunk is a view of.
  const head = new Uint8Array(chunk.subarray(0, length))
  return { length, type: detector.detect(head) }
}
