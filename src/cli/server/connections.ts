import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { CarcosaError } from '../../shared/errors.ts'
import type { Logger } from '../../shared/logger.ts'
import { clientKey, clientOf, createNetworks } from '../../shared/networks.ts'
import { problemReply } from '../../shared/reply.ts'
import { createTally } from '../../shared/tally.ts'
import type { Handler } from './http.ts'

export interface ConnectionLimits {
  /** 0: any number. */
  readonly maxConnections: number
  /** 0: any number. */
  readonly maxConnectionsPerClient: number
  readonly trustedProxies: readonly string[]
}

export interface ConnectionWatch {
  /** Connections that are open. */
  open(): number
  /** Told of each that is refused. */
  onRefused(listener: (limit: 'total' | 'client') => void): void
  /** Begins to count and bound the connections of a server, before it listens. */
  watch(server: Server): void
  /** Puts the limit for clients behind a proxy in front of a handler. */
  limited(handler: Handler): Handler
}

/** How often the log tells of refusals, in ms. */
const tellEveryMs = 10_000

/**
 * Bounds how many connections a server has. What is beyond is closed before a byte is read, which
 * costs least; to tus clients that is a broken connection, and they try again. Through a trusted
 * proxy there are requests of many clients on each connection, so there the requests of each
 * client are counted, and refused with 503, or with 423 where a tus client would forget its upload.
 */
export function watchConnections(limits: ConnectionLimits, log: Logger): ConnectionWatch {
  const isTrusted = createNetworks(limits.trustedProxies)
  const connections = createCounts(limits.maxConnectionsPerClient)
  const requests = createCounts(limits.maxConnectionsPerClient)
  const listeners: ((limit: 'total' | 'client') => void)[] = []
  const tell = seldom((fields) => log.warn(fields, 'Too many connections: refused some'))
  let open = 0
  const refused = (limit: 'total' | 'client', client?: string) => {
    for (const listener of listeners) listener(limit)
    tell({ limit, ...(client && { client }) })
  }

  const onConnection = (socket: Socket) => {
    open++
    socket.once('close', () => open--)
    const { remoteAddress } = socket
    // It is gone already, or says for whom with each request.
    if (remoteAddress === undefined || isTrusted(remoteAddress)) return
    const client = clientKey(remoteAddress)
    if (connections.enter(client)) {
      socket.once('close', () => connections.leave(client))
      return
    }
    refused('client', client)
    socket.destroy()
  }

  return {
    open: () => open,
    watch(server) {
      if (limits.maxConnections > 0) server.maxConnections = limits.maxConnections
      server.on('drop', () => refused('total'))
      server.on('connection', onConnection)
    },
    onRefused: (listener) => void listeners.push(listener),
    limited: (handler) => (request, response) => {
      const { remoteAddress = '' } = request.socket
      if (limits.maxConnectionsPerClient === 0 || !isTrusted(remoteAddress)) {
        return handler(request, response)
      }
      const forwardedFor = headerText(request.headers['x-forwarded-for'])
      const client = clientOf(remoteAddress, forwardedFor, isTrusted)
      if (client === null) return handler(request, response)
      if (!requests.enter(client)) {
        refused('client', client)
        return refuse(request, response, limits)
      }
      response.once('close', () => requests.leave(client))
      handler(request, response)
    },
  }
}

/** At most `max` of each name; 0 for any number. */
function createCounts(max: number) {
  const { count, add, remove } = createTally()
  return {
    enter(name: string): boolean {
      if (max > 0 && count(name) >= max) return false
      add(name)
      return true
    },
    leave: remove,
  }
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { maxConnectionsPerClient: max }: ConnectionLimits,
): void {
  const error = new CarcosaError('TOO_MANY_CONNECTIONS', {
    message: `This client has ${max} requests running, which is all it may have. Wait for one to end.`,
    details: { max },
    headers: { 'Retry-After': '2', 'Tus-Resumable': '1.0.0', Connection: 'close' },
  })
  const { status, headers, body } = problemReply(error)
  // After a 5xx to HEAD tus clients would start over (P5).
  const isHead = request.method === 'HEAD'
  response.writeHead(isHead ? 423 : status, headers)
  response.end(isHead ? undefined : body)
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value
}

/** Calls `tell` at most every {@link tellEveryMs}, with how often it was called meanwhile. */
function seldom(tell: (fields: Record<string, unknown>) => void) {
  let last = Number.NEGATIVE_INFINITY
  let times = 0
  return (fields: Record<string, unknown>) => {
    times++
    if (performance.now() - last < tellEveryMs) return
    last = performance.now()
    tell({ ...fields, times })
    times = 0
  }
}
