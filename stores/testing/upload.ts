import assert from 'node:assert/strict'
import type { GrowingObject, ObjectInfo, Progress, Store } from '../store.ts'
import { type Content, requireSame, toStream } from './bytes.ts'
import { nothing, type Remembered, remember, requireSound } from './remembered.ts'

export interface UploadOptions {
  readonly key: string
  /** Null while it is not known. */
  readonly size: number | null
  /** Bytes of a part; 0 for a store without parts. */
  readonly partSize: number
}

export interface WriteOptions {
  /** Default what is missing of the size. */
  readonly limit?: number
  readonly signal?: AbortSignal
  /** Called whenever the store showed a chunk. */
  onChunk?(): void
  /** Called whenever the store told of progress, after it was remembered. */
  onStored?(): void
}

export interface Written {
  readonly offset: number
  /** How often the store said that there was more than the limit. */
  readonly excess: number
  /** What it showed to `onChunk`, from the first byte of the object on. */
  readonly shown: Buffer
}

/** How many bytes a store shows to be told what to attach to an object. */
const headBytes = 4100
const info: ObjectInfo = {
  contentType: 'text/plain',
  contentDisposition: 'inline; filename="a.txt"',
  metadata: { 'carcosa-id': 'id' },
}

/**
 * The caller of a store, who remembers what it is told as a database would and nothing else:
 * every call gets an object made anew from that. Every write is checked for what holds
 * whatever is written.
 */
export class Upload {
  readonly key: string
  /** May be declared later. */
  size: number | null
  /** Another instance for the same place may take over. */
  store: Store
  remembered = nothing
  /** Whether the caller is sure that nothing of this key is there. */
  fresh = false
  /** What was remembered during the last write, from before it to its end. */
  history: readonly Remembered[] = []
  #shown: Buffer[] = []
  readonly #partSize: number
  /** What a route allows: few enough parts that theirs need not be larger. */
  readonly #maxSize: number

  constructor(store: Store, { key, size, partSize }: UploadOptions) {
    this.store = store
    this.key = key
    this.size = size
    this.#partSize = partSize
    this.#maxSize = partSize > 0 ? 100 * partSize : 2 ** 40
  }

  get offset(): number {
    return this.remembered.offset
  }

  /** As the store gets it; a lie of the caller may be put over it. */
  object(lie: Partial<GrowingObject> = {}): GrowingObject {
    const { key, size, offset, fresh } = this
    return {
      key,
      offset,
      fresh,
      size,
      maxSize: size ?? this.#maxSize,
      memo: this.#memo(),
      parts: async () => JSON.parse(this.remembered.parts),
      staged: async () => this.remembered.staged.map(({ bytes }) => bytes),
      describe: async (head) => this.#describe(head),
      ...lie,
    }
  }

  async write(content: Content, options: WriteOptions = {}): Promise<Written> {
    const from = this.offset
    const history = [this.remembered]
    let excess = 0
    this.history = history
    this.#shown = [this.#content().subarray(0, from)]
    const offset = await this.store.write(this.object(), {
      stream: toStream(content),
      limit: options.limit ?? (this.size ?? this.#maxSize) - from,
      signal: options.signal ?? new AbortController().signal,
      onChunk: (chunk) => {
        this.#shown.push(Buffer.from(chunk))
        options.onChunk?.()
      },
      onStored: (progress: Progress) => {
        this.remembered = remember(this.remembered, progress)
        history.push(this.remembered)
        options.onStored?.()
      },
      onExcess() {
        excess++
      },
    })
    this.#requireHonest(offset)
    return { offset, excess, shown: this.#content() }
  }

  complete(size = this.size ?? this.offset): Promise<void> {
    return this.store.complete(this.object(), size)
  }

  /** Takes everything away, with what is remembered of it. */
  async remove(): Promise<void> {
    await this.store.remove(this.key, this.#memo())
    this.remembered = nothing
  }

  #memo() {
    const { memo } = this.remembered
    return memo === null ? null : JSON.parse(memo)
  }

  /** What the store showed to `onChunk` so far. */
  #content(): Buffer {
    return Buffer.concat(this.#shown)
  }

  #describe(head: Buffer): ObjectInfo {
    const content = this.#content()
    requireSame(head, content.subarray(0, head.length))
    const whole = this.#partSize === 0 || this.#partSize >= headBytes
    const wanted = Math.min(headBytes, content.length)
    if (whole) assert.equal(head.length, wanted, 'bytes that describe() is given')
    return info
  }

  #requireHonest(offset: number): void {
    const offsets = this.history.map((state) => state.offset)
    for (const state of this.history) requireSound(state, this.#partSize)
    assert.deepEqual(
      offsets,
      offsets.toSorted((a, b) => a - b),
      'offsets told never go back',
    )
    assert.equal(offset, this.offset, 'the last offset told is the one returned')
    assert.equal(this.#content().length, offset, 'bytes kept are those shown to onChunk')
    if (offset !== this.size) return
    const { staged } = this.remembered
    assert.equal(staged.length, 0, 'with the last byte nothing stays staged')
  }
}
