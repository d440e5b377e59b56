import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline, Readable } from 'node:stream'
import { addressOf } from '../shared/networks.ts'
import { isLive, type Outlet, type Reply } from '../shared/reply.ts'
import type { App } from './app.ts'
import { type BodyLimits, watchBody } from './body-watch.ts'
import type { Incoming } from './incoming.ts'

/** A Connect-style handler: plain node:http, Express, Connect, and Fastify's raw pair. */
export type NodeHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  next?: (error?: unknown) => void,
) => void

/** How long what a refused client still sends is thrown away before the connection is cut. */
const lingerMs = 5_000

export interface NodeHandlerOptions {
  readonly body: BodyLimits
  /** Told of every body that was given up. */
  onGivenUp(reason: 'idle' | 'slow'): void
  /** Whether connections are to end with the answer that comes next: this server stops. */
  leaving(): boolean
  /** Whether what the sender of a request says in `X-Forwarded-For` is believed. */
  isTrustedProxy(address: string): boolean
}

/** Bridges Node's pair to the app and back without copying a body. */
export function createNodeHandler(app: App, options: NodeHandlerOptions): NodeHandler {
  return (req, res, next) => {
    app(fromNode(req, res, { ...options, mayDecline: next !== undefined }))
      .then((reply) => {
        // HTTP/2 has no such header: its connections are ended by whoever listens.
        const isLast = options.leaving() && req.httpVersionMajor === 1
        if (reply) return writeReply(req, res, { reply, isLast })
        next?.()
      })
      .catch((error: unknown) => (next ? next(error) : res.destroy()))
  }
}

/** Frameworks leave their traces on Node's request; these are the ones that matter. */
type FrameworkRequest = IncomingMessage & { originalUrl?: string; body?: unknown }

function fromNode(
  req: FrameworkRequest,
  res: ServerResponse,
  {
    mayDecline,
    body,
    onGivenUp,
    isTrustedProxy,
  }: Omit<NodeHandlerOptions, 'leaving'> & { mayDecline: boolean },
): Incoming {
  const url = req.url ?? '/'
  const at = url.indexOf('?')
  const path = at < 0 ? url : url.slice(0, at)
  const original = req.originalUrl ?? url
  const stripped = original.endsWith(url) ? original.slice(0, -url.length) : ''
  return {
    method: req.method ?? 'GET',
    path,
    stripped,
    search: at < 0 ? '' : url.slice(at),
    headers: headersOf(req),
    address: senderOf(req, isTrustedProxy),
    headerCount: req.rawHeaders.length / 2,
    gone: () => closedSignal(res),
    hasBody: hasBody(req),
    bodyAlreadyRead: Readable.isDisturbed(req),
    mayDecline,
    parsedBody: req.body,
    openBody() {
      // Only set where nobody has answered `Expect: 100-continue` yet.
      if (awaitsContinue.delete(req)) res.writeContinue()
      watchBody(req, body, onGivenUp)
      return req
    },
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return 'transfer-encoding' in headers || Number(headers['content-length'] ?? 0) > 0
}

const awaitsContinue = new WeakSet<IncomingMessage>()

/**
 * The listener for a server's `checkContinue`: the client is told to go on only after its
 * headers were judged, so that what is refused is never sent (tus W6).
 */
export function onCheckContinue(handler: NodeHandler): NodeHandler {
  return (req, res) => {
    awaitsContinue.add(req)
    handler(req, res)
  }
}

/** Where a request comes from, as far as that is known. */
export function senderOf(
  { socket, headers }: IncomingMessage,
  isTrusted: (address: string) => boolean,
): string | null {
  const { remoteAddress } = socket
  if (remoteAddress === undefined) return null
  return addressOf(
    remoteAddress,
    [headers['x-forwarded-for'] ?? []].flat().join(),
    isTrusted,
  )
}

export function headersOf(req: IncomingMessage): Headers {
  const headers = new Headers()
  const raw = req.rawHeaders
  for (let i = 0; i + 1 < raw.length; i += 2) {
    headers.append(raw[i] ?? '', raw[i + 1] ?? '')
  }
  return headers
}

function closedSignal(res: ServerResponse): AbortSignal {
  const controller = new AbortController()
  if (res.closed) controller.abort()
  else res.once('close', () => controller.abort())
  return controller.signal
}

interface Answer {
  reply: Reply
  /** The connection ends with it. */
  isLast: boolean
}

function writeReply(
  req: IncomingMessage,
  res: ServerResponse,
  { reply, isLast }: Answer,
): void {
  const { status, headers, body } = reply
  if (res.destroyed || res.headersSent) {
    if (body instanceof Readable) body.destroy()
    else if (isLive(body)) body.drop()
    return
  }
  if (isLast) res.setHeader('Connection', 'close')
  const lingers = isLast && !req.complete
  if (!req.complete && !lingers) discardRest(req, res)
  if (typeof body === 'string') {
    res.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) })
    if (lingers) endAfterBody(req, res, body)
    else res.end(body)
    return
  }
  if (isLive(body)) {
    // An idle connection is what it is meant to be, whatever the server thinks of those.
    req.socket.setTimeout(0)
    req.socket.setNoDelay(true)
    res.writeHead(status, headers)
    res.flushHeaders()
    flattenHead(res)
    body.begin(new ResponseOutlet(res))
    return
  }
  // Without a length Node would send an empty body in chunks.
  const empty = body === null && status >= 200 && status !== 204 && status !== 304
  res.writeHead(
    status,
    empty && req.method !== 'HEAD' ? { 'Content-Length': 0, ...headers } : headers,
  )
  // A read that fails half-way must cut the connection: the promised length cannot be kept.
  if (body) pipeline(body, res, () => {})
  else if (lingers) endAfterBody(req, res)
  else res.end()
}

