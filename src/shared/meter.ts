import type { LimitedOperation } from './rate-limits.ts'

/**
 * What is counted while Carcosa works. Each member is called where the thing happens, at most
 * a few times for each request and never for each chunk. src/ops/metrics.ts makes one.
 */
export interface Meter {
  /** A request was answered after so many seconds; `code` is that of the error, if it is one. */
  requestAnswered(answer: AnsweredRequest): void
  /** Bytes of one body that reached a store. */
  bytesReceived(upload: { route: string; storeName: string }, bytes: number): void
  /** How many bodies are being stored at the moment changes by this. */
  uploadsActive(change: 1 | -1): void
  uploadCreated(route: string): void
  /** All bytes of an upload are stored, so many seconds after it was created. */
  uploadFinished(route: string, seconds: number): void
  /** An upload or a finished file was removed. */
  uploadTerminated(route: string): void
  /** What arrived was refused. */
  uploadRejected(route: string, code: string): void
  uploadExpired(): void
  /** A lease was granted, or given up, after so many seconds. */
  lockWaited(seconds: number): void
  /** How many leases this process holds changes by this. */
  locksHeld(change: 1 | -1): void
  /** `onUploadComplete` took so many seconds, whether it failed or not. */
  callbackRan(route: string, seconds: number): void
  /** A body was given up because its client was silent, or slower than allowed. */
  bodyGivenUp(reason: 'idle' | 'slow'): void
  /** A request was refused for a rate limit. */
  rateLimited(operation: LimitedOperation): void
  /** Something was refused because a quota leaves no room for it. */
  quotaRefused(): void
  /** How many listen to events (SSE, WebSocket) changes by this. */
  eventSubscribers(change: 1 | -1): void
  /** So many lines of the audit log or the request log could not be written. */
  logEntriesLost(log: 'audit' | 'requests', count: number): void
}

export interface AnsweredRequest {
  readonly method: string
  readonly status: number
  readonly code: string | undefined
  readonly seconds: number
}

/** Starts a stopwatch; what it returns tells the seconds since. */
export function stopwatch(): () => number {
  const start = performance.now()
  return () => (performance.now() - start) / 1_000
}
