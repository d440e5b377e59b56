import type { Api } from './api.ts'
import type { CarcosaClientError } from './errors.ts'
import type { HeadersSource } from './headers.ts'
import type { DirectUpload } from './offer.ts'
import type { RetryNotice, RetryPolicy } from './retry.ts'
import type { Slots } from './slots.ts'
import type { FileDescription, Uploadable } from './source.ts'
import type { UploadStorage } from './storage.ts'
import type { Tickets } from './tickets.ts'

/** Everything it takes to bring one file to the server; the same over pauses and retries. */
export interface Job {
  readonly file: Uploadable
  readonly description: FileDescription
  /** Position in the batch. */
  readonly index: number
  readonly route: string
  readonly api: Api
  readonly tickets: Tickets
  readonly storage: UploadStorage
  readonly headers: readonly (HeadersSource | undefined)[]
  readonly policy: RetryPolicy
  readonly chunkSize: number
  readonly withCredentials: boolean
  /** Whether the bytes may go to the store, past the server. */
  readonly direct: boolean
  /** Shared by all files that go to the store. */
  readonly partSlots: Slots
  isRetryable(error: CarcosaClientError): boolean
  /** Whether the route's callback returns something worth waiting for. */
  awaitsServerData(signal: AbortSignal): Promise<boolean>
  readonly listener: JobListener
}

/** What is told about a file on its way. */
export interface JobListener {
  onActivity(activity: 'preparing' | 'sending' | 'finishing'): void
  onSent(bytes: number): void
  onRetry(notice: RetryNotice): void
  /** An upload that was begun before goes on from `offset`. */
  onResume(offset: number): void
  /** An upload that was begun before is gone; the file is sent from its first byte. */
  onRestart(error: CarcosaClientError): void
  /** Something failed that costs comfort, not the upload. */
  onWarning(error: CarcosaClientError): void
}

/** How far a file is; kept while it is paused, so that resuming goes on from here. */
export interface Position {
  /** Key in the storage. */
  key: string
  /** The upload on the server, once there is one. */
  url: string | null
  ticket: string | null
  /** Where the bytes go, and which are there, if they go past the server. */
  direct: DirectUpload | null
  /** Bytes the server has promised to keep. */
  offset: number
  expiresAt: number | null
  createdAt: number
  /** Whether the storage was asked for an earlier run. */
  recalled: boolean
  /** Whether a creation was tried with the ticket at hand, or bytes were sent. */
  tried: boolean
  /** Ends when the storage has what it was last given. */
  saving: Promise<unknown> | null
  /** Whether a write that was not begun yet will store the position as it is then. */
  unsaved: boolean
}

/** A file that was not begun yet. */
export function startPosition(key: string): Position {
  return {
    key,
    url: null,
    ticket: null,
    direct: null,
    offset: 0,
    expiresAt: null,
    createdAt: 0,
    recalled: false,
    tried: false,
    saving: null,
    unsaved: false,
  }
}

/** One go at a job, from start or resume to its end or a pause. */
export interface Run {
  readonly job: Job
  readonly position: Position
  readonly signal: AbortSignal
}
