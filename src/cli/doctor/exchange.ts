import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'

/** A request as the doctor sends it: no redirect is followed, no header is added. */
export interface Asked {
  readonly method: string
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
  /** Milliseconds without a byte in either direction. Default 30 000. */
  readonly patience?: number
  /** Default: a connection of its own. */
  readonly agent?: Agent | TlsAgent
  readonly signal?: AbortSignal
}

/** What came back. */
export interface Answer {
  readonly status: number
  /** Names in lower case, repeated ones joined by a comma. */
  readonly headers: Readonly<Record<string, string>>
  /** Up to where the connection ended. */
  readonly body: Buffer
  /** Milliseconds from the first byte sent to the first byte of the answer. */
  readonly ms: number
  /** Whether it came on a connection that had carried a request before. */
  readonly reused: boolean
}

/** A request whose body is sent piece by piece. */
export interface OpenRequest {
  write(bytes: Uint8Array): void
  end(bytes?: Uint8Array): void
  /** Rejects with NoAnswer. */
  readonly answer: Promise<Answer>
  /** Resolves with the answer once its head has come; its body is read by the caller. */
  readonly head: Promise<IncomingMessage>
  /** Resolves when the other side says "100 Continue". */
  readonly continued: Promise<void>
  /** Breaks the connection, as a client does that vanishes. */
  cut(): void
}

/** The connection could not be made, or ended before an answer came. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  /** Of the system or of OpenSSL, such as ECONNRESET; TIMEOUT if nobody said anything. */
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** @throws {NoAnswer} */
export function ask(asked: Asked): Promise<Answer> {
  const open = openRequest({
    ...asked,
    headers: { ...asked.headers, ...lengthOf(asked.body) },
  })
  open.end(typeof asked.body === 'string' ? Buffer.from(asked.body) : asked.body)
  return open.answer
}

/** Sends the head at once. Without a Content-Length the body goes in chunks. */
export function openRequest(asked: Asked): OpenRequest {
  const { method, url, headers = {}, patience = 30_000, agent = false, signal } = asked
  const startedAt = performance.now()
  const send = url.protocol === 'https:' ? tlsRequest : request
  const outgoing = send(url, { method, headers, agent, ...(signal && { signal }) })
  const head = Promise.withResolvers<IncomingMessage>()
  outgoing.once('response', head.resolve)
  outgoing.on('error', (error) => head.reject(noAnswer(error)))
  outgoing.setTimeout(patience, () => {
    outgoing.destroy(new NoAnswer('TIMEOUT', `nothing came for ${patience} ms`))
  })
  outgoing.flushHeaders()
  const answer = head.promise.then((incoming) => read(outgoing, incoming, startedAt))
  // Whoever looks at the head only is not told twice.
  answer.catch(() => {})
  return {
    write: (bytes) => void outgoing.write(bytes),
    end: (bytes) => void outgoing.end(bytes),
    head: head.promise,
    answer,
    continued: new Promise((resolve) => outgoing.once('continue', resolve)),
    cut: () => void outgoing.destroy(),
  }
}

/** Connections that are used again. */
export function keepAliveAgent(url: URL): Agent | TlsAgent {
  const options = { keepAlive: true, maxSockets: 1 }
  return url.protocol === 'https:' ? new TlsAgent(options) : new Agent(options)
}

function lengthOf(body: Asked['body']): Record<string, string> {
  return body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }
}

/** An answer that breaks off is an answer: what is missing of it is for the check to say. */
async function read(
  outgoing: ClientRequest,
  incoming: IncomingMessage,
  startedAt: number,
): Promise<Answer> {
  const ms = Math.round(performance.now() - startedAt)
  const chunks: Buffer[] = []
  try {
    for await (const chunk of incoming) chunks.push(chunk)
  } catch (error) {
    if (outgoing.reusedSocket && chunks.length === 0) throw noAnswer(error)
  }
  return {
    status: incoming.statusCode ?? 0,
    headers: joined(incoming),
    body: Buffer.concat(chunks),
    ms,
    reused: outgoing.reusedSocket,
  }
}

/** Node keeps the first of some repeated headers; that there are two is what we look for. */
function joined({ headersDistinct }: IncomingMessage): Record<string, string> {
  const entries = Object.entries(headersDistinct)
  return Object.fromEntries(
    entries.map(([name, values = []]) => [name, values.join(', ')]),
  )
}

function noAnswer(error: unknown): NoAnswer {
  if (error instanceof NoAnswer) return error
  const { code = 'UNKNOWN', message } = error as NodeJS.ErrnoException
  return new NoAnswer(code, message || code, { cause: error })
}
