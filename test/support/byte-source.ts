import { Readable } from 'node:stream'
import type { ByteSource, Progress } from '../../stores/store.ts'

/** A source that notes everything a store does with it. */
export interface WatchedSource extends ByteSource {
  /** What was shown to `onChunk`, in order. */
  readonly seen: Buffer[]
  /** The offsets that were told to `onStored`, in order. */
  readonly stored: number[]
  /** All that was told to it. */
  readonly told: Progress[]
  /** How often `onExcess` was called. */
  readonly excess: () => number
}

/** The bytes of `stream` for a store, up to `limit`, until `signal`. */
export function byteSource(
  stream: Readable | readonly Buffer[] | Buffer | string,
  options: { limit?: number; signal?: AbortSignal } = {},
): WatchedSource {
  const { limit = Number.MAX_SAFE_INTEGER, signal = new AbortController().signal } =
    options
  const seen: Buffer[] = []
  const stored: number[] = []
  const told: Progress[] = []
  let excess = 0
  return {
    stream: toStream(stream),
    limit,
    signal,
    seen,
    stored,
    told,
    excess: () => excess,
    onChunk: (chunk) => void seen.push(Buffer.from(chunk)),
    onStored(progress) {
      told.push(progress)
      stored.push(progress.offset)
    },
    onExcess() {
      excess++
    },
  }
}

/** `bytes` in pieces whose sizes `random` chooses, from 1 to `most`. */
export function pieces(bytes: Buffer, random: () => number, most: number): Buffer[] {
  const list: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + Math.floor(random() ** 3 * most)
    list.push(bytes.subarray(at, at + size))
    at += size
  }
  return list
}

/** Repeatable bytes. */
export function randomBytesFrom(random: () => number, size: number): Buffer {
  const bytes = Buffer.alloc(size)
  for (let at = 0; at < size; at += 4) {
    const word = Math.floor(random() * 2 ** 32)
    for (let i = 0; i < 4 && at + i < size; i++) bytes[at + i] = (word >>> (8 * i)) & 255
  }
  return bytes
}

function toStream(given: Readable | readonly Buffer[] | Buffer | string): Readable {
  if (given instanceof Readable) return given
  const parts = typeof given === 'string' ? [Buffer.from(given)] : given
  return Readable.from(Buffer.isBuffer(parts) ? [parts] : parts)
}
