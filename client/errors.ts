import type { ErrorCode } from '../src/shared/errors.ts'

/** Codes for what goes wrong on this side of the wire. */
type LocalErrorCode =
  /** No answer: connection refused, reset, or blocked by the browser. */
  | 'NETWORK'
  /** The connection is open but nothing moved for `retry.stallTimeout`. */
  | 'STALLED'
  /** Cancelled, or stopped by the caller's AbortSignal. */
  | 'ABORTED'
  /** An error status without a problem document, so probably not from Carcosa. */
  | 'HTTP_ERROR'
  /** A success status whose headers or body make no sense. */
  | 'RESPONSE_INVALID'
  /** The file was changed, moved or removed after it was chosen. */
  | 'FILE_UNREADABLE'
  /** The store did not take the bytes from here, so they go through the server. */
  | 'DIRECT_FAILED'
  /** The caller's `headers` function threw. */
  | 'HEADERS_FAILED'
  /** Neither the server's doing nor the network's: a bug in this client. */
  | 'CLIENT_FAILED'

/**
 * The server's stable code where it sent one, otherwise one of ours. Open, because a newer
 * server may know codes that this client does not.
 */
export type ClientErrorCode = ErrorCode | LocalErrorCode | (string & {})

export interface ClientErrorOptions {
  message?: string
  /** HTTP status; null or absent where there was no answer. */
  status?: number | null
  /** Numbers and names from the server, e.g. `{ size, maxFileSize }`. */
  details?: Record<string, unknown>
  /** Whether the same thing may succeed later without anyone changing anything. */
  retryable?: boolean
  /** Milliseconds the server asked to wait (`Retry-After`). */
  retryAfter?: number | null
  /** Names the request in the server's log. */
  requestId?: string
  cause?: unknown
}

/** The one error the client throws. Switch on `code`, show `message`. */
export class CarcosaClientError extends Error {
  override readonly name: string = 'CarcosaClientError'
  readonly code: ClientErrorCode
  /** HTTP status, or null where there was no answer. */
  readonly status: number | null
  readonly details: Record<string, unknown> | undefined
  /** Whether the same thing may succeed later without anyone changing anything. */
  readonly retryable: boolean
  /** Milliseconds the server asked to wait, or null. */
  readonly retryAfter: number | null
  readonly requestId: string | undefined

  constructor(code: ClientErrorCode, options: ClientErrorOptions = {}) {
    super(options.message ?? code, { cause: options.cause })
    this.code = code
    this.status = options.status ?? null
    this.details = options.details
    this.retryable = options.retryable ?? false
    this.retryAfter = options.retryAfter ?? null
    this.requestId = options.requestId
  }
}

/** Cancelled, or stopped by the caller's AbortSignal, whose reason is the `cause`. */
export class UploadAbortedError extends CarcosaClientError {
  override readonly name = 'UploadAbortedError'

  constructor(message = 'The upload was stopped.', cause?: unknown) {
    super('ABORTED', { message, cause })
  }
}

/** How one file of a failed batch ended. */
export type FileOutcome<Result> =
  | { readonly name: string; readonly status: 'uploaded'; readonly file: Result }
  | {
      readonly name: string
      readonly status: 'failed' | 'cancelled'
      readonly error: CarcosaClientError
    }

/**
 * At least one file of a batch did not make it.
 *
 * `code`, `status`, `details` and `cause` are those of the first failure, so that the usual
 * batch of one file needs no loop; `files` says how each ended, in the order given, and
 * keeps the results of those that were uploaded.
 */
export class UploadFailedError<Result = unknown> extends CarcosaClientError {
  override readonly name = 'UploadFailedError'
  readonly files: readonly FileOutcome<Result>[]

  constructor(files: readonly FileOutcome<Result>[], first: CarcosaClientError) {
    super(first.code, { ...pick(first), message: summary(files, first), cause: first })
    this.files = files
  }
}

/** `thrown` itself if it is ours; anything else was not foreseen and says so. */
export function toClientError(thrown: unknown): CarcosaClientError {
  if (thrown instanceof CarcosaClientError) return thrown
  const text = thrown instanceof Error ? thrown.message : String(thrown)
  return new CarcosaClientError('CLIENT_FAILED', { message: text, cause: thrown })
}

function pick(error: CarcosaClientError): ClientErrorOptions {
  const { status, details, retryable, retryAfter, requestId } = error
  return { status, details, retryable, retryAfter, requestId }
}

function summary<R>(files: readonly FileOutcome<R>[], first: CarcosaClientError): string {
  if (files.length === 1) return first.message
  const failed = files.filter((file) => file.status === 'failed')
  return `${failed.length} of ${files.length} files failed. The first, ${failed[0]?.name}: ${first.message}`
}
