import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { ByteRange, Store } from '../store.ts'

/** Bytes that look random and are the same every time. */
export function repeatable(size: number, seed = 1): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16)).update(
    Buffer.alloc(size),
  )
}

/** `bytes` in pieces of 1 to `most` bytes, small ones more often than large ones. */
export function inPieces(bytes: Buffer, most: number): Buffer[] {
  const sizes = repeatable(4096, 2)
  const pieces: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const share = sizes.readUInt16LE((turn * 2) % sizes.length) / 0xffff
    const size = 1 + Math.floor(share ** 3 * (most - 1))
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

/** What a test sends. */
export type Content = string | Buffer | readonly Buffer[] | Readable

export function toStream(content: Content): Readable {
  if (content instanceof Readable) return content
  if (typeof content === 'string') return Readable.from([Buffer.from(content)])
  return Readable.from(Buffer.isBuffer(content) ? [content] : content)
}

/** The bytes of a finished object, which must be there. */
export async function read(
  store: Store,
  key: string,
  range?: ByteRange,
): Promise<Buffer> {
  const opened = await store.open(key, range)
  assert.ok(opened, `${key} can be opened`)
  return buffer(opened.stream)
}

/** Fails unless `key` is a finished object of exactly these bytes. */
export async function requireContent(
  store: Store,
  key: string,
  content: string | Buffer,
): Promise<void> {
  const bytes = Buffer.from(content)
  assert.deepEqual(await store.stat(key), { size: bytes.length }, `stat of ${key}`)
  requireSame(await read(store, key), bytes)
}

/** Like an assertion of equality, but its message is not megabytes long. */
export function requireSame(actual: Buffer, expected: Buffer): void {
  if (actual.equals(expected)) return
  const end = Math.min(actual.length, expected.length)
  let at = 0
  while (at < end && actual[at] === expected[at]) at++
  assert.fail(
    `${actual.length} bytes instead of ${expected.length}; they differ from byte ${at} on`,
  )
}

/** Fails unless there is no finished object. */
export async function requireAbsent(store: Store, key: string): Promise<void> {
  assert.equal(await store.stat(key), null, `stat of ${key}`)
  assert.equal(await store.open(key), null, `open of ${key}`)
}
