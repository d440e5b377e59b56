import { CarcosaError } from '../shared/errors.ts'
import {
  errorOf,
  isObject,
  retryAfterOf,
  unintelligible,
  unreachable,
} from './failure.ts'
import type { RemoteSettings } from './settings.ts'

export type Json = Record<string, unknown>

/** One request to the REST API. */
export interface Ask {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Behind `/api/v1`, its parts encoded: see {@link pathOf}. */
  readonly path: string
  /** What is undefined is left out, what is a list is repeated. */
  readonly query?: object
  /** Sent as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Milliseconds that it may take at least. Default what the settings say. */
  readonly patience?: number
}

export interface Answer {
  readonly json: Json
  readonly etag: string | null
}

/** One request, to anywhere below the URL. */
export interface Exchange {
  readonly url: string
  readonly method: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: BodyInit
  readonly patience?: number
}

/** How the server is asked. */
export interface Transport {
  readonly settings: RemoteSettings
  /** @throws {CarcosaError} what the server refuses with, NETWORK, RESPONSE_INVALID */
  ask(ask: Ask): Promise<Answer>
  /** Sends a request once. @throws {CarcosaError} as ask */
  send(exchange: Exchange): Promise<Response>
  /** Does `work` again as long as it fails for what passes. */
  persist<T>(work: () => Promise<T>, plan: Plan): Promise<T>
}

export interface Plan {
  isRepeatable(error: CarcosaError): boolean
  /** Whether anything was achieved since it was last asked. Default no. */
  progressed?(): boolean
}

export function createTransport(settings: RemoteSettings): Transport {
  const send = (exchange: Exchange) => sendOnce(settings, exchange)
  const persist: Transport['persist'] = (work, plan) => repeat(settings, work, plan)
  return {
    ...{ settings, send, persist },
    async ask(ask) {
      let times = 0
      const exchange = exchangeOf(settings, ask)
      const attempt = async () => {
        times++
        try {
          return await read(await send(exchange))
        } catch (error) {
          if (times > 1 && isDoneBefore(ask, error)) return nothing
          throw error
        }
      }
      return persist(attempt, { isRepeatable: (error) => mayRepeat(ask, error) })
    },
  }
}

/** `/files/${id}` with ids that may be any text. */
export function pathOf(parts: TemplateStringsArray, ...ids: readonly unknown[]): string {
  return String.raw({ raw: parts }, ...ids.map((id) => encodeURIComponent(String(id))))
}

const nothing: Answer = Object.freeze({ json: {}, etag: null })

/** Of a deletion that was sent again the first may have done it, whose answer was lost. */
function isDoneBefore({ method }: Ask, error: unknown): boolean {
  return method === 'DELETE' && error instanceof CarcosaError && error.status === 404
}

/**
 * What passes by itself. `PATCH` is sent again only if it was not begun; `POST` has a key by which
 * the server knows that it is the same.
 */
function mayRepeat({ method }: Ask, { code, status }: CarcosaError): boolean {
  if (status === 429) return true
  if (method === 'PATCH') return false
  return isPassing(code, status)
}

/** Whether the same may succeed a moment later. */
export function isPassing(code: string, status: number): boolean {
  return code === 'NETWORK' || code === 'IDEMPOTENCY_IN_PROGRESS' || status === 503
}

function exchangeOf({ url }: RemoteSettings, ask: Ask): Exchange {
  const { method, path, query = {}, body, headers, patience } = ask
  const search = searchOf(query)
  const json = body === undefined ? undefined : JSON.stringify(body)
  return {
    url: `${url}/api/v1${path}${search && `?${search}`}`,
    method,
    headers: {
      Accept: 'application/json',
      ...(json !== undefined && { 'Content-Type': 'application/json' }),
      ...(method === 'POST' && { 'Idempotency-Key': crypto.randomUUID() }),
      ...headers,
    },
    ...(json !== undefined && { body: json }),
    ...(patience !== undefined && { patience }),
  }
}

function searchOf(query: object): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().flatMap((one) => (one === undefined ? [] : [[name, textOf(one)]])),
  )
  return new URLSearchParams(pairs).toString()
}

function textOf(value: unknown): string {
  return value instanceof Date ? value.toISOString() : String(value)
}

async function read(response: Response): Promise<Answer> {
  const etag = response.headers.get('etag')
  if (response.status === 204) return { json: {}, etag }
  const text = await response.text().catch((error) => {
    throw unreachable(error)
  })
  try {
    const json: unknown = JSON.parse(text)
    if (isObject(json)) return { json, etag }
  } catch (cause) {
    throw unintelligible('it is no JSON', cause)
  }
  throw unintelligible('it is no object')
}

async function sendOnce(
  settings: RemoteSettings,
  { url, method, headers = {}, body, patience = 0 }: Exchange,
): Promise<Response> {
  const { signal, timeout } = settings
  signal?.throwIfAborted()
  const late = AbortSignal.timeout(Math.max(timeout, patience))
  const init: RequestInit = {
    method,
    headers: { ...headers, ...(await settings.headers()) },
    // A credential is for the server that was named, and for no other.
    redirect: 'manual',
    signal: signal ? AbortSignal.any([signal, late]) : late,
    ...(body !== undefined && { body }),
  }
  const response = await settings.fetch(url, init).catch((error: unknown) => {
    signal?.throwIfAborted()
    throw unreachable(error)
  })
  if (response.ok) return response
  throw await errorOf(response)
}

/** The longest that is waited because the server says so. */
const longestWait = 60_000

async function repeat<T>(
  { retries, signal }: RemoteSettings,
  work: () => Promise<T>,
  { isRepeatable, progressed = () => false }: Plan,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await work()
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof CarcosaError)) throw error
      if (progressed()) failures = 1
      const wait = waitFor(failures, error)
      if (failures > retries || wait > longestWait || !isRepeatable(error)) throw error
      await pause(wait, signal)
    }
  }
}

/** Longer each time; the upper half is by chance, lest all come back together. */
function waitFor(failures: number, error: CarcosaError): number {
  const full = Math.min(10_000, 500 * 2 ** (failures - 1))
  return Math.max(retryAfterOf(error) ?? 0, full * (0.5 + Math.random() / 2))
}

export function pause(ms: number, signal: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
}