/**
 * Ends the last answer of a connection whose request is not read to its end. Node would cut the
 * connection at once, and what the client is sending then would make its system throw the answer
 * away. All of the answer is on its way before; what still comes is thrown away for a while.
 */
function endAfterBody(req: IncomingMessage, res: ServerResponse, text = ''): void {
  if (text) res.write(text)
  else res.flushHeaders()
  const end = () => {
    clearTimeout(late)
    res.end()
  }
  const late = setTimeout(end, lingerMs)
  req.once('end', end)
  req.once('close', end)
  req.resume()
}

/**
 * A client that was refused early may still be sending, and often reads the answer only when
 * it is done. What it sends is thrown away for a while; then the connection is cut.
 */
function discardRest(req: IncomingMessage, res: ServerResponse): void {
  res.once('finish', () => {
    if (req.complete || req.destroyed) return
    const cut = setTimeout(() => req.socket.destroy(), lingerMs).unref()
    req.once('close', () => clearTimeout(cut))
    req.once('end', () => clearTimeout(cut))
    req.resume()
  })
}

/**
 * Node keeps the head of an answer as the 37 pieces it was made of until the answer ends: more
 * than a kilobyte for each of thousands. Looking through it makes one string of them.
 */
function flattenHead(res: ServerResponse & { _header?: string }): void {
  ;/\n\n/.test(res._header ?? '')
}

class ResponseOutlet implements Outlet {
  readonly #res: ServerResponse

  constructor(res: ServerResponse) {
    this.#res = res
  }
  get pending() {
    return this.#res.writableLength
  }
  write(chunk: Buffer | string) {
    if (!this.#res.writableEnded && !this.#res.destroyed) this.#res.write(chunk)
  }
  get isFull() {
    return this.#res.writableNeedDrain
  }
  async room() {
    if (!this.isFull || this.#res.destroyed) return
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#res.off('drain', done).off('close', done)
        resolve()
      }
      this.#res.on('drain', done).on('close', done)
    })
  }
  onClose(listener: () => void) {
    if (this.#res.destroyed) setImmediate(listener)
    else this.#res.once('close', listener)
  }
  end() {
    this.#res.end()
  }
  destroy() {
    this.#res.destroy()
  }
}
