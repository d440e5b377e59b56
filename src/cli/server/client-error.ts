import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { CarcosaError, type ErrorCode } from '../../shared/errors.ts'
import { problemReply } from '../../shared/reply.ts'

const known: Readonly<Record<string, [code: ErrorCode, message: string]>> = {
  HPE_HEADER_OVERFLOW: [
    'HEADERS_TOO_LARGE',
    'URL and headers together have more than 16 KiB, which is all that is taken.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    'REQUEST_TIMEOUT',
    'The headers of the request did not arrive in time.',
  ],
}

/**
 * Answers what is no request of HTTP, too large, or too slow to become one, and ends the
 * connection: where a request ends is not known, so nothing behind it can be believed (SEC-10).
 */
export function onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // A connection that broke hears nothing.
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const [code, message] = known[error.code ?? ''] ?? [
    'BAD_REQUEST',
    'What was sent is no valid HTTP request. The connection is closed.',
  ]
  const { status, headers, body } = problemReply(new CarcosaError(code, { message }))
  const text = String(body)
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Connection: close',
  ]
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`)
  // Whoever goes on sending is not listened to.
  setTimeout(() => socket.destroy(), 2_000).unref()
}
