import { type CarcosaClientError, toClientError } from './errors.ts'

/** When to try again and when to give up. */
export interface RetryOptions {
  /**
   * Failures in a row, without a single byte acknowledged in between, after which the file
   * fails. Default 10, which is about three minutes. `Infinity` never gives up. Being told to come
   * back later by a rate limit is no failure.
   */
  attempts?: number
  /** Milliseconds before the first retry; doubles from there. Default 500. */
  minDelay?: number
  /** Milliseconds between retries at most, unless `Retry-After` asks for more. Default 30 s. */
  maxDelay?: number
  /** Milliseconds without a byte moving after which a connection is given up. Default 60 s. */
  stallTimeout?: number
}

export type RetryPolicy = Required<RetryOptions>

/** What is known at the moment the client begins to wait for the next try. */
export interface RetryNotice {
  /** Failures in a row so far; waiting for a rate limit (`RATE_LIMITED`) is none. */
  readonly failures: number
  /** Milliseconds until the next try. */
  readonly delay: number
  readonly error: CarcosaClientError
  /** Whether the browser says it is offline; then the wait ends when it is back. */
  readonly offline: boolean
}

export interface Plan {
  readonly policy: RetryPolicy
  readonly signal: AbortSignal
  isRetryable?(error: CarcosaClientError): boolean
  /** Whether anything was achieved since it was last asked. */
  progressed?(): boolean
  onRetry?(notice: RetryNotice): void
}

export function retryPolicy(options: RetryOptions = {}): RetryPolicy {
  return {
    attempts: options.attempts ?? 10,
    minDelay: options.minDelay ?? 500,
    maxDelay: options.maxDelay ?? 30_000,
    stallTimeout: options.stallTimeout ?? 60_000,
  }
}

/**
 * Does `work` until it succeeds, fails for good, or failed `policy.attempts` times in a row
 * without progress. Rejects with the last error, or with the signal's reason.
 */
export async function persist<T>(work: () => Promise<T>, plan: Plan): Promise<T> {
  let failures = 0
  for (;;) {
    plan.signal.throwIfAborted()
    try {
      return await work()
    } catch (thrown) {
      plan.signal.throwIfAborted()
      const error = toClientError(thrown)
      const isAnother = !isAppointment(error)
      if (plan.progressed?.()) failures = isAnother ? 1 : 0
      else if (isAnother) failures++
      const retryable = plan.isRetryable?.(error) ?? error.retryable
      if (!retryable || failures > plan.policy.attempts) throw error
      const usual = backoff(Math.max(failures, 1), plan.policy)
      const delay = Math.max(usual, error.retryAfter ?? 0)
      plan.onRetry?.({ failures, delay, error, offline: isOffline() })
      await waitForRetry(delay, plan.signal)
    }
  }
}

/** A rate limit of the server says when it ends: to come back then is no failure. */
function isAppointment({ code, retryAfter }: CarcosaClientError): boolean {
  return code === 'RATE_LIMITED' && retryAfter !== null
}

/**
 * Milliseconds to wait after so many failures: exponential from `minDelay` to `maxDelay`. The
 * upper half is random, so that clients cut off together do not come back together.
 */
export function backoff(
  failures: number,
  { minDelay, maxDelay }: Pick<RetryPolicy, 'minDelay' | 'maxDelay'>,
  random: () => number = Math.random,
): number {
  const full = Math.min(maxDelay, minDelay * 2 ** (failures - 1))
  return full * (0.5 + random() / 2)
}

function isOffline(): boolean {
  return globalThis.navigator?.onLine === false
}

/** Ends after `delay`, or at once when the browser comes back online, or by the signal. */
function waitForRetry(delay: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      globalThis.removeEventListener?.('online', online)
      settle()
    }
    const abort = () => finish(() => reject(signal.reason))
    const online = () => finish(resolve)
    // While offline a try can only fail, and would count towards giving up.
    const timer = isOffline() ? undefined : setTimeout(online, delay)
    signal.addEventListener('abort', abort, { once: true })
    globalThis.addEventListener?.('online', online)
    if (signal.aborted) abort()
  })
}
