import { createHash, type Hash } from 'node:crypto'

/** Enough of the start of a file for every format `file-type` knows. */
export const headBytes = 4100

/**
 * What this process remembers of an upload it wrote from the first byte on, so that nothing
 * is read twice: the running SHA-256 and the first bytes. It is only ever a shortcut: when
 * it is missing (restart, another node, evicted) the store and a job give the same answers.
 */
export interface Tail {
  /** Where the next byte must belong for this memory to be worth anything. */
  offset: number
  hash: Hash | null
  head: Buffer
  /** What its first bytes say it is, if that was asked early. */
  early: EarlyType | null
}

/** The type of a file, asked for before anybody waits for it. */
export interface EarlyType {
  /** Of the first bytes it was asked for with. */
  readonly length: number
  readonly type: Promise<string | null>
}

export interface Tails {
  /** Takes the memory out if it stands at `offset`; a new one for offset 0; else null. */
  take(id: string, offset: number): Tail | null
  /** Begins to remember an upload that was just created. */
  begin(id: string, early: EarlyType | null): void
  put(id: string, tail: Tail): void
  drop(id: string): void
  /** The offset this process left the upload at, if it remembers it. */
  offsetOf(id: string): number | null
}

/** Remembers at most `capacity` unfinished uploads, about 5 KiB each; the oldest go first. */
export function createTails(digest: boolean, capacity = 10_000): Tails {
  const tails = new Map<string, Tail>()
  const put = (id: string, tail: Tail) => {
    tails.set(id, tail)
    if (tails.size <= capacity) return
    const oldest = tails.keys().next().value
    if (oldest !== undefined) tails.delete(oldest)
  }

  return {
    put,
    begin: (id, early) => put(id, newTail(digest, early)),
    take(id, offset) {
      const tail = tails.get(id)
      tails.delete(id)
      if (tail?.offset === offset) return tail
      return offset === 0 ? newTail(digest, null) : null
    },
    drop(id) {
      tails.delete(id)
    },
    offsetOf(id) {
      return tails.get(id)?.offset ?? null
    },
  }
}

/** Takes note of the next chunk of the file. */
export function feed(tail: Tail, chunk: Buffer): void {
  tail.offset += chunk.length
  tail.hash?.update(chunk)
  if (tail.head.length >= headBytes) return
  const missing = headBytes - tail.head.length
  tail.head = Buffer.concat([tail.head, chunk.subarray(0, missing)])
}

/** Of an upload of which nothing has arrived. */
export function newTail(digest: boolean, early: EarlyType | null): Tail {
  const hash = digest ? createHash('sha256') : null
  return { offset: 0, hash, head: Buffer.alloc(0), early }
}
