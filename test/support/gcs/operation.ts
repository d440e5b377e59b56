import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

export type Operation =
  | 'BeginSession'
  | 'CancelSession'
  | 'Compose'
  | 'Delete'
  | 'Download'
  | 'Get'
  | 'Insert'
  | 'List'
  | 'Patch'
  | 'PutChunk'
  | 'QuerySession'
  | 'Rewrite'
  | 'SignedDownload'
  | 'Unknown'

/** A request as it is noted. */
export interface GcsRequest {
  readonly operation: Operation
  /** The object it is about. */
  readonly name: string
  readonly headers: IncomingHttpHeaders
  readonly query: Readonly<Record<string, string>>
  /** 0 if there was no answer. */
  status: number
  /** Whether the client left before it had all of the answer. */
  cut: boolean
}

export interface Asked {
  readonly operation: Operation
  readonly bucket: string
  readonly name: string
  /** Where a rewrite leads. */
  readonly target: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
}

const path =
  /^(?:\/upload)?\/storage\/v1\/b\/(?<bucket>[^/]+)(?:\/o(?:\/(?<name>[^/]+)(?:\/(?<verb>compose)|\/rewriteTo\/b\/[^/]+\/o\/(?<target>[^/]+))?)?)?$/

/** Of a URL that was signed. */
const signedPath = /^\/(?<bucket>[^/]+)\/(?<name>.+)$/

export function parseRequest(request: IncomingMessage): Asked {
  const { method = 'GET', headers } = request
  const url = new URL(request.url ?? '/', 'http://localhost')
  const query = url.searchParams
  const parts = (path.exec(url.pathname) ?? signedPath.exec(url.pathname))?.groups ?? {}
  const text = (part: string) => decodeURIComponent(parts[part] ?? '')
  const upload = url.pathname.startsWith('/upload/')
  return {
    operation: upload
      ? uploadOperation(method, query, headers)
      : objectOperation(method, query, parts),
    bucket: text('bucket'),
    name: parts.name ? text('name') : (query.get('name') ?? ''),
    target: text('target'),
    query,
    headers,
  }
}

function uploadOperation(
  method: string,
  query: URLSearchParams,
  headers: IncomingHttpHeaders,
): Operation {
  if (query.has('upload_id')) {
    if (method === 'DELETE') return 'CancelSession'
    if (method !== 'PUT') return 'Unknown'
    return /^bytes \*/.test(headers['content-range'] ?? '') ? 'QuerySession' : 'PutChunk'
  }
  if (method !== 'POST') return 'Unknown'
  return query.get('uploadType') === 'resumable' ? 'BeginSession' : 'Insert'
}

function objectOperation(
  method: string,
  query: URLSearchParams,
  { name, verb, target }: Record<string, string | undefined>,
): Operation {
  if (query.has('X-Goog-Signature')) return 'SignedDownload'
  if (!name) return method === 'GET' ? 'List' : 'Unknown'
  if (method === 'POST') return verb ? 'Compose' : target ? 'Rewrite' : 'Unknown'
  if (method === 'GET') return query.get('alt') === 'media' ? 'Download' : 'Get'
  if (method === 'PATCH') return 'Patch'
  return method === 'DELETE' ? 'Delete' : 'Unknown'
}
