import * as fs from 'node:fs'
import { relief } from '../../src/shared/relief.ts'
import type { ByteSource } from '../store.ts'
import { type Teller, tellSynced, tellWritten } from './telling.ts'

/** A batch is written when it has this many bytes: more gains little and costs cache. */
const batchBytes = 512 * 1024
/** … or when its first byte has waited this long, so that a slow client's bytes are safe too. */
const lingerMs = 5
/** Reading pauses while this much waits to be written: the bound on memory of one upload. */
const pauseBytes = 2 * batchBytes
/**
 * All uploads of a store together pause at about this much, so that many of them pause early. What
 * is being written and what came meanwhile make it up to twice as much; see src/shared/relief.ts.
 */
const sharedBytes = 16 * 1024 * 1024
/** … but not before this: less would be a thread-pool round trip for every chunk again. */
const leastPauseBytes = 128 * 1024

/** How many uploads a store is writing at the moment: they share its memory. */
export interface WriteLoad {
  uploads: number
}

/** Where bytes are appended. */
export interface AppendTarget {
  fd: number
  /** Where in the file the first byte belongs. */
  position: number
  /** Shared by all that the store writes; without it an upload has the memory to itself. */
  load?: WriteLoad
  /** Makes all that was written outlive a power cut. Without it the kernel is believed. */
  sync?: (() => Promise<void>) | undefined
}

/**
 * Writes everything `source` yields to the target, and resolves with the position after the
 * last byte written. With `sync` that, and what `onStored` is told, is on disk.
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
export async function append(target: AppendTarget, source: ByteSource): Promise<number> {
  const { load = { uploads: 0 } } = target
  load.uploads++
  try {
    return await new Promise((resolve, reject) => {
      new Appender({ ...target, load }, source, (error, end) => {
        if (error) reject(error)
        else resolve(end)
      }).start()
    })
  } finally {
    load.uploads--
  }
}

type Settled = (error: unknown, position: number) => void

class Appender {
  readonly #fd: number
  readonly #load: WriteLoad
  readonly #source: ByteSource
  readonly #teller: Teller
  readonly #settled: Settled
  #position: number
  #queue: Buffer[] = []
  #queued = 0
  #taken = 0
  #held: Buffer | null = null
  #writing = false
  #over = false
  #ended = false
  #linger: NodeJS.Timeout | undefined

  constructor(
    { fd, position, load, sync }: AppendTarget & { load: WriteLoad },
    source: ByteSource,
    settled: Settled,
  ) {
    this.#fd = fd
    this.#load = load
    this.#position = position
    this.#source = source
    this.#settled = settled
    const tell = (offset: number) => source.onStored({ offset })
    this.#teller = sync
      ? tellSynced({ sync, tell, onFailure: () => this.#giveUp() })
      : tellWritten(tell)
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
    const pauseAt = this.#pauseAt()
    if (this.#queued >= pauseAt / 2) this.#flush()
    else this.#armLinger()
    if (this.#queued >= pauseAt) this.#source.stream.pause()
  }

  /** Twice a batch: one is written while the next is read. */
  #pauseAt(): number {
    const share = sharedBytes / this.#load.uploads
    return Math.min(pauseBytes, Math.max(leastPauseBytes, share))
  }

  #enqueue(chunk: Buffer): void {
    this.#source.onChunk(chunk)
    this.#queue.push(chunk)
    this.#queued += chunk.length
    relief.waiting(chunk.length)
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
      relief.waiting(-bytes)
      this.#position += written
      if (error) this.#fail(error)
      else this.#afterWrite()
    })
  }

  #afterWrite(): void {
    this.#teller.wrote(this.#position)
    const batch = this.#pauseAt() / 2
    if (this.#over || this.#queued >= batch) this.#flush()
    else if (this.#queued > 0) this.#armLinger()
    if (!this.#over && this.#queued < batch) this.#source.stream.resume()
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
    this.#drop()
    this.#settle(error)
  }

  /** A sync failed, which the teller tells at the end: nobody may write on until then. */
  #giveUp(): void {
    this.#drop()
    this.#flush()
  }

  #drop(): void {
    if (!this.#over) this.#detach()
    this.#over = true
    relief.waiting(-this.#queued)
    this.#queue = []
    this.#queued = 0
  }

  /** Once, and when nothing uses the descriptor any more: its number may be another file's. */
  #settle(error: unknown): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#linger)
    this.#teller.end().then(
      () => this.#settled(error, this.#position),
      (failure: unknown) => this.#settled(error ?? failure, this.#position),
    )
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
