import { once } from 'node:events'
import {
  Agent,
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { createOracle, type Doom, type Fate } from './fates.ts'

/** A bad line to a store. Holds no bodies, so it costs no memory. */
export interface FaultProxy {
  readonly endpoint: string
  /** Share of the requests that something happens to, from 0 to 1. Change it at any time. */
  rate: number
  /** How often what happened. */
  readonly happened: ReadonlyMap<Fate, number>
  close(): Promise<void>
}

export interface FaultProxyOptions {
  /** `http://127.0.0.1:…` */
  upstream: string
  seed: number
  /** Default 0. */
  rate?: number
  /** Answers a request that is refused. Default as S3 does. */
  refuse?(response: ServerResponse, luck: number): void
}

/**
 * Listens on a port of its own. Requests keep their `Host`, which a signature covers: the
 * store must take it for its own.
 */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const { upstream, seed, rate = 0, refuse = refuseAsS3 } = options
  const agent = new Agent({ keepAlive: true })
  const oracle = createOracle(seed)
  const happened = new Map<Fate, number>()
  const server = createServer({ requestTimeout: 0 }, (request, response) => {
    const doom = oracle.next(request, proxy.rate)
    if (doom) happened.set(doom.fate, (happened.get(doom.fate) ?? 0) + 1)
    const exchange = { request, response, upstream: new URL(upstream), agent }
    void pass(exchange, doom, refuse)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A TCP server that listens has one.
  const { port } = server.address() as AddressInfo
  const proxy: FaultProxy = {
    endpoint: `http://127.0.0.1:${port}`,
    rate,
    happened,
    async close() {
      server.close()
      server.closeAllConnections()
      agent.destroy()
      await once(server, 'close')
    },
  }
  return proxy
}

interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  upstream: URL
  agent: Agent
}

async function pass(
  exchange: Exchange,
  doom: Doom | null,
  refuse: NonNullable<FaultProxyOptions['refuse']>,
): Promise<void> {
  const { request, response } = exchange
  if (!doom) return relay(exchange)
  const { luck } = doom
  switch (doom.fate) {
    case 'busy':
      refuse(response, luck)
      request.resume()
      return
    case 'delayed':
      await sleep(20 + 1_000 * luck ** 2)
      if (!request.destroyed) relay(exchange)
      return
    case 'lost':
      request.socket.destroy()
      return
    case 'torn':
      return tear(exchange, luck)
    case 'abandoned':
      return abandon(exchange, luck)
    case 'unanswered':
      return silence(exchange)
    case 'truncated':
      return truncate(exchange, luck)
  }
}

function relay(exchange: Exchange): void {
  const { response } = exchange
  send(exchange).on('response', (answer) => {
    if (response.destroyed) return void answer.destroy()
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
    pipeline(answer, response, () => {})
  })
}

/** Passes on some of the body, then both connections break off. */
function tear(exchange: Exchange, luck: number): void {
  const { request } = exchange
  let left = Number(request.headers['content-length'] ?? 0) * luck
  const upstream = open(exchange)
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left > 0 && upstream.write(chunk)) return
    request.pause()
    if (left > 0) upstream.once('drain', () => request.resume())
    else cut()
  })
  request.on('end', cut)
  function cut() {
    upstream.destroy()
    request.socket.destroy()
  }
}

/** The store gets all of it and is left alone with it. */
function abandon(exchange: Exchange, luck: number): void {
  const { request } = exchange
  send(exchange)
    .on('response', (answer) => answer.resume())
    .on('finish', () => setTimeout(() => request.socket.destroy(), 50 * luck))
}

function silence(exchange: Exchange): void {
  send(exchange).on('response', (answer) => {
    answer.on('close', () => exchange.request.socket.destroy()).resume()
  })
}

function truncate(exchange: Exchange, luck: number): void {
  const { request, response } = exchange
  send(exchange).on('response', (answer) => {
    if (response.destroyed) return void answer.destroy()
    let left = Number(answer.headers['content-length'] ?? 0) * luck
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
    response.flushHeaders()
    answer.on('data', (chunk: Buffer) => {
      left -= chunk.length
      if (left <= 0) return cut()
      if (response.write(chunk)) return
      answer.pause()
      response.once('drain', () => answer.resume())
    })
    answer.on('end', cut)
    function cut() {
      answer.destroy()
      request.socket.destroy()
    }
  })
}

/** The request with its body. One that the client gives up half-way, the store does not get. */
function send(exchange: Exchange): ClientRequest {
  const upstream = open(exchange)
  pipeline(exchange.request, upstream, () => {})
  return upstream
}

function open({ request: asked, upstream, agent }: Exchange): ClientRequest {
  const { method, url: path, headers } = asked
  const { hostname, port } = upstream
  const opened = request({ hostname, port, agent, method, path, headers })
  // It may have been answered in full before; then nobody minds.
  return opened.on('error', () => asked.socket.destroy())
}

function refuseAsS3(response: ServerResponse, luck: number): void {
  const [status, code] =
    luck < 0.5 ? ([503, 'SlowDown'] as const) : ([500, 'InternalError'] as const)
  response.writeHead(status, { 'Content-Type': 'application/xml' })
  response.end(
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>Later.</Message></Error>`,
  )
}
