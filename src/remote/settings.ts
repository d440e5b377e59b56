import { parseDuration } from '../shared/durations.ts'

/** Where a Carcosa is, and how it is asked. */
export interface RemoteOptions extends CallOptions {
  /** Where it is mounted, e.g. `https://example.com/media`. */
  url: string | URL
  /**
   * An API key, or another bearer token that an auth provider of the server knows; a function is
   * asked before each request.
   */
  apiKey?: string | (() => string | Promise<string>)
  /** Sent with every request. */
  headers?: Record<string, string>
  /** Default the `fetch` of the runtime. */
  fetch?: typeof globalThis.fetch
}

/** What may be another for some calls; see `with`. */
export interface CallOptions {
  /** Ends what is going on; its reason is thrown. */
  signal?: AbortSignal
  /** How long an answer may take: milliseconds or `30s`. Default 30 seconds. */
  timeout?: number | string
  /**
   * How often in a row a request is sent again that failed for a reason that passes. Default 4:
   * some 10 seconds, or as long as the server says.
   */
  retries?: number
}

/** The same with every default filled in. */
export interface RemoteSettings {
  /** Without a slash at its end. */
  readonly url: string
  readonly fetch: typeof globalThis.fetch
  /** Milliseconds. */
  readonly timeout: number
  readonly retries: number
  readonly signal: AbortSignal | null
  headers(): Promise<Record<string, string>>
}

/** @throws {TypeError} if an option cannot be */
export function readSettings(options: RemoteOptions): RemoteSettings {
  const { apiKey, headers = {}, fetch = globalThis.fetch } = options
  return {
    url: readUrl(options.url),
    // Some runtimes refuse it as the method of another object.
    fetch: (...args) => fetch(...args),
    timeout: 30_000,
    retries: 4,
    signal: null,
    async headers() {
      const token = typeof apiKey === 'function' ? await apiKey() : apiKey
      return {
        ...headers,
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      }
    },
    ...readCall(options),
  }
}

/** @throws {TypeError} if an option cannot be */
export function readCall({ signal, timeout, retries }: CallOptions) {
  if (retries !== undefined && !(Number.isInteger(retries) && retries >= 0)) {
    throw new TypeError(`retries is a whole number from 0 on, not ${retries}.`)
  }
  return {
    ...(signal && { signal }),
    ...(timeout !== undefined && { timeout: parseDuration(timeout) }),
    ...(retries !== undefined && { retries }),
  }
}

function readUrl(given: string | URL): string {
  const url = URL.canParse(String(given)) ? new URL(given) : null
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash) {
    throw new TypeError(
      `url is where Carcosa is mounted, such as "https://example.com/media", not ${JSON.stringify(String(given))}.`,
    )
  }
  return url.href.replace(/\/+$/, '')
}
