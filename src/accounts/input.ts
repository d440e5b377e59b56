import { CarcosaError } from '../shared/errors.ts'

/** In characters. Longer ones help more than stranger ones do (NIST SP 800-63B). */
export const shortestPassword = 10
/** So that nobody makes us hash a book. */
export const longestPassword = 256

/** The body of a request, if it is an object. @throws {CarcosaError} BAD_REQUEST */
export function objectOf(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
    // Of an object the members are unknown, and that is all it says.
    return body as Record<string, unknown>
  }
  throw bad('The body must be a JSON object.')
}

/** In lower case. @throws {CarcosaError} BAD_REQUEST */
export function emailOf(value: unknown): string {
  if (typeof value === 'string' && value.length <= 254 && emailForm.test(value)) {
    return value.toLowerCase()
  }
  throw bad('email must be an e-mail address.')
}

/** @throws {CarcosaError} PASSWORD_INVALID */
export function newPasswordOf(value: unknown): string {
  if (typeof value !== 'string') throw bad('The password must be text.')
  if (value.length >= shortestPassword && value.length <= longestPassword) return value
  throw new CarcosaError('PASSWORD_INVALID', {
    message: `A password has ${shortestPassword} to ${longestPassword} characters.`,
    details: { min: shortestPassword, max: longestPassword },
  })
}

/** Of somebody who signs in: any text may be wrong. @throws {CarcosaError} BAD_REQUEST */
export function passwordOf(value: unknown): string {
  if (typeof value === 'string' && value.length <= longestPassword) return value
  throw bad(`password must be text of at most ${longestPassword} characters.`)
}

/** @throws {CarcosaError} BAD_REQUEST */
export function textOf(name: string, value: unknown, longest = 200): string {
  const isText = typeof value === 'string' && value.trim() !== '' && isStorable(value)
  if (isText && value.length <= longest) return value.trim()
  throw bad(`${name} must be text of 1 to ${longest} characters.`)
}

function isStorable(value: string): boolean {
  return value.isWellFormed() && !value.includes('\0')
}

/** As strict as better-auth, which judges it once more. */
const emailForm =
  /^(?!\.)(?!.*\.\.)[A-Za-z0-9_'+\-.]*[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9-]*\.)+[A-Za-z]{2,}$/

function bad(message: string): CarcosaError {
  return new CarcosaError('BAD_REQUEST', { message })
}
