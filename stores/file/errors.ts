import { CarcosaError } from '../../src/shared/errors.ts'

/** Only "there is no such file" means absence; every other failure is a failure (tus F2). */
export function nullIfMissing(error: unknown): null {
  if (codeOf(error) === 'ENOENT') return null
  throw storageError(error)
}

/** What the file system says as an error of ours, which tells no client where the files are. */
export function storageError(cause: unknown): CarcosaError {
  if (cause instanceof CarcosaError) return cause
  if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes(codeOf(cause))) {
    return new CarcosaError('STORAGE_FULL', {
      message:
        'The disk of the store is full. What was acknowledged is kept; resume later.',
      headers: { 'Retry-After': '30' },
      cause,
    })
  }
  return new CarcosaError('STORAGE_UNAVAILABLE', {
    message:
      'The store could not be read or written. What was acknowledged is kept; retry.',
    headers: { 'Retry-After': '5' },
    cause,
  })
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
