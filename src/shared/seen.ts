import { hash, randomBytes } from 'node:crypto'

/** Texts that were shown to it, in two bytes each: a Bloom filter. */
export interface Seen {
  add(text: string): void
  /**
   * Always true for a text that was added. Of a thousand others about one is taken for added,
   * and in each new filter another one.
   */
  has(text: string): boolean
}

const bitsPerText = 16
const fewestBits = 2 ** 16
/** 128 MiB. With more than 67 million texts more of them are taken for added. */
const mostBits = 2 ** 30

/** For about `count` texts, in an order that does not matter. */
export function createSeen(count: number): Seen {
  const size = Math.min(Math.max(count * bitsPerText, fewestBits), mostBits)
  const bits = new Uint8Array(Math.ceil(size / 8))
  const salt = randomBytes(8).toString('hex')
  /** Where the bits of a text are: eight numbers from one hash. */
  const positions = (text: string) => {
    const digest = hash('sha256', salt + text, 'buffer')
    return [0, 4, 8, 12, 16, 20, 24, 28].map((at) => digest.readUInt32LE(at) % size)
  }
  return {
    add(text) {
      for (const at of positions(text)) bits[at >> 3] = byteAt(bits, at) | (1 << (at & 7))
    },
    has: (text) => positions(text).every((at) => byteAt(bits, at) & (1 << (at & 7))),
  }
}

function byteAt(bits: Uint8Array, position: number): number {
  return bits[position >> 3] ?? 0
}
