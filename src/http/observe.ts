import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Logger } from '../shared/logger.ts'
import { type Meter, stopwatch } from '../shared/meter.ts'
import type { Reply } from '../shared/reply.ts'
import { inRequest, newSpanId, type RequestContext } from '../shared/request-context.ts'
import { readTrace } from '../shared/trace.ts'
import type { App } from './app.ts'
import type { Incoming } from './incoming.ts'
import { noteRefusal, noteReply, type RequestNotes } from './request-notes.ts'

export interface Observers {
  readonly meter: Meter
  readonly log: Logger
  readonly notes: RequestNotes
  /** The route a path names; null if it names none there is. */
  routeOf(path: string): string | null
}

/**
 * The same app with every request under an id of its own (from `X-Request-Id`, where that is one)
 * and within the trace it came with; each answer has the id, is counted, and leaves one line in
 * the log: for debugging, or for everybody where it was our fault.
 */
export function observed(app: App, observers: Observers): App {
  return (incoming) => {
    const context = contextOf(incoming)
    return inRequest(context, async () => {
      const seconds = stopwatch()
      const reply = await app(incoming)
      if (!reply) return null
      await noteRefusal(observers.notes, incoming, reply)
      const answer = { method: incoming.method, status: reply.status, code: reply.code }
      const end = () => {
        const answered = { ...answer, seconds: seconds() }
        observers.meter.requestAnswered(answered)
        const noted = { incoming, context, reply, ms: answered.seconds * 1_000 }
        note(observers, noted)
        noteReply(observers.notes, noted)
      }
      // An answer with a stream has only begun.
      if (reply.body instanceof Readable) {
        reply.body.once('close', () => inRequest(context, end))
      } else end()
      return {
        ...reply,
        headers: { ...reply.headers, 'X-Request-Id': context.requestId },
      }
    })
  }
}

interface Noted {
  incoming: Incoming
  context: RequestContext
  reply: Reply
  ms: number
}

function note(
  { log, routeOf }: Observers,
  { incoming, context, reply, ms }: Noted,
): void {
  const { status, code } = reply
  const level = status >= 500 ? 'info' : 'debug'
  if (log.isLevelEnabled?.(level) === false) return
  const { method, path } = incoming
  const route = routeOf(path)
  const fields = {
    method,
    path: path.slice(0, longestPath),
    ...(route !== null && { route }),
    status,
    ...(code && { code }),
    ms: Math.round(ms * 10) / 10,
    received: context.received,
    sent: sentBy(reply),
  }
  log[level](fields, 'request')
}

/** A path may have 16 KiB, and says no more in a log than its beginning. */
const longestPath = 512

/** Bytes of the body, as announced. */
function sentBy({ body, headers }: Reply): number {
  if (typeof body === 'string') return Buffer.byteLength(body)
  return body === null ? 0 : Number(headers['Content-Length'] ?? 0)
}

function contextOf({ headers, address }: Incoming): RequestContext {
  const given = headers.get('x-request-id')
  const trace = readTrace(
    headers.get('traceparent'),
    headers.get('tracestate'),
    newSpanId,
  )
  return {
    requestId: given !== null && isRequestId(given) ? given : newRequestId(),
    trace,
    received: 0,
    address,
  }
}

/** What can stand in a header and a log as it is; UUIDs, hex, and what proxies make. */
function isRequestId(text: string): boolean {
  return /^[\w.:=+/@-]{1,128}$/.test(text)
}

/** Random once for each process: an id need not be secret, only its own. */
const prefix = randomBytes(9).toString('base64url')
let count = 0

function newRequestId(): string {
  count++
  return `${prefix}-${count.toString(36)}`
}
