import { type LookupAddress, type LookupAllOptions, lookup } from 'node:dns'
import {
  Agent as HttpAgent,
  type IncomingMessage,
  request as requestHttp,
} from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { CarcosaError } from './errors.ts'
import { createNetworks } from './networks.ts'
import { isPublicAddress } from './public-address.ts'

/**
 * Requests to URLs that somebody else chose. They lead to the public internet and nowhere else:
 * every address is looked at in the moment it is connected to, so that no name that means one
 * thing now and another in a moment leads elsewhere, and no redirect does.
 */

export interface EgressOptions {
  /**
   * Networks that may be reached too, and on any port; of the internet it is 80 and 443. As
   * `createNetworks` takes them. Default none.
   */
  networks?: readonly string[]
  /** Until when the answer must have begun, all redirects included, in ms. Default 30 seconds. */
  answerWithin?: number
  /** How long the body may be silent, in ms. Default 30 seconds. */
  idleTimeout?: number
  /** Until when all of it must be there, in ms. Default 10 minutes. */
  timeout?: number
  /** Finds the addresses of a host. Default `dns.lookup`. */
  resolve?: Resolver
}

export type Resolver = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void,
) => void

/** Fetches, within the limits it was made with. */
export interface Egress {
  /**
   * The answer to GET, which is a success; its body must be read or destroyed. Sends no
   * credentials and no cookies, also where the URL or a redirect has some.
   *
   * @throws {CarcosaError} SOURCE_INVALID by what the URL says, SOURCE_UNAVAILABLE by what became
   *   of it: in the same words whether there is nobody, or somebody who is none of its business
   */
  get(url: string, options?: { signal?: AbortSignal }): Promise<EgressAnswer>
}

export interface EgressAnswer {
  /** Fails with SOURCE_UNAVAILABLE where it breaks off, stalls, or takes too long. */
  readonly body: IncomingMessage
  /** Where it came from after redirects. */
  readonly url: URL
  readonly headers: IncomingMessage['headers']
}

const maxRedirects = 5

export function createEgress(options: EgressOptions = {}): Egress {
  const { networks = [], resolve = lookup } = options
  const isNamed = createNetworks(networks)
  const { answerWithin = 30_000, idleTimeout = 30_000, timeout = 600_000 } = options
  return {
    async get(text, { signal } = {}) {
      const control = new AbortController()
      const end = (error: unknown) => control.abort(error)
      const answering = setTimeout(end, answerWithin, unavailable('it took too long'))
      const all = setTimeout(end, timeout, unavailable('it took too long'))
      const given = () => end(signal?.reason)
      const done = () => {
        clearTimeout(answering)
        clearTimeout(all)
        signal?.removeEventListener('abort', given)
      }
      signal?.addEventListener('abort', given)
      if (signal?.aborted) given()
      try {
        const answer = await follow(parse(text), {
          isNamed,
          resolve,
          signal: control.signal,
        })
        clearTimeout(answering)
        const { body } = answer
        const watching = watch(body, idleTimeout)
        body.once('close', done).once('close', () => clearInterval(watching))
        control.signal.addEventListener('abort', () =>
          body.destroy(asError(control.signal.reason)),
        )
        return answer
      } catch (error) {
        done()
        throw control.signal.aborted ? control.signal.reason : told(error)
      }
    },
  }
}

/** What a body failed with, as it is told to who asked for the URL. */
export function asUnavailable(cause: unknown): CarcosaError {
  if (cause instanceof CarcosaError) return cause
  return new CarcosaError('SOURCE_UNAVAILABLE', {
    message: 'The URL could not be fetched: its body broke off.',
    cause,
  })
}

/** Ends a body of which nothing comes while somebody waits for it. */
function watch(body: IncomingMessage, idleTimeout: number): NodeJS.Timeout {
  let before = -1
  return setInterval(() => {
    const { bytesRead } = body.socket
    // What waits to be taken is not missing.
    const isStalled = bytesRead === before && body.readableLength === 0
    before = bytesRead
    if (isStalled) body.destroy(unavailable('it stalled'))
  }, idleTimeout)
}

