import { createHash } from 'node:crypto'
import { evaluatePreconditions } from '../../files/conditional.ts'
import { CarcosaError } from '../../shared/errors.ts'

/** The strong entity tag of what is answered: the same text has the same. */
export function etagOf(json: string): string {
  const hash = createHash('sha256').update(json).digest('base64url')
  return `"${hash.slice(0, 22)}"`
}

/**
 * Whether one that reads has it already.
 * @throws {CarcosaError} PRECONDITION_FAILED
 */
export function isKnown(headers: Headers, etag: string): boolean {
  const outcome = evaluatePreconditions(headers, { etag, lastModified: null })
  if (outcome === 'failed') throw changed()
  return outcome === 'unchanged'
}

/**
 * Refuses to change what is not as the client knows it. Returns whether it said what it knows;
 * `If-Match: *` knows nothing in particular.
 * @throws {CarcosaError} PRECONDITION_FAILED
 */
export function requireMatch(headers: Headers, etag: string): boolean {
  const outcome = evaluatePreconditions(headers, { etag, lastModified: null })
  if (outcome !== 'proceed') throw changed()
  const known = headers.get('if-match')
  return known !== null && known.trim() !== '*'
}

function changed(): CarcosaError {
  return new CarcosaError('PRECONDITION_FAILED', {
    message:
      'It was changed since, or is not as If-Match says. Get it again, and decide anew.',
  })
}
