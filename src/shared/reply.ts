import type { Readable } from 'node:stream'
import type { CarcosaError, ErrorCode } from './errors.ts'

/**
 * An answer on its way to the edge, which turns it into a web Response or writes it to a
 * Node response. Bytes stay a Node stream, so that on Node they are piped without web streams.
 *
 * Whoever receives a Reply owns its body: it must be read to the end or destroyed, or the
 * read behind it stays open. A body that fails emits `error` and never ends cleanly; the
 * connection must then be cut, since the promised `Content-Length` can no longer be kept.
 */
export interface Reply {
  status: number
  /** Values are printable ASCII, safe for Node's `writeHead` and for web `Headers`. */
  headers: Record<string, string>
  body: Readable | LiveBody | string | null
  /** Of the error it tells of, if it does; not sent, for metrics and the log. */
  code?: ErrorCode
}

/**
 * A body that is written whenever there is something to tell, for as long as somebody reads it.
 * It is either begun or dropped. Not a stream: thousands of them are open at once, and a stream
 * piped into a response costs 12 KiB more than writing to the response.
 */
export interface LiveBody {
  /** The head of the answer has been sent; from now on write to `outlet`. */
  begin(outlet: Outlet): void
  /** Nobody will read it. */
  drop(): void
}

/** Where a live body goes. */
export interface Outlet {
  /** Never throws; what is written after the end goes nowhere. */
  write(chunk: Buffer | string): void
  /** Bytes that wait for the reader. */
  readonly pending: number
  /** Whether more waits than a connection takes along. */
  readonly isFull: boolean
  /** Resolves when it is full no more, or closed. */
  room(): Promise<void>
  /** Calls `listener` once, when the reader is gone or all was sent after `end`. */
  onClose(listener: () => void): void
  end(): void
  /** Cuts it off: what waits is not sent. */
  destroy(): void
}

export function isLive(body: Reply['body']): body is LiveBody {
  return body !== null && typeof body === 'object' && 'begin' in body
}

/** An error as an RFC 9457 problem document. */
export function problemReply(
  error: CarcosaError,
  headers: Record<string, string> = {},
  requestId?: string,
): Reply {
  return {
    status: error.status,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      ...headers,
      ...error.headers,
    },
    body: JSON.stringify(error.toProblem(requestId)),
    code: error.code,
  }
}

/** A JSON document. */
export function jsonReply(status: number, value: unknown): Reply {
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }
  return { status, headers, body: JSON.stringify(value) }
}

/** The same answer with more headers. */
export function withHeaders(reply: Reply, headers: Record<string, string>): Reply {
  return { ...reply, headers: { ...reply.headers, ...headers } }
}
