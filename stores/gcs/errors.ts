import { CarcosaError } from '../../src/shared/errors.ts'
import { occupied } from '../writing/occupied.ts'
import type { Answered } from './http.ts'

/** An answer of the service that says no. Its text stays inside: see {@link toStoreError}. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: number
  readonly reason: string

  constructor({ status, text }: Pick<Answered, 'status' | 'text'>) {
    super(`${status}: ${text.slice(0, 500)}`)
    this.code = status
    this.reason = reasonIn(text)
  }
}

/**
 * What a request failed with as an error of ours: no client ever sees its text, which names
 * buckets, objects and hosts. The original is kept as `cause`, for the log.
 */
export function toStoreError(cause: unknown): CarcosaError {
  if (cause instanceof CarcosaError) return cause
  if (statusOf(cause) === 412) return occupied(cause)
  if (full.has(reasonOf(cause))) {
    return new CarcosaError('STORAGE_FULL', {
      message: 'The store is full. What was acknowledged is kept; resume later.',
      headers: { 'Retry-After': '30' },
      cause,
    })
  }
  const [message, retryAfter] = whyUnavailable(cause)
  return new CarcosaError('STORAGE_UNAVAILABLE', {
    message,
    headers: { 'Retry-After': String(retryAfter) },
    cause,
  })
}

/** Whether the same request may succeed a moment later. */
export function isPassing(error: unknown): boolean {
  if (error instanceof CarcosaError || isAboutCredentials(error)) return false
  const status = statusOf(error)
  // Without a status it was the connection; only that has a code then.
  if (status === undefined) return error instanceof Error && 'code' in error
  return status >= 500 || [408, 429].includes(status) || slow.has(reasonOf(error))
}

/** Whether there is no such object; that there is no such bucket is another matter. */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && !isMissingBucket(error)
}

export function isMissingBucket(error: unknown): boolean {
  return statusOf(error) === 404 && /\bbucket\b/i.test(String(error))
}

/** Whether the SDK found nothing to sign in with. */
export function hasNoCredentials(error: unknown): boolean {
  return /could not load the default credentials/i.test(String(error))
}

function whyUnavailable(cause: unknown): [message: string, retryAfter: number] {
  if (isMissingBucket(cause)) {
    return [
      'The bucket of the store does not exist. What was acknowledged is kept; an operator must look at it.',
      30,
    ]
  }
  if (statusOf(cause) === 429 || slow.has(reasonOf(cause))) {
    return ['The store asks for fewer requests. Retry a little later.', 10]
  }
  if (isAboutCredentials(cause)) {
    return [
      'The store refuses the credentials of this server. What was acknowledged is kept; an operator must look at them.',
      30,
    ]
  }
  return [
    'The store could not be read or written. What was acknowledged is kept; retry.',
    5,
  ]
}

function isAboutCredentials(error: unknown): boolean {
  const status = statusOf(error)
  if (status === 401) return true
  if (status === 403) return !slow.has(reasonOf(error)) && !full.has(reasonOf(error))
  // The SDK asks for a token first, and reports that as errors of another library.
  const text = String(error)
  return (
    /invalid_grant|invalid_client|SigningError|client_email/.test(text) ||
    hasNoCredentials(error)
  )
}

/** Of our own refusals, of the SDK's errors, and of those of the library that gets it tokens. */
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, status } = error as { code?: unknown; status?: unknown }
  return [code, status].find((value) => typeof value === 'number')
}

function reasonOf(error: unknown): string {
  if (error instanceof Refusal) return error.reason
  const { errors } = (error ?? {}) as { errors?: readonly { reason?: string }[] }
  return (Array.isArray(errors) && errors[0]?.reason) || ''
}

function reasonIn(text: string): string {
  try {
    return String(JSON.parse(text).error.errors[0].reason)
  } catch {
    return ''
  }
}

const full = new Set(['quotaExceeded', 'dailyLimitExceeded', 'storageQuotaExceeded'])
const slow = new Set(['rateLimitExceeded', 'userRateLimitExceeded'])
