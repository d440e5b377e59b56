import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { CarcosaError } from '../shared/errors.ts'
import { problemReply, type Reply } from '../shared/reply.ts'
import type { App } from './app.ts'
import type { Incoming } from './incoming.ts'

/** A web-standard handler: Hono, Next, Remix, anything with Request and Response. */
export type FetchHandler = (request: Request) => Promise<Response>

export function createFetchHandler(app: App): FetchHandler {
  return async (request) => {
    const reply = await app(fromWeb(request))
    return toResponse(reply ?? problemReply(new CarcosaError('NOT_FOUND')))
  }
}

function fromWeb(request: Request): Incoming {
  const { pathname, search } = new URL(request.url)
  return {
    method: request.method,
    path: pathname,
    stripped: '',
    search,
    headers: request.headers,
    gone: () => request.signal,
    hasBody: request.body !== null && request.headers.get('content-length') !== '0',
    bodyAlreadyRead: request.bodyUsed,
    mayDecline: false,
    parsedBody: undefined,
    openBody() {
      if (!request.body) return Readable.from([])
      // The DOM's and Node's types for the same stream class do not know each other.
      const body = Readable.fromWeb(request.body as unknown as NodeReadableStream)
      // It may break off before the store reads it; unheard, that would end the process.
      return body.on('error', () => {})
    },
  }
}

function toResponse({ status, headers, body }: Reply): Response {
  if (!(body instanceof Readable)) return new Response(body, { status, headers })
  // As above: one class, two declarations.
  const stream = Readable.toWeb(body) as unknown as ReadableStream<Uint8Array>
  return new Response(stream, { status, headers })
}
