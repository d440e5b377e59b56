import { createCipheriv } from 'node:crypto'
import { crc32 } from 'node:zlib'

/**
 * The bytes every upload consists of: one block over and over, which looks random and is the
 * same in every process. Its length is prime, so that a piece that is lost, doubled or moved
 * by any power of two breaks the pattern.
 */
export const block: Buffer = createCipheriv(
  'aes-128-ctr',
  Buffer.alloc(16),
  Buffer.alloc(16),
).update(Buffer.alloc(1_048_573))

/** `size` bytes of the content from the position `from` on, as views of the block. */
export function* pieces(size: number, from = 0): Generator<Buffer> {
  const end = from + size
  for (let offset = from; offset < end; ) {
    const start = offset % block.length
    const length = Math.min(block.length - start, end - offset)
    yield block.subarray(start, start + length)
    offset += length
  }
}

/** The CRC-32 of `size` bytes of the content from the position `from` on. */
export function checksum(size: number, from = 0): number {
  let sum = 0
  for (const piece of pieces(size, from)) sum = crc32(piece, sum)
  return sum
}

/**
 * Reads `source` to its end and throws unless it is exactly the `size` bytes of content.
 * `what` names it in the message.
 */
export async function expectContent(
  source: AsyncIterable<Uint8Array>,
  size: number,
  what: string,
): Promise<void> {
  let offset = 0
  for await (const chunk of source) {
    if (!isContent(chunk, offset)) throw new Error(`${what}: wrong bytes after ${offset}`)
    offset += chunk.length
  }
  if (offset !== size) throw new Error(`${what}: ${offset} bytes kept of ${size} sent`)
}

/** Whether `chunk` is what the content has at `offset`. */
export function isContent(chunk: Uint8Array, offset: number): boolean {
  for (let done = 0; done < chunk.length; ) {
    const start = (offset + done) % block.length
    const length = Math.min(block.length - start, chunk.length - done)
    const expected = block.subarray(start, start + length)
    if (expected.compare(chunk, done, done + length) !== 0) return false
    done += length
  }
  return true
}
