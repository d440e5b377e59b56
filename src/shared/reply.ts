import type { Readable } from 'node:stream'

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
