import { type CarcosaClientError, toClientError, UploadAbortedError } from './errors.ts'
import {
  type Job,
  type JobListener,
  type Position,
  type Run,
  startPosition,
} from './job.ts'
import type { Keys } from './keys.ts'
import { outcome, type UploadedFile } from './outcome.ts'
import { createMeter, type Progress } from './progress.ts'
import type { RetryNotice } from './retry.ts'
import type { Slots } from './slots.ts'
import { discard, transfer } from './transfer.ts'

/**
 * `pending` waits for its turn, `failed` may be tried again with `resume()`, `uploaded` and
 * `cancelled` are final.
 */
export type FileUploadState =
  | 'pending'
  | 'uploading'
  | 'paused'
  | 'failed'
  | 'uploaded'
  | 'cancelled'

/** What exactly goes on while `uploading`. */
export type FileActivity = 'preparing' | 'sending' | 'retrying' | 'finishing'

/** A file at one moment. Immutable: a new object stands for every change. */
export interface FileStatus<ServerData = unknown> {
  readonly name: string
  readonly size: number
  readonly type: string
  readonly state: FileUploadState
  /** Null unless `uploading`. */
  readonly activity: FileActivity | null
  readonly progress: Progress
  /** Why and until when the next try waits; null unless `retrying`. */
  readonly retry: RetryNotice | null
  /** Why the file `failed`; null otherwise. */
  readonly error: CarcosaClientError | null
  /** The file on the server once it is `uploaded`; null before. */
  readonly result: UploadedFile<ServerData> | null
}

/** Something that happened to one file; `file.current` already shows it. */
export type FileEvent =
  | { readonly type: 'state' | 'activity' | 'progress' }
  /** A try failed and is repeated after `retry.delay`. */
  | { readonly type: 'retry'; readonly retry: RetryNotice }
  /** An upload begun before goes on; `offset` bytes need not be sent again. */
  | { readonly type: 'resume'; readonly offset: number }
  /** The upload begun before has expired or was removed: it begins anew, because of `error`. */
  | { readonly type: 'restart'; readonly error: CarcosaClientError }
  /** Something failed that costs comfort, not the upload. */
  | { readonly type: 'warning'; readonly error: CarcosaClientError }

export interface FileUploadParts {
  readonly job: Omit<Job, 'listener'>
  /** What the file is remembered under, before namesakes are told apart. */
  readonly fingerprint: string
  readonly keys: Keys
  readonly slots: Slots
}

/** One file on its way. Made by `client.create()`. */
export class FileUpload<ServerData = unknown> {
  #status: FileStatus<ServerData>
  readonly #job: Job
  readonly #parts: FileUploadParts
  readonly #notify: (file: FileUpload<ServerData>, event: FileEvent) => void
  readonly #meter = createMeter()
  readonly #position: Position
  /** Set while pending or uploading; a new one for each run. */
  #run: AbortController | null = null
  /** Whether the key of `#position` is ours alone. */
  #holdsKey = true

