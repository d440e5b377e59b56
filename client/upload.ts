import {
  type CarcosaClientError,
  type FileOutcome,
  UploadAbortedError,
  UploadFailedError,
} from './errors.ts'
import {
  type FileEvent,
  type FileStatus,
  FileUpload,
  type FileUploadParts,
  type FileUploadState,
} from './file-upload.ts'
import type { UploadedFile } from './outcome.ts'
import { createMeter, type Progress } from './progress.ts'

/** A batch at one moment. Immutable: a new object stands for every change. */
export interface UploadStatus<ServerData = unknown> {
  /**
   * `uploading` as long as any file is pending or uploading, else `paused` if any is, else
   * `failed` if any did, else `uploaded`; `cancelled` if all are.
   */
  readonly state: Exclude<FileUploadState, 'pending'>
  /** Of all files that neither failed nor were cancelled. */
  readonly progress: Progress
  readonly files: readonly FileStatus<ServerData>[]
}

/** Something that happened to one file of a batch. */
export type UploadEvent<ServerData = unknown> = FileEvent & {
  readonly file: FileUpload<ServerData>
}

/** What a batch without failures ends with. */
export interface UploadResult<ServerData = unknown> {
  /** In the order given, without those that were cancelled. */
  readonly files: UploadedFile<ServerData>[]
}

/**
 * A batch of files on its way, for those who want to pause, resume and cancel it. Made by
 * `client.create()`; begins by itself.
 *
 * @example
 * const upload = client.create('avatar', input.files)
 * upload.subscribe(() => render(upload.current))
 * button.onclick = () => upload.pause()
 */
export class Upload<ServerData = unknown> {
  /** One handle for each file, in the order given. */
  readonly files: readonly FileUpload<ServerData>[]
  readonly #listeners = new Set<(event: UploadEvent<ServerData>) => void>()
  readonly #signal: AbortSignal | undefined
  readonly #meter = createMeter()
  #status: UploadStatus<ServerData>
  #done: Deferred<UploadResult<ServerData>>

  constructor(parts: readonly FileUploadParts[], signal?: AbortSignal) {
    const notify = (file: FileUpload<ServerData>, event: FileEvent) =>
      this.#onEvent(file, event)
    this.files = parts.map((part) => new FileUpload<ServerData>(part, notify))
    this.#signal = signal
    this.#status = this.#read()
    this.#done = deferred()
    this.#listenToSignal()
    // Whoever made it subscribes first.
    queueMicrotask(() => this.#begin())
  }

  /** The batch as it is now; the same object until something changes. */
  get current(): UploadStatus<ServerData> {
    return this.#status
  }

  /**
   * Settles when no file is pending, uploading or paused any more: with the results, or with
   * UploadFailedError if any file failed, or UploadAbortedError if all were stopped. After a
   * failed file was resumed, this is a new promise.
   */
  get done(): Promise<UploadResult<ServerData>> {
    return this.#done.promise
  }

  /** Calls `listener` for everything that happens from now on. Returns how to stop that. */
  subscribe(listener: (event: UploadEvent<ServerData>) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Pauses every file that is pending or uploading. */
  pause(): void {
    for (const file of this.files) file.pause()
  }

  /** Goes on with every file that is paused or failed. */
  resume(): void {
    for (const file of this.files) file.resume()
  }

  /** Gives up every file that is not uploaded yet; see `FileUpload.cancel`. */
  cancel(): Promise<void> {
    const all = Promise.all(this.files.map((file) => file.cancel())).then(() => {})
    all.catch(() => {})
    return all
  }

  #onAbort = () => {
    for (const file of this.files) file.abort(this.#signal?.reason)
  }

  #listenToSignal() {
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  #begin() {
    if (this.#signal?.aborted) this.#onAbort()
    for (const file of this.files) {
      if (file.current.state === 'pending') file.start()
    }
    this.#settle()
  }

  #onEvent(file: FileUpload<ServerData>, event: FileEvent) {
    this.#status = this.#read()
    if (event.type === 'state') this.#settle()
    for (const listener of this.#listeners) {
      try {
        listener({ ...event, file })
      } catch (error) {
        // The mistake is the listener's; it is reported, and the upload goes on.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  #read(): UploadStatus<ServerData> {
    const files = this.files.map((file) => file.current)
    const counted = files.filter(
      ({ state }) => state !== 'failed' && state !== 'cancelled',
    )
    const sent = counted.reduce((sum, file) => sum + file.progress.sent, 0)
    const size = counted.reduce((sum, file) => sum + file.size, 0)
    return { state: stateOf(files), progress: this.#meter.update(sent, size), files }
  }

  #settle() {
    const { state } = this.#status
    const isOver = state !== 'uploading' && state !== 'paused'
    if (!isOver) {
      if (!this.#done.settled) return
      this.#done = deferred()
      this.#listenToSignal()
      return
    }
    this.#meter.reset()
    if (this.#done.settled) return
    this.#done.settled = true
    // A signal may outlive many batches and should not keep them all.
    this.#signal?.removeEventListener('abort', this.#onAbort)
    const failure = this.#failure()
    if (failure) this.#done.reject(failure)
    else this.#done.resolve({ files: results(this.#status.files) })
  }

  #failure(): CarcosaClientError | null {
    const { state, files } = this.#status
    const errors = files.map(({ error }) => error).filter((error) => error !== null)
    const [first] = errors.filter(({ code }) => code !== 'ABORTED')
    if (first) return new UploadFailedError(files.map(outcomeOf), first)
    if (errors[0]) return errors[0]
    return state === 'cancelled'
      ? new UploadAbortedError('The upload was cancelled.')
      : null
  }
}

function stateOf(files: readonly FileStatus[]): UploadStatus['state'] {
  const has = (state: FileUploadState) => files.some((file) => file.state === state)
  if (has('uploading') || has('pending')) return 'uploading'
  if (has('paused')) return 'paused'
  if (has('failed')) return 'failed'
  return has('cancelled') && !has('uploaded') ? 'cancelled' : 'uploaded'
}

function results<D>(files: readonly FileStatus<D>[]): UploadedFile<D>[] {
  return files.map(({ result }) => result).filter((result) => result !== null)
}

function outcomeOf<D>(file: FileStatus<D>): FileOutcome<UploadedFile<D>> {
  const { name, result, error } = file
  if (result) return { name, status: 'uploaded', file: result }
  if (error) return { name, status: 'failed', error }
  return { name, status: 'cancelled', error: new UploadAbortedError() }
}

interface Deferred<T> {
  readonly promise: Promise<T>
  settled: boolean
  resolve(value: T): void
  reject(error: unknown): void
}

function deferred<T>(): Deferred<T> {
  let resolve: Deferred<T>['resolve'] = () => {}
  let reject: Deferred<T>['reject'] = () => {}
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  // Those who follow the events need not look at the promise too.
  promise.catch(() => {})
  return { promise, settled: false, resolve, reject }
}
