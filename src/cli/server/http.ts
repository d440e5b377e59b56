import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { CarcosaError } from '../../shared/errors.ts'
import { onClientError } from './client-error.ts'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** Whether it took the connection. */
export type UpgradeHandler = (
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
) => boolean

export interface Listeners {
  request: Handler
  /** For a client that asks before it sends: answers "100 Continue", or refuses the body. */
  checkContinue: Handler
  /** For a client that wants to go on in another protocol. Default: that is not looked at. */
  upgrade?: UpgradeHandler
}

export interface Patience {
  /** How long a client may take to say what it wants, in ms. Default 30,000. */
  headersTimeout?: number
}

const notFound =
  'HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/** An HTTP server whose limits fit uploads that take hours. */
export function uploadServer(
  listeners: Listeners,
  { headersTimeout = 30_000 }: Patience = {},
): Server {
  const server = createServer({
    // The body of one request may take a day; what bounds it is the lease of the upload.
    requestTimeout: 0,
    // What stays bounded is how long a client may take to say what it wants, and how much that is.
    headersTimeout,
    maxHeaderSize: 16 * 1024,
    // When it is looked who took too long: also connections on which nothing ever came.
    connectionsCheckingInterval: Math.min(5_000, headersTimeout),
    // Longer than load balancers keep an idle connection (Google's: 600 s). Closing first
    // would lose the request that is on its way, which a proxy reports as 502.
    keepAliveTimeout: 620_000,
  })
  // Node would leave out the headers beyond, and not say so. How many are too many is judged later.
  server.maxHeadersCount = 0
  server.on('clientError', onClientError)
  server.on('request', listeners.request)
  server.on('checkContinue', listeners.checkContinue)
  const { upgrade } = listeners
  if (upgrade) {
    server.on('upgrade', (request, socket, head) => {
      if (!upgrade(request, socket, head)) socket.end(notFound)
    })
  }
  return server
}

/**
 * Listens; resolves with the address once connections are accepted. Throws LISTEN_FAILED
 * with a sentence for every reason that a person can do something about.
 */
export async function listen(
  server: Server,
  at: { host: string; port: number },
): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException) => reject(explain(error, at))
    server.once('error', refuse)
    server.listen({ ...at }, () => {
      server.off('error', refuse)
      resolve()
    })
  })
  // A TCP server that listens has one.
  return server.address() as AddressInfo
}

/**
 * Stops accepting and lets running requests end. What still runs after `timeout`
 * milliseconds is cut off: to an upload that is a broken connection, after which the client
 * goes on where the server stands. Resolves with the number of requests cut off.
 */
export async function stop(server: Server, timeout: number): Promise<number> {
  const abort = new AbortController()
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // An answer that was under way when the server closed leaves its connection idle, not closed.
  const idle = setInterval(() => server.closeIdleConnections(), 50)
  const inTime = await Promise.race([
    closed.then(() => true),
    wait(timeout, false, { signal: abort.signal }).catch(() => true),
  ])
  abort.abort()
  clearInterval(idle)
  if (inTime) return 0
  const left = await countConnections(server)
  server.closeAllConnections()
  await closed
  return left
}

/** `http://host:port` as a browser on this machine would reach it. */
export function localUrl({ address, port, family }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return `http://localhost:${port}`
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

function countConnections(server: Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  )
}

function explain(
  error: NodeJS.ErrnoException,
  at: { host: string; port: number },
): CarcosaError {
  const { host, port } = at
  const reasons: Record<string, string> = {
    EADDRINUSE: `Port ${port} of ${host} is in use by another process. Stop that one, or choose another port: --port ${port + 1}, or 0 for any free one.`,
    EACCES: `This user may not listen on port ${port} of ${host}. Choose a port above 1023, for example --port 8080.`,
    EADDRNOTAVAIL: `This machine has no address ${host}. Use --host 127.0.0.1 for this machine only, or 0.0.0.0 for all its addresses.`,
    ENOTFOUND: `The host name ${host} is not known. Use --host 127.0.0.1 for this machine only, or 0.0.0.0 for all its addresses.`,
  }
  const message =
    reasons[error.code ?? ''] ?? `Cannot listen on ${host}:${port}: ${error.message}`
  return new CarcosaError('LISTEN_FAILED', { message, cause: error })
}
