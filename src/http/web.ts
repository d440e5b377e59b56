import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { CarcosaError } from '../shared/errors.ts'
import { addressOf } from '../shared/networks.ts'
import {
  isLive,
  type LiveBody,
  type Outlet,
  problemReply,
  type Reply,
} from '../shared/reply.ts'
import type { App } from './app.ts'
import type { Incoming } from './incoming.ts'

/** A web-standard handler: Hono, Next, Remix, anything with Request and Response. */
export type FetchHandler = (request: Request) => Promise<Response>

/**
 * @param isTrustedProxy Whose `X-Forwarded-For` is believed. There is no connection to look at: the
 *   program around us counts as one of them, and null says that there are none.
 */
export function createFetchHandler(
  app: App,
  isTrustedProxy: ((address: string) => boolean) | null,
): FetchHandler {
  return async (request) => {
    const reply = await app(fromWeb(request, isTrustedProxy))
    return toResponse(request, reply ?? problemReply(new CarcosaError('NOT_FOUND')))
  }
}

function fromWeb(
  request: Request,
  isTrustedProxy: ((address: string) => boolean) | null,
): Incoming {
  const { pathname, search } = new URL(request.url)
  return {
    method: request.method,
    path: pathname,
    stripped: '',
    search,
    headers: request.headers,
    address: senderOf(request.headers, isTrustedProxy),
    headerCount: 0,
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

/** The address that was appended last is where the program around us had the request from. */
function senderOf(
  headers: Headers,
  isTrusted: ((address: string) => boolean) | null,
): string | null {
  const named = headers.get('x-forwarded-for')?.split(',') ?? []
  const last = named.pop()?.trim()
  if (!isTrusted || last === undefined) return null
  return addressOf(last, named.length > 0 ? named.join() : undefined, isTrusted)
}

function toResponse(request: Request, { status, headers, body }: Reply): Response {
  if (isLive(body)) {
    return new Response(toStream(body, request.signal), { status, headers })
  }
  if (!(body instanceof Readable)) {
    return new Response(request.method === 'HEAD' ? null : body, { status, headers })
  }
  // As above: one class, two declarations.
  const stream = Readable.toWeb(body) as unknown as ReadableStream<Uint8Array>
  return new Response(stream, { status, headers })
}

/** Bytes that a live body may be ahead of its reader before `room` makes it wait. */
const aheadBytes = 64 * 1024

function toStream(body: LiveBody, gone: AbortSignal): ReadableStream<Uint8Array> {
  let resume = () => {}
  let closed = () => {}
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        if (gone.aborted) {
          body.drop()
          return controller.close()
        }
        const outlet = outletOf(controller, {
          onRoom: (listener) => {
            resume = listener
          },
          onClose: (listener) => {
            closed = listener
          },
        })
        gone.addEventListener('abort', () => outlet.destroy(), { once: true })
        body.begin(outlet)
      },
      pull: () => resume(),
      cancel: () => closed(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: aheadBytes }),
  )
  return stream
}

function outletOf(
  controller: ReadableStreamDefaultController<Uint8Array>,
  on: { onRoom(listener: () => void): void; onClose(listener: () => void): void },
): Outlet {
  let ended = false
  let tell = () => {}
  let resume = () => {}
  const close = (how: () => void) => {
    if (ended) return
    ended = true
    how()
    tell()
  }
  return {
    get pending() {
      return aheadBytes - (controller.desiredSize ?? aheadBytes)
    },
    write(chunk) {
      if (!ended)
        controller.enqueue(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
    },
    get isFull() {
      return !ended && (controller.desiredSize ?? 1) <= 0
    },
    async room() {
      if (!this.isFull) return
      await new Promise<void>((resolve) => {
        resume = resolve
        on.onRoom(resolve)
      })
    },
    onClose(listener) {
      tell = () => {
        resume()
        listener()
      }
      on.onClose(() => {
        ended = true
        tell()
      })
    },
    end: () => close(() => controller.close()),
    destroy: () => close(() => controller.error(new Error('The stream was cut off.'))),
  }
}