  constructor(
    parts: FileUploadParts,
    notify: (file: FileUpload<ServerData>, event: FileEvent) => void,
  ) {
    const { description } = parts.job
    this.#parts = parts
    this.#notify = notify
    this.#job = { ...parts.job, listener: this.#listener() }
    this.#position = startPosition(parts.keys.take(parts.fingerprint))
    this.#status = {
      name: description.name,
      size: description.size,
      type: description.type,
      state: 'pending',
      activity: null,
      progress: this.#meter.update(0, description.size),
      retry: null,
      error: null,
      result: null,
    }
  }

  /** The file as it is now. */
  get current(): FileStatus<ServerData> {
    return this.#status
  }

  /** Begins; called once by the batch. */
  start(): void {
    if (this.#run) return
    const run = new AbortController()
    this.#run = run
    if (!this.#holdsKey)
      this.#position.key = this.#parts.keys.take(this.#parts.fingerprint)
    this.#holdsKey = true
    this.#set({ state: 'pending', activity: null, retry: null, error: null })
    const fail = (error: unknown) =>
      this.#end(run, 'failed', { error: toClientError(error) })
    const work = async () => {
      this.#set({ state: 'uploading', activity: 'preparing' })
      const result = await transfer(this.#runWith(run.signal))
      this.#end(run, 'uploaded', { result: result as UploadedFile<ServerData> })
    }
    // Ends inside its slot, so that never more are uploading than there are slots.
    this.#parts.slots.run(() => work().catch(fail), run.signal).catch(fail)
  }

  /** Ends the request that is running. What the server has is kept. */
  pause(): void {
    this.#stop('paused')
  }

  /** Goes on where a paused or failed file stands. */
  resume(): void {
    const { state } = this.#status
    if (state === 'paused' || state === 'failed') this.start()
  }

  /**
   * Gives the file up: what the server has of it is removed, and the upload forgotten.
   * Resolves when the server has removed it; rejects if it cannot be told, in which case it
   * removes the upload when that expires. Does nothing to an uploaded file.
   */
  cancel(): Promise<void> {
    if (this.#status.state === 'uploaded' || this.#status.state === 'cancelled') {
      return Promise.resolve()
    }
    this.#stop('cancelled')
    const removed = discard(this.#runWith(new AbortController().signal))
    // Whoever does not wait for the answer should not be killed by it.
    removed.catch(() => {})
    return removed
  }

  /**
   * Asks the server again about an uploaded file: a signed `url` that ran out is replaced,
   * and a `sha256` that the server made in the background is told.
   * @throws {TypeError} if it is not uploaded
   */
  async refresh(): Promise<UploadedFile<ServerData>> {
    if (this.#status.state !== 'uploaded') {
      throw new TypeError('Only an uploaded file can be refreshed.')
    }
    const { signal } = new AbortController()
    const result = (await outcome(this.#runWith(signal))) as UploadedFile<ServerData>
    this.#set({ result })
    return result
  }

  /** Ends with ABORTED; the upload stays on the server and can be resumed. */
  abort(reason: unknown): void {
    const error = new UploadAbortedError('The upload was stopped by its signal.', reason)
    this.#stop('failed', { error })
  }

  #runWith(signal: AbortSignal): Run {
    return { job: this.#job, position: this.#position, signal }
  }

  #stop(state: 'paused' | 'cancelled' | 'failed', change: Change<ServerData> = {}) {
    const run = this.#run
    const isRunning = ['pending', 'uploading'].includes(this.#status.state)
    const isFinal = ['uploaded', 'cancelled'].includes(this.#status.state)
    if (isFinal || (!isRunning && state === 'paused')) return
    this.#run = null
    run?.abort(change.error ?? new UploadAbortedError(`The upload is ${state}.`))
    this.#finish(state, change)
  }

  #end(run: AbortController, state: 'uploaded' | 'failed', change: Change<ServerData>) {
    // A run that was stopped has nothing to say any more.
    if (this.#run !== run) return
    this.#run = null
    const { size } = this.#status
    const done = state === 'uploaded' && { progress: this.#meter.update(size, size) }
    this.#finish(state, { ...change, ...done })
  }

  #finish(state: FileUploadState, change: Change<ServerData>) {
    this.#meter.reset()
    // From here on the same file chosen again may find what was begun.
    if (state !== 'paused' && this.#holdsKey) {
      this.#holdsKey = false
      this.#parts.keys.release(this.#position.key)
    }
    this.#set({ ...change, state, activity: null, retry: null })
  }

  #set(change: Change<ServerData>, event?: FileEvent) {
    const type = change.state ? 'state' : change.activity ? 'activity' : 'progress'
    this.#status = { ...this.#status, ...change }
    this.#notify(this, event ?? { type })
  }

  #listener(): JobListener {
    const notify = (event: FileEvent) => this.#notify(this, event)
    return {
      onActivity: (activity) => this.#set({ activity, retry: null }),
      onSent: (bytes) => {
        const progress = this.#meter.update(bytes, this.#status.size)
        // The first byte after a wait ends the wait.
        const activity = this.#status.retry && {
          activity: 'sending' as const,
          retry: null,
        }
        this.#set({ progress, ...activity })
      },
      onRetry: (retry) => {
        this.#meter.reset()
        this.#set({ activity: 'retrying', retry }, { type: 'retry', retry })
      },
      onResume: (offset) => notify({ type: 'resume', offset }),
      onRestart: (error) => notify({ type: 'restart', error }),
      onWarning: (error) => notify({ type: 'warning', error }),
    }
  }
}

type Change<ServerData> = Partial<FileStatus<ServerData>>
