import { CarcosaError } from '../../src/shared/errors.ts'

/** What a `fresh` object is refused with whose key is in use. */
export function occupied(cause?: unknown): CarcosaError {
  return new CarcosaError('OBJECT_EXISTS', {
    message: 'The store holds another object under the key of this upload. Begin again.',
    headers: { 'Retry-After': '1' },
    cause,
  })
}
