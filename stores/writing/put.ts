import { Readable } from 'node:stream'
import { CarcosaError } from '../../src/shared/errors.ts'
import type {
  ByteSource,
  GrowingObject,
  Memo,
  Part,
  Progress,
  PutInfo,
  Store,
} from '../store.ts'

/** What `put` was asked for. */
export interface Putting {
  key: string
  body: Readable | Buffer
  info: PutInfo
}

/**
 * `Store.put` by way of `write` and `complete`, for a store that has no better one: what is to
 * be remembered of the growing object is remembered here.
 */
export async function putByWriting(store: Store, putting: Putting): Promise<number> {
  const { key, body, info } = putting
  const pieces: Pieces = { memo: null, parts: [], staged: [] }
  const stream = Buffer.isBuffer(body) ? Readable.from([body]) : body
  const size = info.size ?? (Buffer.isBuffer(body) ? body.length : null)
  try {
    await store.remove(key)
    const first = growing(putting, pieces, { offset: 0, size })
    const offset = await store.write(first, sourceOf(stream, pieces, size))
    if (stream.errored) throw stream.errored
    if (size === null ? !stream.readableEnded : offset !== size) {
      throw brokeOff(offset, size)
    }
    const whole = growing(putting, pieces, { offset, size: offset })
    if (size === null) await store.write(whole, sourceOf(Readable.from([]), pieces, 0))
    await store.complete(growing(putting, pieces, { offset, size: offset }), offset)
    return offset
  } catch (error) {
    await store.remove(key, pieces.memo)
    throw error
  }
}

interface Pieces {
  memo: Memo | null
  parts: Part[]
  staged: { position: number; bytes: Buffer }[]
}

function growing(
  { key, info }: Putting,
  pieces: Pieces,
  { offset, size }: { offset: number; size: number | null },
): GrowingObject {
  return {
    key,
    offset,
    size,
    maxSize: size ?? Number.MAX_SAFE_INTEGER,
    memo: pieces.memo,
    parts: async () => pieces.parts,
    staged: async () => pieces.staged.map(({ bytes }) => bytes),
    describe: async () => info,
  }
}

function sourceOf(stream: Readable, pieces: Pieces, size: number | null): ByteSource {
  return {
    stream,
    limit: size ?? Number.MAX_SAFE_INTEGER,
    signal: new AbortController().signal,
    onChunk() {},
    onExcess() {},
    onStored({ offset, memo, parts = [], settled = 0, staged }: Progress) {
      pieces.memo = memo ?? pieces.memo
      pieces.parts.push(...parts)
      pieces.staged = pieces.staged.filter(({ position }) => position >= settled)
      if (staged) {
        pieces.staged.push({ position: offset - staged.length, bytes: staged })
      }
    },
  }
}

function brokeOff(offset: number, size: number | null): CarcosaError {
  return new CarcosaError('LENGTH_INVALID', {
    message: `The body broke off after ${offset} bytes${size === null ? '' : ` of ${size}`}.`,
    details: { offset, size },
  })
}
