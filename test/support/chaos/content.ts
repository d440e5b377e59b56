import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'

/**
 * A file that exists nowhere: its byte at every position follows from a seed, so that any
 * range can be sent again and its digest is known without a gigabyte on disk.
 */
export interface Content {
  size: number
  sha256: string
  /** Bytes from `start` up to `end` (default: all), in pieces of about `pieceSize`. */
  from(start: number, pieceSize?: number, end?: number): Readable
}

// A length that no power of two divides, so that a misplaced piece cannot go unnoticed.
const patternSize = 1_000_003

export function content(size: number, seed = 1): Content {
  const pattern = makePattern(seed)
  return {
    size,
    sha256: digest(pieces(pattern, { start: 0, size, pieceSize: patternSize })),
    from: (start, pieceSize = 256 * 1024, end = size) =>
      Readable.from(pieces(pattern, { start, size: end, pieceSize }), {
        objectMode: false,
      }),
  }
}

function* pieces(
  pattern: Buffer,
  { start, size, pieceSize }: { start: number; size: number; pieceSize: number },
): Generator<Buffer> {
  for (let at = start; at < size; ) {
    const within = at % patternSize
    const end = Math.min(within + pieceSize, patternSize, within + size - at)
    yield pattern.subarray(within, end)
    at += end - within
  }
}

function makePattern(seed: number): Buffer {
  const pattern = Buffer.alloc(patternSize)
  let state = seed >>> 0
  for (let i = 0; i < patternSize; i++) {
    // Numerical Recipes' linear congruential generator: fast, and good enough to tell bytes apart.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    pattern[i] = state >>> 24
  }
  return pattern
}

function digest(chunks: Iterable<Buffer>): string {
  const hash = createHash('sha256')
  for (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex')
}