interface Guard {
  /** Whether the operator named its network. */
  isNamed(address: string): boolean
  resolve: Resolver
  signal: AbortSignal
}

async function follow(first: URL, guard: Guard): Promise<EgressAnswer> {
  let url = first
  for (let hops = 0; hops <= maxRedirects; hops++) {
    const body = await ask(url, guard)
    const { statusCode: status = 0, headers } = body
    if (status === 200) {
      if ((headers['content-encoding'] ?? 'identity') === 'identity') {
        return { body, url, headers }
      }
      body.destroy()
      throw unavailable('the answer is encoded, which was not asked for')
    }
    body.destroy()
    if (![301, 302, 303, 307, 308].includes(status) || !headers.location) {
      throw unavailable(`it was answered with ${status}`, { status })
    }
    url = parse(headers.location, url)
  }
  throw unavailable(`it redirects more than ${maxRedirects} times`)
}

function ask(url: URL, { isNamed, resolve, signal }: Guard): Promise<IncomingMessage> {
  const isOpen = (address: string) =>
    isNamed(address) || (isPublicAddress(address) && url.port === '')
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  // An address is connected to without being looked up.
  if (isIP(host) !== 0 && !isOpen(host)) throw unavailable(unreachable)
  const isSecure = url.protocol === 'https:'
  const settings = {
    // Of its own: no connection was made under other rules, and none of a proxy's.
    agent: isSecure ? new HttpsAgent() : new HttpAgent(),
    lookup: guarded(isOpen, resolve),
    headers: {
      Accept: '*/*',
      'Accept-Encoding': 'identity',
      'User-Agent': 'carcosa',
      Connection: 'close',
    },
  }
  return new Promise((answered, reject) => {
    const stop = () => request.destroy(asError(signal.reason))
    const request = (isSecure ? requestHttps : requestHttp)(url, settings, (response) => {
      signal.removeEventListener('abort', stop)
      // Who reads it looks at what it failed with.
      response.on('error', () => {})
      answered(response)
    })
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop)
    request.on('error', reject)
    request.end()
  })
}

/** A lookup that yields addresses only if all of them may be connected to. */
function guarded(
  isOpen: (address: string) => boolean,
  resolve: Resolver,
): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      const [first] = found ?? []
      if (error || !first) return callback(error ?? unavailable(unreachable), '', 4)
      if (!found.every(({ address }) => isOpen(address))) {
        return callback(unavailable(unreachable), '', 4)
      }
      if (options.all) return callback(null, found)
      callback(null, first.address, first.family)
    })
  }
}

/** @throws {CarcosaError} SOURCE_INVALID */
function parse(text: string, base?: URL): URL {
  const url = typeof text === 'string' ? URL.parse(text, base?.href) : null
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw invalid('It must be an http or https URL.')
  }
  if (url.username || url.password)
    throw invalid('It must not contain a user or password.')
  return url
}

function invalid(message: string): CarcosaError {
  return new CarcosaError('SOURCE_INVALID', { message })
}

/** Said of what does not exist, does not answer, and may not be asked: who asks learns nothing. */
const unreachable = 'its host cannot be reached from here'

function unavailable(why: string, details?: Record<string, unknown>): CarcosaError {
  return new CarcosaError('SOURCE_UNAVAILABLE', {
    message: `The URL could not be fetched: ${why}.`,
    ...(details && { details }),
  })
}

/** What a socket or resolver says names addresses: it is for the log. */
function told(cause: unknown): CarcosaError {
  if (cause instanceof CarcosaError) return cause
  return new CarcosaError('SOURCE_UNAVAILABLE', {
    message: `The URL could not be fetched: ${unreachable}.`,
    cause,
  })
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
