import type { ByteSource, GrowingObject, Memo, ObjectInfo, Part } from '../store.ts'
import { type Chunks, chunksOf } from './chunks.ts'
import { bytesOf, headOf, joinedBody, type PartBody, slice, tailOf } from './part-body.ts'
import type { Place, Staging } from './staging.ts'

/**
 * Cuts an upload into parts, for stores that take objects in parts. What is safe is always a
 * prefix: parts are sent side by side, but an offset is told only when every part before it
 * has its receipt. A part that failed is sent again under its number by whoever resumes.
 */

/** How a store takes parts. */
export interface PartTarget {
  /** Parts of one object that may be under way at the same time. */
  readonly concurrency: number
  /** How large the part at `position` is, unless it is the last. */
  partSize(at: PartPlace): number
  /**
   * How many of the bytes that a source left behind the last full part are sent as a part
   * although more will follow; the others are staged. 0, or at least those staged before.
   */
  shortPart(at: PartPlace, rest: Rest): number
  /** Stores the whole object in one request. */
  whole(body: PartBody, info: ObjectInfo): Promise<void>
  /** Begins an object of several parts and resolves with what must be remembered. */
  begin(info: ObjectInfo): Promise<Memo>
  /**
   * The number after which to go on where a writer was overtaken that may still send parts of
   * what comes `at`: one of its that arrives late must not replace one of ours. Without it late
   * parts do no harm.
   */
  pastContested?(memo: Memo, at: PartPlace): Promise<number>
  /** Sends a part; resolves with its receipt, null if the store needs none. */
  send(memo: Memo, part: OutgoingPart): Promise<string | null>
}

export interface PartPlace {
  /** Numbers of parts before it, used or left out. */
  readonly count: number
  /** Its first byte in the object. */
  readonly position: number
}

/** What is there of a part that is not full. */
export interface Rest {
  readonly bytes: number
  /** How many of them the source brought; the others were staged before. */
  readonly arrived: number
}

export interface OutgoingPart {
  /** From 1 on. */
  readonly number: number
  readonly position: number
  readonly body: PartBody
  /** Whether the object ends with it. */
  readonly last: boolean
}

/** What the writer adds to the memo of a store. */
interface Account {
  /** The number of the last part with a receipt. */
  readonly parts: number
  /** Bytes in them. */
  readonly settled: number
}

/** How much of an object lies in parts, by its memo. */
export function accountOf(memo: Memo | null): Account {
  const { parts = 0, settled = 0 } = (memo ?? {}) as Partial<Account>
  return { parts, settled }
}

export interface WriteOptions {
  readonly target: PartTarget
  readonly staging: Staging
}

/** `Store.write` for a store of parts. */
export function writeParts(
  options: WriteOptions,
  object: GrowingObject,
  source: ByteSource,
): Promise<number> {
  return new PartWriter(options, object, source).run()
}

class PartWriter {
  readonly #target: PartTarget
  readonly #staging: Staging
  readonly #object: GrowingObject
  readonly #source: ByteSource
  readonly #chunks: Chunks
  /** Of the part that is being filled. */
  #count: number
  #position: number
  /** Bytes of that part which the caller has staged. */
  #behind: number
  #place: Place | null = null
  #memo: Memo | null
  /** Receipts that came out of order wait for those before them. */
  readonly #receipts = new Map<number, { size: number; receipt: string | null }>()
  #settledCount: number
  #settled: number
  readonly #underWay = new Set<Promise<void>>()
  #failure: { error: unknown } | null = null

  constructor(
    { target, staging }: WriteOptions,
    object: GrowingObject,
    source: ByteSource,
  ) {
    const { parts, settled } = accountOf(object.memo)
    this.#target = target
    this.#staging = staging
    this.#object = object
    this.#source = source
    this.#chunks = chunksOf(source)
    this.#memo = object.memo
    this.#count = parts
    this.#settledCount = parts
    this.#position = settled
    this.#settled = settled
    this.#behind = object.offset - settled
  }

  async run(): Promise<number> {
    const chunks = this.#chunks
    try {
      await this.#leaveContested()
      while ((await chunks.arrived()) && (await this.#take()));
      return await this.#end()
    } finally {
      chunks.stop()
      await this.#allSettled()
      this.#place?.release()
    }
  }

  async #leaveContested(): Promise<void> {
    const { contested, memo } = this.#object
    if (!contested || memo === null) return
    const at = { count: this.#count, position: this.#position }
    this.#count = (await this.#target.pastContested?.(memo, at)) ?? at.count
    this.#settledCount = this.#count
  }

  /**
   * False if there is no place because the source must end. The place is found first: what was
   * shown to `onChunk` must be kept.
   */
  async #take(): Promise<boolean> {
    // More may be staged than a part has now, if another process chose larger ones.
    if (this.#isFull()) await this.#dispatch(this.#filled(), false)
    this.#place ??= await this.#findPlace()
    if (!this.#place) return false
    // The place has room for a whole part, of which some may be staged already.
    const chunk = await this.#chunks.next(this.#partSize() - this.#filled())
    if (!chunk) return false
    await this.#place.append(chunk)
    if (this.#isFull() && !this.#isEnd()) await this.#dispatch(this.#filled(), false)
    return true
  }

  async #findPlace(): Promise<Place | null> {
    const { signal } = this.#source
    // The bytes staged before will have to be in memory too when the part is sent.
    const bytes = this.#partSize()
    try {
      return await this.#staging.take(bytes, {
        patient: this.#underWay.size > 0,
        signal,
      })
    } catch (error) {
      if (signal.aborted) return null
      throw error
    }
  }

  /** Bytes that go into the part being filled: less than usual if the object ends in it. */
  #partSize(): number {
    const { size } = this.#object
    const full = this.#target.partSize({ count: this.#count, position: this.#position })
    return size === null ? full : Math.min(full, size - this.#position)
  }

  #filled(): number {
    return this.#behind + (this.#place?.length ?? 0)
  }

