import { CarcosaClientError } from './errors.ts'

/** Request headers, or a function asked before every request, e.g. for a fresh token. */
export type HeadersSource = HeadersInit | (() => HeadersInit | Promise<HeadersInit>)

/**
 * The headers of several sources as one record with lower-case names; later ones win.
 * @throws {CarcosaClientError} HEADERS_FAILED, retryable, if a function throws
 */
export async function resolveHeaders(
  ...sources: (HeadersSource | undefined)[]
): Promise<Record<string, string>> {
  const merged = new Headers()
  for (const source of sources) {
    const init = typeof source === 'function' ? await ask(source) : source
    new Headers(init).forEach((value, name) => {
      merged.set(name, value)
    })
  }
  return Object.fromEntries(merged)
}

async function ask(source: () => HeadersInit | Promise<HeadersInit>) {
  try {
    return await source()
  } catch (cause) {
    throw new CarcosaClientError('HEADERS_FAILED', {
      message: 'The `headers` function given to the client failed.',
      retryable: true,
      cause,
    })
  }
}
