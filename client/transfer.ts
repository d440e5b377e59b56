import { CarcosaClientError, toClientError } from './errors.ts'
import { resolveHeaders } from './headers.ts'
import { type Position, type Run, startPosition } from './job.ts'
import { outcome, type UploadedFile, whyGone } from './outcome.ts'
import { persist } from './retry.ts'
import { assertReadable, type FileDescription } from './source.ts'
import { transmit } from './tus.ts'

/** How one series of tries ended, where that is not an error. */
interface Attempt {
  ending: 'sent' | 'gone' | 'ticket refused'
  error?: CarcosaClientError
}

/** How often a file is begun anew before the server is taken by its word that it is gone. */
const maxRestarts = 2

/** How often an unknown voice must say that an upload is gone before it is believed. */
const maxStrangers = 3

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
    const attempt = await sendAll(run)
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

async function recall(run: Run) {
  const { job, position } = run
  if (position.recalled) return
  position.recalled = true
  const stored = await guarded(run, () => job.storage.get(position.key))
  if (!stored || stored.size !== job.description.size) return
  const { url, ticket, expiresAt, createdAt } = stored
  Object.assign(position, { url, ticket, expiresAt, createdAt })
}

async function ensureTicket({ job, position, signal }: Run) {
  if (position.url) return
  job.listener.onActivity('preparing')
  const { onRetry } = job.listener
  const ticket = await job.tickets.take(job.index, { signal, onRetry })
  if (ticket !== position.ticket) position.tried = false
  position.ticket = ticket
}

/** Tries until all is sent, or it is clear that going on like this cannot work. */
function sendAll(run: Run): Promise<Attempt> {
  const { job, position, signal } = run
  let lastOffset = position.offset
  let strangers = 0

  async function attempt(): Promise<Attempt> {
    try {
      await sendOnce(run)
      return { ending: 'sent' }
    } catch (thrown) {
      signal.throwIfAborted()
      const error = toClientError(thrown)
      if (isStranger(error, position)) strangers++
      const ending = endingFor(error, position, strangers)
      if (ending) return { ending, error }
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
    onUrl: (url) => remember(run, url),
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

/** What a failed try means, if not that the next one may succeed or that all is lost. */
function endingFor(
  error: CarcosaClientError,
  position: Position,
  strangers: number,
): Attempt['ending'] | null {
  if (!position.url) return error.code === 'TICKET_INVALID' ? 'ticket refused' : null
  if (strangers === maxStrangers) return 'gone'
  return ['UPLOAD_NOT_FOUND', 'UPLOAD_GONE'].includes(error.code) ? 'gone' : null
}

/**
 * Somebody says that this upload does not exist, and it need not be the server: proxies say
 * 404 while the server behind them is being restarted.
 */
function isStranger(error: CarcosaClientError, position: Position): boolean {
  const missing = error.status === 404 || error.status === 410
  return position.url !== null && missing && error.code === 'HTTP_ERROR'
}

/** Forgets an upload that nobody will ever be able to go on with, and throws `thrown`. */
async function forgetIfLost(run: Run, thrown: unknown): Promise<never> {
  const { status } = toClientError(thrown)
  const isLost = status === 403 || status === 404 || status === 410
  if (isLost && !isStranger(toClientError(thrown), run.position)) await forget(run)
  throw thrown
}

function metadataOf(description: FileDescription): Record<string, string> {
  const { name, type, lastModified } = description
  return {
    filename: name,
    ...(type && { filetype: type }),
    ...(lastModified !== undefined && { lastModified: String(lastModified) }),
  }
}

function remember(run: Run, url: string) {
  const { job, position } = run
  position.url = url
  position.createdAt ||= Date.now()
  const { key, ticket, createdAt, expiresAt } = position
  const { name, size } = job.description
  const entry = { url, ticket, route: job.route, name, size, createdAt, expiresAt }
  position.saving = guarded(run, () => job.storage.set(key, entry))
}

async function forget(run: Run) {
  // What is still being written would otherwise outlive its removal.
  await run.position.saving
  await guarded(run, () => run.job.storage.remove(run.position.key))
}

/** A storage that fails costs the chance to resume, and is no reason to fail the upload. */
async function guarded<T>({ job }: Run, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work()
  } catch (cause) {
    const message = `What is needed to resume "${job.description.name}" could not be kept.`
    job.listener.onWarning(new CarcosaClientError('CLIENT_FAILED', { message, cause }))
    return null
  }
}
