import type { UploadStatusDocument } from './api.ts'
import { CarcosaClientError, toClientError } from './errors.ts'
import { resolveHeaders } from './headers.ts'
import type { Run } from './job.ts'
import { persist } from './retry.ts'

/** A file that has arrived. */
export interface UploadedFile<ServerData = unknown> {
  readonly id: string
  readonly route: string
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** MIME type as the server decided it. */
  readonly type: string
  readonly lastModified: number | undefined
  /** Where it is served, absolute; null if the server does not serve it. */
  readonly url: string | null
  /** Of the whole file, lower-case hex; null if the server made none, or not yet. */
  readonly sha256: string | null
  /** What the route's `onUploadComplete` returned; null if its route waits for no one. */
  readonly serverData: ServerData
}

/** Seconds the server is asked to hold a question. */
const hold = 30

/** States in which the file will not become available any more. */
const lostStates = ['failed', 'rejected', 'expired', 'removed', 'quarantined']

/**
 * What became of an upload whose bytes have all arrived. Waits until the completion callback
 * ran, unless its route says that nobody needs to.
 * @throws {CarcosaClientError} with the server's code if the file was refused after all
 */
export async function outcome(run: Run): Promise<UploadedFile> {
  const { job, signal } = run
  const wait = (await job.awaitsServerData(signal)) ? hold : 0
  for (;;) {
    const asked = Date.now()
    const document = await ask(run, wait)
    if (lostStates.includes(document.state)) throw lost(document)
    if (!wait) return toFile(run, { ...document, serverData: null })
    if (document.state === 'ready') return toFile(run, document)
    job.listener.onActivity('finishing')
    // A server, or a proxy, that does not hold the question must not be flooded with it.
    if (Date.now() - asked < 1000) await sleep(1000, signal)
  }
}

/**
 * The reason, if an upload is gone for one that sending it again cannot change; null if it
 * merely expired, was removed, or is not known.
 */
export async function whyGone(run: Run): Promise<CarcosaClientError | null> {
  try {
    const document = await ask(run, 0)
    return isVerdict(document.state) ? lost(document) : null
  } catch (thrown) {
    const error = toClientError(thrown)
    const isRefusal =
      error.code === 'UPLOAD_REJECTED' || error.code === 'TYPE_NOT_ALLOWED'
    return isRefusal || isVerdict(error.details?.state) ? error : null
  }
}

function isVerdict(state: unknown): boolean {
  return state === 'rejected' || state === 'failed' || state === 'quarantined'
}

function ask({ job, position, signal }: Run, wait: number) {
  const { api, policy, isRetryable, listener } = job
  const { url, ticket } = position
  if (!url) throw new TypeError('An upload without a URL cannot be asked about.')
  const headers = () => resolveHeaders(...job.headers)
  return persist(() => api.status(url, { signal, headers, ticket, wait }), {
    policy,
    signal,
    isRetryable,
    onRetry: (notice) => listener.onRetry(notice),
  })
}

function lost({ state, failure }: UploadStatusDocument): CarcosaClientError {
  const fallback = state === 'failed' ? 'CALLBACK_FAILED' : 'UPLOAD_GONE'
  return new CarcosaClientError(failure?.code ?? fallback, {
    message: failure?.message ?? `The server reports the upload as ${state}.`,
    details: { state },
  })
}

function toFile({ job, position }: Run, document: UploadStatusDocument): UploadedFile {
  const { description, route } = job
  return {
    id: document.id,
    route,
    name: document.name ?? description.name,
    size: document.size ?? description.size,
    type: document.type ?? description.type,
    lastModified: description.lastModified,
    url: document.url && new URL(document.url, position.url ?? undefined).href,
    sha256: document.sha256,
    serverData: document.serverData,
  }
}

function sleep(delay: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    }, delay)
    signal.addEventListener('abort', abort, { once: true })
  })
}
