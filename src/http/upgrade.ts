import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { AuthProvider, Principal } from '../auth/principal.ts'
import type { AcceptSocket } from '../events/ws.ts'
import type { RateLimiter } from '../limits/limiter.ts'
import type { Drain } from '../ops/drain.ts'
import { CarcosaError, toCarcosaError } from '../shared/errors.ts'
import type { Logger } from '../shared/logger.ts'
import type { Reply } from '../shared/reply.ts'
import { authenticate } from './authenticate.ts'
import type { ClientAddress } from './client-address.ts'
import { type CorsOptions, withCors } from './cors.ts'
import { permit } from './event-access.ts'
import { clientOf, type EventPaths, guestOf, watcherOf } from './events.ts'
import { headersOf, type NodeHandlerOptions, senderOf } from './node.ts'
import { limitedAuthentication } from './rate-limit.ts'
import { refuse } from './refuse.ts'

/**
 * For `server.on('upgrade', …)`: takes WebSocket connections to `/ws`. False if the request is
 * none of ours; then nothing was done, and somebody must answer it or close the socket.
 */
export type UpgradeHandler = (
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
) => boolean

export interface UpgradeOptions {
  auth: readonly AuthProvider[]
  cors: CorsOptions
  basePath: string
  drain: Drain
  log: Logger
  events: EventPaths
  accept: AcceptSocket
  isTrustedProxy: NodeHandlerOptions['isTrustedProxy']
  limiter: RateLimiter
  clientAddress: ClientAddress
}

export function createUpgradeHandler(options: UpgradeOptions): UpgradeHandler {
  return (req, socket, head) => {
    const [path = '', search = ''] = splitUrl(req.url ?? '/')
    if (path.replace(/\/+$/, '') !== `${options.basePath}/ws`) return false
    // Unheard, an error of the socket would end the process.
    socket.on('error', () => socket.destroy())
    upgrade(options, { req, socket, head, path, search }).catch((error: unknown) => {
      const incoming = { method: 'GET', path, headers: headersOf(req) }
      const reply = refuse(options.log, incoming, toCarcosaError(error))
      writeHttp(socket, withCors(reply, incoming.headers, options.cors))
    })
    return true
  }
}

interface Upgrade {
  req: IncomingMessage
  socket: Duplex
  head: Buffer
  path: string
  search: string
}

async function upgrade(
  options: UpgradeOptions,
  { req, socket, head, path, search }: Upgrade,
): Promise<void> {
  const { auth, cors, drain, events, accept, limiter } = options
  drain.assertOpen()
  const headers = headersOf(req)
  judgeOrigin(headers, cors)
  let principal: Promise<Principal | null> | undefined
  const address = senderOf(req, options.isTrustedProxy)
  const client = options.clientAddress({ address, headers })
  const asking = {
    headers,
    client,
    principal: () => {
      principal ??= limitedAuthentication({ limiter, client, isLive: false }, () =>
        authenticate(auth, { method: 'GET', path, search, headers, address }),
      )
      return principal
    },
  }
  const watcher = await watcherOf(events, asking, new URLSearchParams(search))
  const guest = guestOf(watcher, { method: 'GET', path, search, headers, address })
  const leave = events.subscribers.enter(clientOf(watcher, asking))
  if (socket.destroyed) return leave()
  accept(
    { req, socket, head },
    {
      leave,
      guard: (end) => events.vigil.watch(guest, end),
      async permit(topic, ticket) {
        const more =
          ticket === undefined ? [] : [await events.tickets.read(ticket, { late: true })]
        guest.tickets.push(...more)
        const tickets = [...watcher.tickets, ...more]
        const projectId = await permit(events.access, { ...watcher, tickets }, topic)
        guest.projects.add(projectId)
        return projectId
      },
    },
  )
}

/**
 * Browsers let every page connect here, with the cookies of this site, and tell only whose page
 * it is. One that may not talk to this server is refused, and of one that may the cookies are
 * not looked at, as for any other request between origins.
 *
 * @throws {CarcosaError} FORBIDDEN
 */
function judgeOrigin(headers: Headers, { origins }: CorsOptions): void {
  const origin = headers.get('origin')
  if (origin === null || isSameOrigin(origin, headers.get('host'))) return
  headers.delete('cookie')
  if (origins === '*' || origins.includes(origin)) return
  throw new CarcosaError('FORBIDDEN', {
    message: `Pages of ${JSON.stringify(origin.slice(0, 100))} may not connect here; the option cors says which may.`,
  })
}

function isSameOrigin(origin: string, host: string | null): boolean {
  return host !== null && URL.canParse(origin) && new URL(origin).host === host
}

function splitUrl(url: string): [path: string, search: string] {
  const at = url.indexOf('?')
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at)]
}

/** An answer without a ServerResponse: there is none for an upgrade. */
function writeHttp(socket: Duplex, { status, headers, body }: Reply): void {
  const text = typeof body === 'string' ? body : ''
  const all = {
    ...headers,
    'Content-Length': Buffer.byteLength(text),
    Connection: 'close',
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  socket.end(`HTTP/1.1 ${status} \r\n${lines.join('\r\n')}\r\n\r\n${text}`)
}
