import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { CarcosaError, toCarcosaError } from '../shared/errors.ts'
import type { Logger } from '../shared/logger.ts'
import { type ClientMessage, parseClientMessage } from './client-message.ts'
import type { Feed } from './feed.ts'
import { type Message, streamMessage } from './message.ts'
import type { Following, Receiver } from './replay.ts'
import type { Subscriber, Subscribers } from './subscribers.ts'
import { keyOf, type Topic } from './topic.ts'

/** Most bytes of one message of a client. */
const maxMessageBytes = 16 * 1024
/** Most topics one connection subscribes to. */
const maxSubscriptions = 50
/** Most messages that may wait for an answer; a client that sends more is cut off. */
const maxUnanswered = 100
/** How long a client may take to read why it is cut off, in ms. */
const partingMs = 1_000

export interface SocketDeps {
  feed: Feed
  subscribers: Subscribers
  log: Logger
}

export interface Visitor {
  /**
   * The project in which the client may watch a topic, by the credentials of the connection and a
   * ticket that came with the message.
   * @throws {CarcosaError} TOPIC_NOT_FOUND, TICKET_INVALID
   */
  permit(topic: Topic, ticket: string | undefined): Promise<string>
  /** Frees the place that was taken for it; idempotent. */
  leave(): void
  /** Calls `end` when the client may watch no longer, unless what it returns was called. */
  guard(end: () => void): () => void
}

/** Turns an upgrade request into a subscriber. */
export type AcceptSocket = (
  pair: { req: IncomingMessage; socket: Duplex; head: Buffer },
  visitor: Visitor,
) => void

/** Subscriptions over WebSocket: the same messages as over SSE, and several topics that change. */
export function createSockets(deps: SocketDeps): AcceptSocket {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: maxMessageBytes,
    // It takes 60 KiB and more for each connection, and messages are small.
    perMessageDeflate: false,
    clientTracking: false,
  })
  return ({ req, socket, head }, visitor) => {
    // A handshake that is malformed is answered by the library and never gets to the callback.
    socket.once('close', visitor.leave)
    server.handleUpgrade(req, socket, head, (ws) => new Connection(ws, deps, visitor))
  }
}

class Connection implements Subscriber, Receiver {
  readonly #ws: WebSocket
  readonly #deps: SocketDeps
  readonly #visitor: Visitor
  readonly #unguard: () => void
  readonly #followed = new Map<string, Following>()
  /** Messages are answered in order. */
  #answered: Promise<void> = Promise.resolve()
  #unanswered = 0
  #alive = true
  #ended = false

  constructor(ws: WebSocket, deps: SocketDeps, visitor: Visitor) {
    this.#ws = ws
    this.#deps = deps
    this.#visitor = visitor
    ws.on('message', (data, isBinary) => this.#hear(isBinary ? null : String(data)))
    ws.on('pong', () => {
      this.#alive = true
    })
    ws.on('error', (err) => deps.log.debug({ err }, 'a WebSocket failed'))
    ws.on('close', () => this.#stop())
    this.#unguard = visitor.guard(() => this.#sendAway())
    deps.subscribers.add(this)
  }

  beat(): void {
    if (this.#alive) this.#ws.ping()
    else this.#ws.terminate()
    this.#alive = false
  }

  /** 1012: the service restarts; the client comes back. */
  end(): void {
    this.#stop()
    this.#close(1012, 'The server is stopping.')
  }

  /** 1008: against the rules. Who comes back is told more. */
  #sendAway(): void {
    this.#stop()
    this.#close(1008, 'The credential of this connection is not valid any more.')
  }

  #hear(text: string | null): void {
    if (this.#ended) return
    if (++this.#unanswered > maxUnanswered) {
      this.#ws.terminate()
      return
    }
    this.#answered = this.#answered.then(async () => {
      await this.#answer(text).catch((error: unknown) => this.#refuse(error))
      this.#unanswered--
    })
  }

  async #answer(text: string | null): Promise<void> {
    const message = parseClientMessage(text)
    if (message.type === 'ping') return this.#send({ type: 'pong' })
    const key = keyOf(message.topic)
    if (message.type === 'unsubscribe') {
      this.#followed.get(key)?.stop()
      this.#followed.delete(key)
      return this.#send({ type: 'unsubscribed', topic: named(message.topic) })
    }
    await this.#subscribe(message, key).catch((error: unknown) =>
      this.#refuse(error, message.topic),
    )
  }

  async #subscribe(
    { topic, after, ticket }: Extract<ClientMessage, { type: 'subscribe' }>,
    key: string,
  ): Promise<void> {
    const { feed } = this.#deps
    const projectId = await this.#visitor.permit(topic, ticket)
    const before = this.#followed.get(key)
    if (!before && this.#followed.size >= maxSubscriptions) throw tooMany()
    await feed.open(projectId)
    if (this.#ended) return
    before?.stop()
    this.#send({ type: 'subscribed', topic: named(topic) })
    const following = feed.follow({
      projectId,
      topics: [topic],
      after,
      receiver: this,
    })
    this.#followed.set(key, following)
  }

  tell(message: Message): void {
    if (this.#ended) return
    if (this.#ws.bufferedAmount > this.#deps.subscribers.maxPending) this.#drop()
    else this.#ws.send(message.socket())
  }

  /** `ws` tells of no drain, but of each message that was handed on. */
  room(): Promise<void> | null {
    if (this.#ws.bufferedAmount < maxMessageBytes) return null
    return new Promise((resolve) => this.#ws.ping(undefined, undefined, () => resolve()))
  }

  #drop(): void {
    this.#deps.subscribers.dropped('websocket', this.#ws.bufferedAmount)
    this.#stop()
    this.#ws.send(streamMessage('stream.dropped', { reason: 'slow' }).socket())
    this.#close(1013, 'Too slow: too much waits for this client.')
  }

  #close(code: number, reason: string): void {
    this.#ws.close(code, reason)
    setTimeout(() => this.#ws.terminate(), partingMs).unref()
  }

  #refuse(error: unknown, topic?: Topic): void {
    const known = toCarcosaError(error)
    if (known.status >= 500) {
      const fields = { err: known.cause ?? known, code: known.code }
      this.#deps.log.warn(fields, 'a subscription failed')
    }
    this.#send({
      type: 'error',
      ...(topic && { topic: named(topic) }),
      error: known.toProblem(),
    })
  }

  #send(value: Record<string, unknown>): void {
    if (!this.#ended) this.#ws.send(JSON.stringify(value))
  }

  #stop(): void {
    if (this.#ended) return
    this.#ended = true
    this.#unguard()
    for (const following of this.#followed.values()) following.stop()
    this.#followed.clear()
    this.#deps.subscribers.remove(this)
    this.#visitor.leave()
  }
}

const named = ({ kind, id }: Topic) => ({ [kind]: id })

function tooMany(): CarcosaError {
  return new CarcosaError('TOO_MANY_SUBSCRIPTIONS', {
    message: `One connection subscribes to ${maxSubscriptions} topics at most. Unsubscribe from one, or watch the batch or the route instead.`,
    details: { limit: maxSubscriptions },
  })
}
