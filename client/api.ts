import { CarcosaClientError } from './errors.ts'
import type { Call, Caller } from './http.ts'
import { isRecord } from './problem.ts'
import type { FileDescription } from './source.ts'

/** The JSON side of a Carcosa server: everything but the bytes. */
export interface Api {
  /** Where uploads of `route` are created: an absolute URL. */
  endpoint(route: string): string
  /** Asks whether `files` may be uploaded, and for their tickets. */
  prepare(route: string, batch: Batch, call: Call): Promise<Prepared>
  /** How the upload at `url` stands; held by the server up to `wait` seconds until it ends. */
  status(url: string, call: Call & { wait?: number }): Promise<UploadStatusDocument>
  /**
   * Says that the store has all parts of the upload at `url`; `receipts` are their ETags, in
   * order. Safe to repeat.
   */
  finish(url: string, receipts: readonly string[], call: Call): Promise<void>
  /** What each route accepts, as `GET /routes` tells. */
  routes(call: Call): Promise<Record<string, RouteDocument>>
  /** Removes the upload at `url`. One that is gone already counts as removed. */
  remove(url: string, call: Call): Promise<void>
}

export interface Batch {
  readonly files: readonly FileDescription[]
  readonly input: unknown
  /** Whether the bytes may go to the store, past the server. */
  readonly direct?: true
}

export interface Prepared {
  /** Problems that refuse the whole batch. */
  readonly errors: readonly unknown[]
  /** In the order asked: a ticket, or the problem that refuses this file. */
  readonly files: readonly PreparedFile[]
}

interface PreparedFile {
  readonly ticket?: string
  readonly error?: unknown
  /** Where to send the parts, if they go to the store; see `readOffer`. */
  readonly direct?: unknown
}

/** The JSON of `GET /uploads/:route/:id`. */
export interface UploadStatusDocument {
  readonly id: string
  readonly route: string
  readonly state: string
  readonly name: string | null
  readonly size: number | null
  /** Bytes the server has. */
  readonly offset: number
  readonly type: string | null
  readonly sha256: string | null
  readonly url: string | null
  readonly serverData: unknown
  readonly failure: { readonly code: string; readonly message: string } | null
}

/** One route in `GET /routes`. */
export interface RouteDocument {
  /** Whether the answer of `onUploadComplete` is worth waiting for. Default true. */
  readonly awaitServerData?: boolean
  /** For the `accept` attribute of a file input. */
  readonly accept?: string
  readonly [key: string]: unknown
}

/** Where the server waits for a store, which takes its time with many or large objects. */
const longPatience = 10 * 60_000

/** The API of the server whose mount point is `url`. */
export function createApi(url: URL, call: Caller): Api {
  const base = url.href.replace(/\/+$/, '')
  const endpoint = (route: string) => `${base}/uploads/${encodeURIComponent(route)}`

  async function json(request: Parameters<Caller>[0]) {
    const { status, text } = await call(request)
    return parseObject(text, { name: `${request.method} ${request.url}`, status })
  }

  return {
    endpoint,
    async prepare(route, batch, options) {
      const url = `${endpoint(route)}/prepare`
      // A direct upload is begun in the store for each file before there is an answer.
      const patience = batch.direct ? longPatience : undefined
      const answer = await json({
        ...options,
        method: 'POST',
        url,
        body: batch,
        patience,
      })
      if (isPrepared(answer) && answer.files.length === batch.files.length) return answer
      throw invalid(`The answer to POST ${url} is not the verdict on a batch.`)
    },
    async status(url, { wait, ...options }) {
      const target = new URL(url)
      if (wait) target.searchParams.set('wait', String(wait))
      const answer = await json({ ...options, method: 'GET', url: target.href })
      if (isStatusDocument(answer)) return answer
      throw invalid(`The answer to GET ${url} is not the state of an upload.`)
    },
    async finish(url, receipts, options) {
      const target = `${url}/finish`
      const body = { receipts }
      const patience = longPatience
      await call({ ...options, method: 'POST', url: target, body, patience })
    },
    async routes(options) {
      const { routes } = await json({ ...options, method: 'GET', url: `${base}/routes` })
      return isRecord(routes) ? (routes as Record<string, RouteDocument>) : {}
    },
    async remove(url, options) {
      try {
        await call({ ...options, method: 'DELETE', url })
      } catch (error) {
        const status = error instanceof CarcosaClientError ? error.status : null
        if (status !== 404 && status !== 410) throw error
      }
    },
  }
}

function parseObject(text: string, answer: { name: string; status: number }) {
  try {
    const value: unknown = JSON.parse(text)
    if (isRecord(value)) return value
  } catch {
    // Falls through: not JSON and not an object are the same mistake.
  }
  throw invalid(
    `The answer to ${answer.name} is not a JSON object. Is this the URL of Carcosa?`,
    answer.status,
  )
}

function invalid(message: string, status = 200): CarcosaClientError {
  return new CarcosaClientError('RESPONSE_INVALID', { message, status })
}

function isPrepared(value: unknown): value is Prepared {
  if (!isRecord(value) || !Array.isArray(value.files)) return false
  return value.files.every(isRecord) && Array.isArray(value.errors ?? [])
}

function isStatusDocument(value: unknown): value is UploadStatusDocument {
  return (
    isRecord(value) && typeof value.id === 'string' && typeof value.state === 'string'
  )
}
