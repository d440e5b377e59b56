import { CarcosaError } from '../shared/errors.ts'
import type { UploadBody } from '../uploads/body.ts'

/** A part of a body. */
export interface Piece {
  readonly bytes: Uint8Array<ArrayBuffer> | Blob
  readonly length: number
  /** Whether nothing comes behind it. */
  readonly isLast: boolean
}

/** The bytes of an upload, piece by piece. */
export interface Bytes {
  /** Null if that is not known before they end. */
  readonly size: number | null
  /**
   * The bytes from `offset` on. It may lie anywhere in what is known beforehand, and in a stream
   * from the beginning of the piece before.
   * @throws {CarcosaError} LENGTH_INVALID if there are more or fewer than was said
   * @throws what a stream fails with
   */
  from(offset: number): Promise<Piece>
  /** Tells a stream that nobody reads on. */
  close(): Promise<void>
}

/** How much of a stream is in memory, and is lost when a connection breaks. */
const pieceLength = 8 * 1024 * 1024
/** The same of what can be read again. */
const blobLength = 64 * 1024 * 1024

/** Of a body as long as `said`, which need not be so. */
export function createBytes(body: UploadBody, said: number | undefined): Bytes {
  const whole = wholeOf(body)
  if (!whole) return ofStream(body as AsyncIterable<unknown>, said ?? null)
  return {
    size: said ?? whole.size,
    async from(offset) {
      if (said !== undefined && said !== whole.size) throw wrongLength(whole.size, said)
      const end = Math.min(whole.size, offset + blobLength)
      const isLast = end === whole.size
      return { bytes: whole.slice(offset, end), length: end - offset, isLast }
    },
    close: async () => undefined,
  }
}

function wholeOf(body: UploadBody): Blob | null {
  if (body instanceof Blob) return body
  if (typeof body === 'string') return new Blob([body])
  // The DOM wants to know that its memory is not shared, which a Blob copies anyway.
  if (body instanceof Uint8Array) return new Blob([body as Uint8Array<ArrayBuffer>])
  return null
}

function ofStream(
  body: AsyncIterable<unknown> | ReadableStream,
  said: number | null,
): Bytes {
  const iterator = chunksOf(body)
  let rest: Uint8Array[] = []
  let piece = { start: 0, bytes: new Uint8Array(0), isLast: false }

  const read = async (): Promise<Uint8Array | null> => {
    const waiting = rest.shift()
    if (waiting) return waiting
    const { value, done } = await iterator.next()
    return done ? null : toBytes(value)
  }
  const next = async (start: number) => {
    const parts: Uint8Array[] = []
    let length = 0
    for (;;) {
      const part = await read()
      if (part === null) return { start, bytes: joined(parts, length), isLast: true }
      const room = pieceLength - length
      if (part.length > room) {
        rest = [part.subarray(room), ...rest]
        parts.push(part.subarray(0, room))
        return { start, bytes: joined(parts, pieceLength), isLast: false }
      }
      parts.push(part)
      length += part.length
    }
  }

  return {
    size: said,
    async from(offset) {
      const end = piece.start + piece.bytes.length
      if (offset === end && !piece.isLast) piece = await next(offset)
      const skipped = offset - piece.start
      if (skipped < 0 || skipped > piece.bytes.length) throw lost(offset)
      const { start, isLast } = piece
      const read = start + piece.bytes.length
      if (said !== null && (read > said || (isLast && read < said)))
        throw wrongLength(read, said)
      const bytes = piece.bytes.subarray(skipped)
      return { bytes, length: bytes.length, isLast }
    },
    async close() {
      // Whoever began it has its reason already.
      await iterator.return?.().catch(() => undefined)
    },
  }
}

/** Not every runtime lets web streams be iterated. */
async function* chunksOf(
  body: AsyncIterable<unknown> | ReadableStream,
): AsyncGenerator<unknown, void, undefined> {
  if (!(body instanceof ReadableStream)) return yield* body
  const reader = body.getReader()
  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

const encoder = new TextEncoder()

function toBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  if (typeof value === 'string') return encoder.encode(value)
  throw new TypeError(`A body yields bytes or text, not ${typeof value}.`)
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

function wrongLength(found: number, said: number): CarcosaError {
  return new CarcosaError('LENGTH_INVALID', {
    message: `The body has ${found} or more bytes, not ${said}. Give the size it really has, or none.`,
    details: { offset: found, size: said },
  })
}

function lost(offset: number): CarcosaError {
  return new CarcosaError('OFFSET_MISMATCH', {
    message: `The server asks for byte ${offset} of a stream, which was sent and is not kept.`,
    details: { offset },
  })
}
