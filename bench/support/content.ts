import { randomFillSync } from 'node:crypto'

/**
 * The bytes every upload consists of: one random block over and over. Its length is prime,
 * so that a piece that is lost, doubled or moved by any power of two breaks the pattern.
 */
export const block: Buffer = randomFillSync(Buffer.allocUnsafeSlow(1_048_573))

/** The `size` bytes of content as views of the block, none longer than `most` bytes. */
export function* pieces(size: number, most: number = block.length): Generator<Buffer> {
  for (let offset = 0; offset < size; ) {
    const start = offset % block.length
    const length = Math.min(most, block.length - start, size - offset)
    yield block.subarray(start, start + length)
    offset += length
  }
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
    if (!matches(chunk, offset)) throw new Error(`${what}: wrong bytes after ${offset}`)
    offset += chunk.length
  }
  if (offset !== size) throw new Error(`${what}: ${offset} bytes kept of ${size} sent`)
}

function matches(chunk: Uint8Array, offset: number): boolean {
  for (let done = 0; done < chunk.length; ) {
    const start = (offset + done) % block.length
    const length = Math.min(block.length - start, chunk.length - done)
    const expected = block.subarray(start, start + length)
    if (expected.compare(chunk, done, done + length) !== 0) return false
    done += length
  }
  return true
}
