import { isLive, type Reply } from '../shared/reply.ts'

export interface CorsOptions {
  /** `*`, or the origins that may talk to this server, compared as whole strings. */
  origins: '*' | readonly string[]
  /** Whether pages of origins on the list may use cookies of this server. Default false. */
  credentials?: boolean
}

const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'

/** What a client may send: tus, IETF resumable uploads, the usual ones, and ours. */
const requestHeaders = [
  'Authorization',
  'Content-Type',
  'Tus-Resumable',
  'Upload-Length',
  'Upload-Defer-Length',
  'Upload-Offset',
  'Upload-Metadata',
  'Upload-Concat',
  'Upload-Checksum',
  'Upload-Complete',
  'Upload-Incomplete',
  'Upload-Draft-Interop-Version',
  'Upload-Ticket',
  'X-HTTP-Method-Override',
  'X-Requested-With',
  'X-Request-Id',
  'Traceparent',
  'Tracestate',
  'Range',
  'If-Match',
  'If-None-Match',
  'If-Modified-Since',
  'If-Unmodified-Since',
  'If-Range',
  'Last-Event-ID',
  'Idempotency-Key',
  'Carcosa-Project',
]

/** What a page may read of the answer (B2, E6). */
const exposedHeaders = [
  'Location',
  'Tus-Resumable',
  'Tus-Version',
  'Tus-Extension',
  'Tus-Max-Size',
  'Upload-Offset',
  'Upload-Length',
  'Upload-Defer-Length',
  'Upload-Metadata',
  'Upload-Expires',
  'Upload-Concat',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'ETag',
  'Accept-Ranges',
  'Content-Range',
  'Content-Length',
  'Content-Disposition',
  'Last-Modified',
  'Link',
  'Idempotency-Replayed',
  'X-Request-Id',
].join(', ')

/**
 * Adds the CORS headers to any answer, errors included: a browser shows a page nothing of an
 * answer without them. An origin that is not allowed gets none, and is never reflected.
 */
export function withCors(reply: Reply, requested: Headers, cors: CorsOptions): Reply {
  const headers: Record<string, string> = { ...reply.headers }
  if (cors.origins !== '*') headers.Vary = appendVary(headers.Vary)
  const origin = allowedOrigin(requested.get('origin'), cors)
  if (origin === null) return { ...reply, headers }
  headers['Access-Control-Allow-Origin'] = origin
  if (cors.credentials && origin !== '*') {
    headers['Access-Control-Allow-Credentials'] = 'true'
  }
  // Of a stream of events there is nothing to read in its head, and thousands are kept.
  if (!isLive(reply.body)) headers['Access-Control-Expose-Headers'] = exposedHeaders
  return { ...reply, headers }
}

/** The answer to a preflight, or null if the request is none. */
export function preflight(method: string, requested: Headers): Reply | null {
  if (method !== 'OPTIONS' || !requested.has('access-control-request-method')) return null
  return {
    status: 204,
    headers: {
      'Access-Control-Allow-Methods': methods,
      'Access-Control-Allow-Headers': allowedHeaders(requested).join(', '),
      'Access-Control-Max-Age': '86400',
      Vary: 'Access-Control-Request-Headers',
    },
    body: null,
  }
}

/**
 * Ours, and what the page asks for: an auth provider may read any header (`X-Api-Key`), and
 * which pages may ask at all is decided by their origin.
 */
function allowedHeaders(requested: Headers): string[] {
  const asked = (requested.get('access-control-request-headers') ?? '').split(',', 64)
  const ours = new Set(requestHeaders.map((name) => name.toLowerCase()))
  const others = asked
    .map((name) => name.trim().toLowerCase())
    .filter((name) => /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name) && !ours.has(name))
  return [...requestHeaders, ...new Set(others)]
}

function allowedOrigin(origin: string | null, { origins }: CorsOptions): string | null {
  if (origins === '*') return '*'
  return origin !== null && origins.includes(origin) ? origin : null
}

function appendVary(vary: string | undefined): string {
  return vary ? `${vary}, Origin` : 'Origin'
}
