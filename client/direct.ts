import { type Attempt, forgetIfLost, goneDetector, isStranger } from './attempt.ts'
import { type CarcosaClientError, toClientError } from './errors.ts'
import { resolveHeaders } from './headers.ts'
import type { Run } from './job.ts'
import { arrived, type DirectUpload } from './offer.ts'
import { sendParts } from './parts.ts'
import { expired, failed, isExpired } from './refusal.ts'
import { remember } from './remember.ts'
import { persist } from './retry.ts'

/**
 * Sends the parts that have not arrived to the store, and then tells the server. Where the
 * store does not take them the attempt ends with `direct refused`: the server takes the bytes
 * of the same upload.
 */
export async function sendDirectly(run: Run, direct: DirectUpload): Promise<Attempt> {
  const { position, job } = run
  if (arrived(direct) > 0) job.listener.onResume(arrived(direct))
  try {
    const isWhole = arrived(direct) === job.description.size
    if (position.tried && !isWhole && isExpired(direct)) throw expired(run)
    position.tried = true
    await sendParts(run, direct)
    return await settle(run, direct)
  } catch (thrown) {
    run.signal.throwIfAborted()
    const error = toClientError(thrown)
    if (error.code === 'DIRECT_FAILED') return { ending: 'direct refused', error }
    return forgetIfLost(run, error)
  }
}

async function settle(run: Run, direct: DirectUpload): Promise<Attempt> {
  const attempt = await finish(run, direct)
  if (attempt.ending !== 'incomplete') return attempt
  // A receipt is worth nothing if the store has lost its part, and nobody says which.
  loseReceipts(run, direct)
  await sendParts(run, direct)
  const again = await finish(run, direct)
  if (again.ending !== 'incomplete') return again
  loseReceipts(run, direct)
  throw again.error
}

function loseReceipts(run: Run, { parts }: DirectUpload) {
  for (const part of parts) part.receipt = null
  remember(run)
}

type Finished = Attempt | { ending: 'incomplete'; error: CarcosaClientError }

/** Tells the server that all is there. */
function finish(run: Run, { parts }: DirectUpload): Promise<Finished> {
  const { job, position, signal } = run
  const { url, ticket } = position
  if (!url) throw new TypeError('An upload without a URL cannot be finished.')
  const isGone = goneDetector(position)
  const receipts = parts.map(({ receipt }) => receipt ?? '')
  const headers = () => resolveHeaders(...job.headers)

  const attempt = async (): Promise<Finished> => {
    try {
      await job.api.finish(url, receipts, { signal, ticket, headers })
      return { ending: 'sent' }
    } catch (thrown) {
      signal.throwIfAborted()
      const error = toClientError(thrown)
      if (isGone(error)) return { ending: 'gone', error }
      if (error.code === 'UPLOAD_INCOMPLETE') return { ending: 'incomplete', error }
      // Somebody sent bytes of it to the server meanwhile, and so must we.
      if (error.code === 'BAD_REQUEST') throw failed(run, error.message, error)
      throw error
    }
  }

  job.listener.onActivity('finishing')
  return persist(attempt, {
    policy: job.policy,
    signal,
    isRetryable: (error) => job.isRetryable(error) || isStranger(error, position),
    onRetry: (notice) => job.listener.onRetry(notice),
  })
}
