import { type Attempt, forgetIfLost, goneDetector, isStranger } from './attempt.ts'
import { sendDirectly } from './direct.ts'
import { toClientError } from './errors.ts'
import { resolveHeaders } from './headers.ts'
import { type Run, startPosition } from './job.ts'
import { readOffer } from './offer.ts'
import { outcome, type UploadedFile, whyGone } from './outcome.ts'
import { forget, recall, remember } from './remember.ts'
import { persist } from './retry.ts'
import { assertReadable, type FileDescription } from './source.ts'
import { transmit } from './tus.ts'

/** How often a file is begun anew before the server is taken by its word that it is gone. */
const maxRestarts = 2

/** Files up to this size travel in the request that creates them. */
const creationLimit = 1024 * 1024

/**
 * Brings one file to the server and waits for what the server makes of it.
 * @throws {CarcosaClientError} when it cannot be done, now or ever; the position then still
 *   tells where it stands, and calling this again goes on from there
 */
export async function transfer(run: Run): Promise<UploadedFile> {
  await recall(run)
  for (let restarts = 0; ; restarts++) {
    await ensureTicket(run)
    run.job.listener.onActivity('sending')
    const attempt = await send(run)
    if (attempt.ending === 'sent') break
    if (restarts === maxRestarts) throw attempt.error
    await startOver(run, attempt)
  }
  run.job.listener.onActivity('finishing')
  const file = await outcome(run).catch((error) => forgetIfLost(run, error))
  await forget(run)
  return file
}

/** Removes the upload from server and memory. */
export async function discard(run: Run): Promise<void> {
  const { job, position, signal } = run
  const { url, ticket } = position
  await forget(run)
  if (!url) return
  const { api, policy, isRetryable } = job
  const call = { signal, ticket, headers: () => resolveHeaders(...job.headers) }
  await persist(() => api.remove(url, call), { policy, signal, isRetryable })
}

async function ensureTicket(run: Run) {
  const { job, position, signal } = run
  if (position.url) return
  job.listener.onActivity('preparing')
  const { onRetry } = job.listener
  const { ticket, offer } = await job.tickets.take(job.index, { signal, onRetry })
  if (ticket !== position.ticket) position.tried = false
  position.ticket = ticket
  takeOffer(run, offer)
}

/** An upload that was offered exists already; without its URL the ticket finds it. */
function takeOffer(run: Run, offer: unknown) {
  const { job, position } = run
  const direct = job.direct ? readOffer(offer, job.description.size) : null
  const { url } = (offer ?? {}) as { url?: unknown }
  if (!direct || typeof url !== 'string') return
  position.url = new URL(url, job.api.endpoint(job.route)).href
  position.direct = direct
  position.expiresAt = direct.expiresAt
  remember(run)
}

/** Past the server where that was offered, and through it where not, or where that fails. */
async function send(run: Run): Promise<Attempt> {
  const { position, job } = run
  if (position.direct) {
    const attempt = await sendDirectly(run, position.direct)
    if (attempt.ending !== 'direct refused') return attempt
    position.direct = null
    remember(run)
    if (attempt.error) job.listener.onWarning(attempt.error)
    job.listener.onSent(0)
    job.listener.onActivity('sending')
  }
  return sendAll(run)
}

/** Tries until all is sent, or it is clear that going on like this cannot work. */
function sendAll(run: Run): Promise<Attempt> {
  const { job, position, signal } = run
  const isGone = goneDetector(position)
  let lastOffset = position.offset

  async function attempt(): Promise<Attempt> {
    try {
      await sendOnce(run)
      return { ending: 'sent' }
    } catch (thrown) {
      signal.throwIfAborted()
      const error = toClientError(thrown)
      if (isGone(error)) return { ending: 'gone', error }
      const isRefused = !position.url && error.code === 'TICKET_INVALID'
      if (isRefused) return { ending: 'ticket refused', error }
      if (error.code === 'NETWORK') await assertReadable(job.file, position.offset)
      return forgetIfLost(run, error)
    }
  }

  return persist(attempt, {
    policy: job.policy,
    signal,
    isRetryable: (error) => job.isRetryable(error) || isStranger(error, position),
    onRetry: (notice) => job.listener.onRetry(notice),
    progressed() {
      const better = position.offset > lastOffset
      lastOffset = position.offset
      return better
    },
  })
}

function sendOnce(run: Run): Promise<void> {
  const { job, position, signal } = run
  const { description, listener, policy } = job
  const isFirstTry = !position.tried
  position.tried = true
  let resuming = position.url !== null
  return transmit({
    file: job.file,
    target: position.url
      ? { url: position.url }
      : { endpoint: job.api.endpoint(job.route) },
    metadata: metadataOf(description),
    chunkSize: job.chunkSize,
    // If the answer to the first try was lost the upload may exist and hold some bytes: the
    // same ticket finds it again, but a creation with content would have to be at offset 0.
    withCreation: isFirstTry && description.size > 0 && description.size <= creationLimit,
    stallTimeout: policy.stallTimeout,
    signal,
    withCredentials: job.withCredentials,
    headers: () =>
      resolveHeaders(
        ...job.headers,
        position.ticket ? { 'upload-ticket': position.ticket } : {},
      ),
    onUrl(url) {
      position.url = url
      remember(run)
    },
    onSent: (bytes) => listener.onSent(bytes),
    onAcknowledged: (offset) => {
      position.offset = offset
      if (resuming) listener.onResume(offset)
      resuming = false
    },
    onExpires: (expires) => {
      position.expiresAt = expires.getTime()
    },
  })
}

async function startOver(run: Run, { ending, error }: Attempt) {
  const { job, position } = run
  if (ending === 'gone' && error) {
    const reason = await whyGone(run)
    await forget(run)
    if (reason) throw reason
    job.listener.onRestart(error)
  }
  // The old ticket would lead to the old upload again.
  if (position.ticket) job.tickets.discard(position.ticket)
  Object.assign(position, startPosition(position.key), { recalled: true })
  job.listener.onSent(0)
}

function metadataOf(description: FileDescription): Record<string, string> {
  const { name, type, lastModified } = description
  return {
    filename: name,
    ...(type && { filetype: type }),
    ...(lastModified !== undefined && { lastModified: String(lastModified) }),
  }
}
