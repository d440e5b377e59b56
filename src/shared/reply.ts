import type { Readable } from 'node:stream'
import type { CarcosaError } from './errors.ts'

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
  body: Readable | string | null
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
  }
}

/** A JSON document. */
export function jsonReply(status: number, value: unknown): Reply {
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }
  return { status, headers, body: JSON.stringify(value) }
}