  #isFull(): boolean {
    return this.#filled() >= this.#partSize()
  }

  /** Whether every byte of the object is here. */
  #isEnd(): boolean {
    return this.#position + this.#filled() === this.#object.size
  }

  async #end(): Promise<number> {
    if (this.#isEnd()) return this.#finish()
    const rest = { bytes: this.#filled(), arrived: this.#place?.length ?? 0 }
    const at = { count: this.#count, position: this.#position }
    // Only if something new came: staged bytes are as safe where they are.
    const short = rest.arrived > 0 ? this.#target.shortPart(at, rest) : 0
    if (short > 0) await this.#dispatch(short, false)
    await this.#requireSettled()
    const offset = this.#position + this.#filled()
    if (this.#place && this.#place.length > 0) {
      // A copy: the place is given back before the caller has kept it.
      const staged = Buffer.from(await bytesOf(this.#place.body()))
      this.#source.onStored({ offset, staged })
    }
    return offset
  }

  async #finish(): Promise<number> {
    const size = this.#position + this.#filled()
    if (this.#memo === null) {
      if (await this.#isWhole()) return size
      const body = await this.#bodyOf(this.#filled())
      await this.#target.whole(body, await this.#object.describe(await headOf(body)))
      this.#source.onStored({ offset: size, settled: size })
      return size
    }
    if (this.#filled() > 0) await this.#dispatch(this.#filled(), true)
    await this.#requireSettled()
    return size
  }

  /** Whether the object was stored in one request before: then nothing is staged. */
  async #isWhole(): Promise<boolean> {
    if (this.#place?.length || this.#behind === 0) return false
    return (await this.#object.staged()).length === 0
  }

  /** Sends the first `bytes` of what is here as the next part. */
  async #dispatch(bytes: number, last: boolean): Promise<void> {
    const whole = await this.#bodyOf(this.#filled())
    const memo = await this.#begun(whole)
    while (this.#underWay.size >= this.#target.concurrency) {
      await Promise.race(this.#underWay)
    }
    if (this.#failure) throw this.#failure.error
    const place = this.#place
    const left = bytes < whole.length ? await tailOf(whole, bytes) : null
    const body = left ? slice(whole, bytes) : whole
    const part = { number: this.#count + 1, position: this.#position, body, last }
    const sending = this.#target
      .send(memo, part)
      .then((receipt) => this.#settle(part.number, { size: bytes, receipt }))
      .catch((error: unknown) => {
        this.#failure ??= { error }
        this.#chunks.stop()
      })
      .finally(() => {
        place?.release()
        this.#underWay.delete(sending)
      })
    this.#underWay.add(sending)
    this.#count++
    this.#position += bytes
    this.#behind = 0
    this.#place = null
    if (left) await this.#putBack(left)
  }

  /** What did not fit into a short part begins the next one. */
  async #putBack(left: Buffer): Promise<void> {
    this.#place = await this.#staging.take(Math.max(left.length, 1))
    await this.#place.append(left)
  }

  async #begun(body: PartBody): Promise<Memo> {
    if (this.#memo) return this.#memo
    const info = await this.#object.describe(await headOf(body))
    const begun = await this.#target.begin(info)
    this.#memo = { ...begun, parts: 0, settled: 0 }
    this.#source.onStored({ offset: this.#object.offset, memo: this.#memo })
    return this.#memo
  }

  /** The bytes of the part being filled: what the caller staged, then what came now. */
  async #bodyOf(length: number): Promise<PartBody> {
    const place = this.#place
    const staged = this.#behind > 0 ? await this.#object.staged() : []
    return joinedBody(length, staged, () => place?.body() ?? Buffer.alloc(0))
  }

  #settle(number: number, receipt: { size: number; receipt: string | null }): void {
    this.#receipts.set(number, receipt)
    const parts: Part[] = []
    for (;;) {
      const next = this.#receipts.get(this.#settledCount + 1)
      if (!next) break
      this.#receipts.delete(++this.#settledCount)
      this.#settled += next.size
      if (next.receipt !== null) {
        parts.push({ number: this.#settledCount, size: next.size, receipt: next.receipt })
      }
    }
    if (this.#settled <= accountOf(this.#memo).settled) return
    this.#memo = { ...this.#memo, parts: this.#settledCount, settled: this.#settled }
    // Less than the object stood at only if a part took in some of its staged bytes.
    const offset = Math.max(this.#settled, this.#object.offset)
    this.#source.onStored({ offset, memo: this.#memo, parts, settled: this.#settled })
  }

  async #allSettled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
  }

  async #requireSettled(): Promise<void> {
    await this.#allSettled()
    if (this.#failure) throw this.#failure.error
  }
}
