import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { pipeline, Readable } from 'node:stream'

/** A request whose body is these pieces, one after the other. */
export interface Asked {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: readonly (Buffer | Readable)[]
  /** Of the body, in bytes. Default 0. */
  readonly length?: number
}

export interface Answered {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
}

/** Connections that are used again. */
export interface Http {
  /** Resolves with any answer, also one that says no. */
  ask(asked: Asked): Promise<Answered>
  /** The same, but the body of the answer is still to be read. */
  open(asked: Asked): Promise<IncomingMessage>
}

/** A connection without a byte for so long is given up. */
const idleMs = 60_000

export function createHttp(): Http {
  const options = { keepAlive: true, maxSockets: 256 }
  const agents = { http: new http.Agent(options), https: new https.Agent(options) }

  const begin = ({ method, url, headers, body = [], length = 0 }: Asked) => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const [door, agent] = url.startsWith('https:')
      ? [https, agents.https]
      : [http, agents.http]
    const sized = method === 'GET' ? headers : { ...headers, 'Content-Length': length }
    const request = door.request(url, { method, headers: sized, agent })
    request.setTimeout(idleMs, () => request.destroy(silence()))
    request.on('error', reject)
    request.on('response', resolve)
    send(body, request)
    return promise
  }

  return {
    async ask(asked) {
      return readAnswer(await begin(asked))
    },
    async open(asked) {
      // From here on, silence may be a reader who takes his time.
      return (await begin(asked)).setTimeout(0)
    },
  }
}

export async function readAnswer(response: IncomingMessage): Promise<Answered> {
  const { statusCode: status = 0, headers } = response
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return { status, headers, text: Buffer.concat(chunks).toString('utf8') }
}

function silence(): Error {
  return Object.assign(new Error('the store is silent'), { code: 'ETIMEDOUT' })
}

function send(body: readonly (Buffer | Readable)[], request: http.ClientRequest): void {
  if (body.every((piece) => Buffer.isBuffer(piece))) {
    for (const piece of body) request.write(piece)
    request.end()
    return
  }
  // Its failure is the request's, which tells it.
  pipeline(Readable.from(chunksOf(body), { objectMode: false }), request, () => {})
}

async function* chunksOf(body: readonly (Buffer | Readable)[]): AsyncGenerator<Buffer> {
  for (const piece of body) {
    if (Buffer.isBuffer(piece)) yield piece
    else yield* piece
  }
}
