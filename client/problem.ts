import { CarcosaClientError } from './errors.ts'

/** The parts of an HTTP answer that an error is made of, whoever made the request. */
export interface ErrorAnswer {
  readonly method: string
  readonly url: string
  readonly status: number
  readonly body: string
  header(name: string): string | null | undefined
}

/**
 * The error an unsuccessful answer stands for.
 *
 * The code comes from the problem document (RFC 9457). `HEAD` has no body, so there 404 and
 * 410 become UPLOAD_NOT_FOUND and UPLOAD_GONE, but only if the answer carries
 * `Tus-Resumable`: proxies say 404 for a server that is just being restarted, and to
 * believe them would throw away everything that was sent.
 */
export function errorFromAnswer(answer: ErrorAnswer): CarcosaClientError {
  const problem = parseProblem(answer.body)
  const code = problem.code ?? codeFromStatus(answer)
  return new CarcosaClientError(code, {
    message: problem.detail ?? sentence(answer),
    status: answer.status,
    details: problem.details,
    retryable: isPassing(answer.status, code),
    retryAfter: parseRetryAfter(answer.header('Retry-After')),
    requestId: problem.requestId,
  })
}

/** A problem document that came inside another answer, e.g. one file's verdict. */
export function errorFromProblem(value: unknown): CarcosaClientError {
  const problem = readProblem(value)
  const code = problem.code ?? 'RESPONSE_INVALID'
  return new CarcosaClientError(code, {
    message: problem.detail ?? `The server refused with ${code}.`,
    status: problem.status,
    details: problem.details,
    requestId: problem.requestId,
  })
}

/** `Retry-After` in milliseconds: seconds or an HTTP date; null if absent or nonsense. */
export function parseRetryAfter(
  value: string | null | undefined,
  now = Date.now(),
): number | null {
  if (!value) return null
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000
  // Date.parse finds a date in nearly anything; those of HTTP begin with a weekday.
  const date = /^[A-Z][a-z]{2},/.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(date) ? null : Math.max(0, date - now)
}

/** Server errors that waiting does not cure: somebody has to change code or settings. */
const permanentCodes = new Set([
  'MIDDLEWARE_FAILED',
  'CALLBACK_FAILED',
  'STORE_UNKNOWN',
  'STORAGE_CORRUPT',
  'CONFIG_INVALID',
  'BODY_ALREADY_READ',
])

/** Whether an answer with this status and code may be another one later. */
export function isPassing(status: number, code: string): boolean {
  if (permanentCodes.has(code)) return false
  if ([408, 409, 423, 425, 429].includes(status)) return true
  return status >= 500 && status !== 501 && status !== 505
}

function codeFromStatus(answer: ErrorAnswer): string {
  const fromTusServer = Boolean(answer.header('Tus-Resumable'))
  if (fromTusServer && answer.status === 404) return 'UPLOAD_NOT_FOUND'
  if (fromTusServer && answer.status === 410) return 'UPLOAD_GONE'
  return 'HTTP_ERROR'
}

function sentence({ method, url, status }: ErrorAnswer): string {
  return `The server answered ${status} to ${method} ${url}.`
}

interface ReadProblem {
  code?: string
  detail?: string
  status?: number
  details?: Record<string, unknown>
  requestId?: string
}

function parseProblem(body: string): ReadProblem {
  if (!body.trimStart().startsWith('{')) return {}
  try {
    return readProblem(JSON.parse(body))
  } catch {
    // A proxy's page that merely looks like JSON tells no more than its status.
    return {}
  }
}

function readProblem(value: unknown): ReadProblem {
  if (!isRecord(value)) return {}
  const { code, detail, status, details, requestId } = value
  return {
    ...(typeof code === 'string' && { code }),
    ...(typeof detail === 'string' && { detail }),
    ...(typeof status === 'number' && { status }),
    ...(isRecord(details) && { details }),
    ...(typeof requestId === 'string' && { requestId }),
  }
}

/** Whether `value` is an object with string keys, as JSON objects are. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
