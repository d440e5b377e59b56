import { CarcosaError, type ErrorCode, errorCodes } from '../shared/errors.ts'

/**
 * The error that an answer tells, as it was thrown on the server: code, message and details are
 * those of the problem (RFC 9457), which is the `cause`.
 */
export async function errorOf(response: Response): Promise<CarcosaError> {
  const { status } = response
  const headers = retryHeaders(response)
  const problem = await readProblem(response)
  const { code, detail, details } = problem ?? {}
  if (isCode(code)) {
    return new CarcosaError(code, {
      ...(typeof detail === 'string' && { message: detail }),
      ...(isObject(details) && { details }),
      ...{ headers, cause: problem },
    })
  }
  const passing = status === 429 || status === 502 || status === 503 || status === 504
  return new CarcosaError(passing ? 'NETWORK' : 'RESPONSE_INVALID', {
    message: `The answer ${status} is not one of a Carcosa server, or of a newer one. Look at the URL, and at what is in between.`,
    details: { status, ...(typeof code === 'string' && { code }) },
    ...{ headers, cause: problem },
  })
}

/** An answer that makes no sense. */
export function unintelligible(what: string, cause?: unknown): CarcosaError {
  return new CarcosaError('RESPONSE_INVALID', {
    message: `The answer is not one of a Carcosa server: ${what}. Look at the URL, and at what is in between.`,
    cause,
  })
}

/** No answer at all. */
export function unreachable(cause: unknown): CarcosaError {
  return new CarcosaError('NETWORK', {
    message:
      'There was no answer: the connection was refused, broke off, or took too long.',
    cause,
  })
}

/** Milliseconds that the server asked to wait; null if it did not. */
export function retryAfterOf({ headers }: CarcosaError): number | null {
  const given = headers['Retry-After']
  if (given === undefined) return null
  if (/^\d{1,9}$/.test(given)) return Number(given) * 1_000
  const at = Date.parse(given)
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now())
}

function retryHeaders(response: Response): Record<string, string> {
  const after = response.headers.get('retry-after')
  return after === null ? {} : { 'Retry-After': after }
}

async function readProblem(response: Response): Promise<Record<string, unknown> | null> {
  try {
    const value: unknown = JSON.parse(await response.text())
    return isObject(value) ? value : null
  } catch {
    // What is no JSON tells no more than its status.
    return null
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCode(code: unknown): code is ErrorCode {
  return errorCodes.some((known) => known === code)
}
