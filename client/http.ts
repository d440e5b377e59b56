import { CarcosaClientError } from './errors.ts'
import { type HeadersSource, resolveHeaders } from './headers.ts'
import { errorFromAnswer } from './problem.ts'

/** What goes with a request whatever it is about. */
export interface Call {
  readonly signal: AbortSignal
  /** In addition to those of the client. */
  readonly headers?: HeadersSource | undefined
  /** The credential of the upload this is about. */
  readonly ticket?: string | null
  /** Milliseconds until the request counts as dead. Default: a minute. */
  readonly patience?: number | undefined
}

export interface CallerOptions {
  readonly headers: HeadersSource | undefined
  readonly credentials: RequestCredentials | undefined
  readonly fetch: typeof globalThis.fetch
}

/**
 * Makes one request and reads its answer; every status but 2xx is thrown, as the error the
 * server meant, and no answer as NETWORK.
 */
export type Caller = (
  request: Call & { method: string; url: string; body?: unknown },
) => Promise<{ status: number; text: string }>

/** Milliseconds until a request that carries no file counts as dead. */
const answerTimeout = 60_000

export function createCaller(options: CallerOptions): Caller {
  return async ({ method, url, body, patience = answerTimeout, ...call }) => {
    const headers = await resolveHeaders(options.headers, call.headers, {
      accept: 'application/json',
      'tus-resumable': '1.0.0',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(call.ticket && { 'upload-ticket': call.ticket }),
    })
    const init: RequestInit = {
      method,
      headers,
      signal: AbortSignal.any([call.signal, AbortSignal.timeout(patience)]),
      ...(options.credentials && { credentials: options.credentials }),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }
    const { response, text } = await answer(options.fetch, url, init)
    const { status } = response
    if (response.ok) return { status, text }
    const header = (name: string) => response.headers.get(name)
    throw errorFromAnswer({ method, url, status, body: text, header })
  }
}

async function answer(fetch: typeof globalThis.fetch, url: string, init: RequestInit) {
  try {
    const response = await fetch(url, init)
    return { response, text: await response.text() }
  } catch (cause) {
    throw new CarcosaClientError('NETWORK', {
      message: `No answer to ${init.method} ${url}.`,
      retryable: true,
      cause,
    })
  }
}
