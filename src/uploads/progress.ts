import type { Feed } from '../events/feed.ts'
import type { FileRecord } from '../files/record.ts'

/** How far an upload is, as it is told live; never stored. */
export interface UploadTick {
  id: string
  /** Bytes received, safe or not: it may go back where a connection breaks. */
  offset: number
  /** Bytes in all; null while nobody knows. */
  size: number | null
  /** Bytes a second, smoothed over some seconds. */
  rate: number
  /** Seconds until the last byte at this rate; null where that cannot be said. */
  eta: number | null
}

/** Tells those who watch how far uploads are: each a few times a second, and always the end. */
export interface UploadProgress {
  /** A request begins to bring bytes of an upload. */
  begin(record: FileRecord): ByteCount
}

/** The bytes of one request. */
export interface ByteCount {
  /** Called for every chunk: adds two numbers. */
  add(bytes: number): void
  /** No more come; `offset` is where the upload stands. */
  end(offset: number): void
}

export interface ProgressOptions {
  /** Most messages a second for one upload. Default 4. */
  perSecond?: number
  /**
   * Most deliveries a second in this process; where more listen, each upload is told less often.
   * Default 500.
   */
  deliveries?: number
}

/** Seconds over which the rate is smoothed. */
const smoothing = 2

export function createProgress(
  feed: Pick<Feed, 'audience' | 'tell'>,
  { perSecond = 4, deliveries = 500 }: ProgressOptions = {},
): UploadProgress {
  const running = new Set<Count>()
  let timer: NodeJS.Timeout | undefined

  const tick = () => {
    let left = deliveries / perSecond
    for (const count of [...running]) {
      if (left <= 0) return
      const audience = count.isNew ? feed.audience(count.subject) : 0
      if (audience === 0) continue
      left -= audience
      tell(count)
      // Behind all others: those that were left out come first next time.
      running.delete(count)
      running.add(count)
    }
  }
  const tell = (count: Count, isLast = false) => {
    const data = JSON.stringify(count.tick())
    feed.tell({ ...count.subject, type: 'upload.progress', data, isLast })
  }

  return {
    begin(record) {
      const count = new Count(record)
      running.add(count)
      timer ??= setInterval(tick, 1_000 / perSecond).unref()
      return {
        add: (bytes) => count.add(bytes),
        end(offset) {
          if (!running.delete(count)) return
          if (running.size === 0) {
            clearInterval(timer)
            timer = undefined
          }
          count.settle(offset)
          if (count.isNew && feed.audience(count.subject) > 0)
            tell(count, offset === record.size)
        },
      }
    },
  }
}

class Count {
  readonly record: FileRecord
  readonly subject: Parameters<Feed['audience']>[0]
  #offset: number
  #told: number
  #toldAt: number
  #rate = 0
  #time = 0

  constructor(record: FileRecord) {
    const { projectId, id: fileId, batchId, route } = record
    this.record = record
    this.subject = { projectId, fileId, batchId, route }
    this.#offset = record.offset
    this.#told = record.offset
    this.#toldAt = performance.now()
  }
  /** Whether there is something to tell. */
  get isNew(): boolean {
    return this.#offset !== this.#told
  }
  add(bytes: number): void {
    this.#offset += bytes
  }
  settle(offset: number): void {
    this.#offset = offset
  }
  tick(): UploadTick {
    const { id, size } = this.record
    const offset = size === null ? this.#offset : Math.min(this.#offset, size)
    this.#measure()
    const rate = Math.round(this.#rate)
    const left = size === null ? null : size - offset
    const eta =
      left === null || (left > 0 && rate === 0) ? null : Math.ceil(left / (rate || 1))
    return { id, offset, size, rate, eta }
  }
  /** An average that forgets; a young one is not pulled down by the time before it began. */
  #measure(): void {
    const now = performance.now()
    const seconds = Math.max((now - this.#toldAt) / 1_000, 0.001)
    const rate = Math.max(this.#offset - this.#told, 0) / seconds
    this.#time += seconds
    const weight = Math.max(1 - Math.exp(-seconds / smoothing), seconds / this.#time)
    this.#rate += (rate - this.#rate) * Math.min(weight, 1)
    this.#told = this.#offset
    this.#toldAt = now
  }
}
