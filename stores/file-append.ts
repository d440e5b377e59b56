import * as fs from 'node:fs'
import type { ByteSource } from './store.ts'

/** A batch is written when it has this many bytes: more gains little and costs cache. */
const batchBytes = 512 * 1024
/** … or when its first byte has waited this long, so that a slow client's bytes are safe too. */
const lingerMs = 5
/** Reading pauses while this much waits to be written: the bound on memory per upload. */
const pauseBytes = 2 * batchBytes

/**
 * Writes everything `source` yields to `fd`, from `position` on, and resolves with the
 * position after the last byte written.
 *
 * One `writev` of many chunks is in flight while the next are read: the cost of writing a
 * file is the thread-pool round trip per call, not the bytes. A source that breaks off is
 * not an error: what arrived is flushed first.
 *
 * The chunk that reaches `source.limit` is held back until the source ends. A body that goes
 * on beyond the limit therefore never leaves a full-length object behind: its last chunk is
 * dropped and the upload stays unfinished.
 *
 * Rejects with the file system's error; bytes of earlier batches are then in the file.
 */
export function append(
  fd: number,
  position: number,
  source: ByteSource,
): Promise<number> {
  return new Promise((resolve, reject) => {
    new Appender(fd, position, source, (error, end) => {
      if (error) reject(error)
      else resolve(end)
    }).start()
  })
}

type Settled = (error: unknown, position: number) => void

class Appender {
  readonly #fd: number
  readonly #source: ByteSource
  readonly #settled: Settled
  #position: number
  #queue: Buffer[] = []
  #queued = 0
  #taken = 0
  #held: Buffer | null = null
  #writing = false
  #over = false
  #linger: NodeJS.Timeout | undefined

  constructor(fd: number, position: number, source: ByteSource, settled: Settled) {
    this.#fd = fd
    this.#position = position
    this.#source = source
    this.#settled = settled
  }

  start(): void {
    const { stream, signal } = this.#source
    for (const event of ends) stream.on(event, this.#finish)
    signal.addEventListener('abort', this.#finish, { once: true })
    if (signal.aborted || stream.destroyed || stream.readableEnded) this.#finish()
    else stream.on('data', this.#onData)
  }

  readonly #onData = (chunk: Buffer): void => {
    if (chunk.length === 0) return
    const { limit, onExcess } = this.#source
    this.#taken += chunk.length
    if (this.#taken < limit) this.#take(chunk)
    else if (this.#taken === limit) this.#held = chunk
    else {
      this.#held = null
      onExcess()
      this.#finish()
    }
  }

  #take(chunk: Buffer): void {
    this.#enqueue(chunk)
    if (this.#queued >= batchBytes) this.#flush()
    else this.#armLinger()
    if (this.#queued >= pauseBytes) this.#source.stream.pause()
  }

  #enqueue(chunk: Buffer): void {
    this.#source.onChunk(chunk)
    this.#queue.push(chunk)
    this.#queued += chunk.length
  }

  #flush(): void {
    if (this.#writing) return
    if (this.#queued > 0) this.#write()
    else if (this.#over) this.#settle(null)
  }

  #write(): void {
    const batch = this.#queue
    const bytes = this.#queued
    this.#queue = []
    this.#queued = 0
    this.#writing = true
    writeAll({ fd: this.#fd, batch, bytes, at: this.#position }, (error, written) => {
      this.#writing = false
      this.#position += written
      if (error) this.#fail(error)
      else this.#afterWrite()
    })
  }

  #afterWrite(): void {
    this.#source.onStored(this.#position)
    if (this.#over || this.#queued >= batchBytes) this.#flush()
    else if (this.#queued > 0) this.#armLinger()
    if (!this.#over && this.#queued < batchBytes) this.#source.stream.resume()
  }

  #armLinger(): void {
    if (this.#writing) return
    this.#linger ??= setTimeout(() => {
      this.#linger = undefined
      this.#flush()
    }, lingerMs)
  }

  /** Whatever the reason, the source yields nothing more: keep what arrived. */
  readonly #finish = (): void => {
    if (this.#over) return
    this.#over = true
    this.#detach()
    if (this.#held) this.#enqueue(this.#held)
    this.#flush()
  }

  #fail(error: unknown): void {
    if (!this.#over) this.#detach()
    this.#over = true
    this.#queue = []
    this.#queued = 0
    this.#settle(error)
  }

  #settle(error: unknown): void {
    clearTimeout(this.#linger)
    this.#settled(error, this.#position)
  }

  #detach(): void {
    const { stream, signal } = this.#source
    stream.off('data', this.#onData)
    for (const event of ends) stream.off(event, this.#finish)
    signal.removeEventListener('abort', this.#finish)
    // Somebody must listen, or an error that comes later would end the process.
    stream.on('error', ignore)
    stream.pause()
  }
}

/** All the ways a stream tells that nothing more comes; Node's requests also say `aborted`. */
const ends = ['end', 'aborted', 'close', 'error'] as const

interface Batch {
  fd: number
  batch: Buffer[]
  bytes: number
  /** Where in the file the batch belongs. */
  at: number
}

type Written = (error: NodeJS.ErrnoException | null, written: number) => void

/** `writev` until every byte is written: the kernel may take fewer than it was offered. */
function writeAll({ fd, batch, bytes, at }: Batch, done: Written): void {
  let total = 0
  const next = (buffers: Buffer[]) => {
    fs.writev(fd, buffers, at + total, (error, written) => {
      if (error) return done(error, total)
      total += written
      if (total === bytes) return done(null, total)
      if (written === 0) return done(noProgress(), total)
      next(dropFirst(buffers, written))
    })
  }
  next(batch)
}

function dropFirst(buffers: Buffer[], bytes: number): Buffer[] {
  let skip = bytes
  const rest: Buffer[] = []
  for (const buffer of buffers) {
    if (skip >= buffer.length) {
      skip -= buffer.length
      continue
    }
    rest.push(skip > 0 ? buffer.subarray(skip) : buffer)
    skip = 0
  }
  return rest
}

function noProgress(): NodeJS.ErrnoException {
  return Object.assign(new Error('writev wrote nothing'), { code: 'EIO' })
}

function ignore() {}
