import { CarcosaClientError } from './errors.ts'
import type { Run } from './job.ts'
import { arrived, type DirectUpload } from './offer.ts'

/** Failures after which a store that never took a part from here counts as out of reach. */
const maxBlindFailures = 5

/** What the failure of a part means, if not that the next try may succeed or that all is lost. */
export function refusal(failure: {
  run: Run
  direct: DirectUpload
  error: CarcosaClientError
  failures: number
}): CarcosaClientError | null {
  const { run, direct, error, failures } = failure
  const isPassing = error.retryable
  if (error.code === 'HTTP_ERROR' && !isPassing) return failed(run, error.message, error)
  // Browsers do not show every refusal.
  if (error.code === 'NETWORK' && isExpired(direct)) return expired(run)
  if (!isPassing || failures < maxBlindFailures || arrived(direct) > 0) return null
  return failed(
    run,
    `The store is out of reach: ${error.message} If this is a browser, the CORS rules of the bucket must allow PUT from ${globalThis.location?.origin ?? 'its origin'}.`,
    error,
  )
}

export function isExpired({ expiresAt }: DirectUpload): boolean {
  return expiresAt <= Date.now()
}

export function expired(run: Run): CarcosaClientError {
  return failed(run, 'The URLs its parts were to be sent to have expired.')
}

export function hidden(run: Run): CarcosaClientError {
  return failed(
    run,
    'The store does not show the ETag of a part: add "ETag" to ExposeHeaders in the CORS rules of the bucket.',
  )
}

export function failed({ job }: Run, why: string, cause?: unknown): CarcosaClientError {
  const message = `"${job.description.name}" goes through the server, not straight to the store. ${why}`
  return new CarcosaClientError('DIRECT_FAILED', { message, cause })
}
