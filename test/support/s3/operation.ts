import type { IncomingMessage } from 'node:http'
import { S3Error } from './error.ts'
import type { Headers } from './state.ts'

export type Operation =
  | 'AbortMultipartUpload'
  | 'CompleteMultipartUpload'
  | 'CopyObject'
  | 'CreateMultipartUpload'
  | 'DeleteObject'
  | 'DeleteObjects'
  | 'GetObject'
  | 'HeadBucket'
  | 'HeadObject'
  | 'ListMultipartUploads'
  | 'ListObjectsV2'
  | 'ListParts'
  | 'PutObject'
  | 'UploadPart'
  | 'UploadPartCopy'
  | 'Unknown'

/** A request as the fake remembers it. */
export interface S3Request {
  readonly operation: Operation
  /** Empty for an operation on the bucket. */
  readonly key: string
  readonly partNumber: number | null
  readonly headers: Headers
  readonly query: Headers
  /** Of the answer; 0 as long as there is none, and when the connection broke off instead. */
  status: number
  /** Bytes of payload that arrived, and that were sent. */
  received: number
  sent: number
}

export interface Asked {
  readonly bucket: string
  readonly key: string
  readonly query: URLSearchParams
  /** In lower case, with those that a presigned URL carries in its query. */
  readonly headers: Headers
  readonly operation: Operation
}

/** What a request asks for, addressed in path style. */
export function parseRequest(request: IncomingMessage): Asked {
  // Not through URL, which would resolve the dots of a key.
  const [path = '', search = ''] = (request.url ?? '/').split(/\?(.*)/s)
  const [bucket = '', key = ''] = path
    .slice(1)
    .split(/\/(.*)/s)
    .map(decodeURIComponent)
  const query = new URLSearchParams(search)
  const headers = headersOf(request, query)
  const { method = '' } = request
  const operation = key
    ? objectOperation(method, query, headers)
    : bucketOperation(method, query)
  return { bucket, key, query, headers, operation }
}

/** @throws S3Error if a request is not signed at all, or no longer. */
export function checkSigned({ headers, query }: Asked): void {
  if (headers.authorization !== undefined) return
  const date = query.get('X-Amz-Date')
  if (!query.has('X-Amz-Signature') || !date) {
    throw new S3Error('AccessDenied', 'Access Denied')
  }
  const iso = date.replace(/^(....)(..)(..T..)(..)/, '$1-$2-$3:$4:')
  const expires = Date.parse(iso) + Number(query.get('X-Amz-Expires')) * 1000
  if (!(Date.now() <= expires)) throw new S3Error('AccessDenied', 'Request has expired')
  for (const name of (query.get('X-Amz-SignedHeaders') ?? '').split(';')) {
    if (headers[name] === undefined) {
      throw new S3Error('SignatureDoesNotMatch', `The signed header ${name} is missing.`)
    }
  }
}

/**
 * @throws S3Error for a header, or an override of one, that is not ASCII. S3 takes Latin-1 and
 * what it makes of it depends on the header.
 */
export function checkAscii({ headers, query }: Asked): void {
  const overrides = [...query].flatMap(([name, value]) =>
    name.startsWith('response-') ? [value] : [],
  )
  if (
    [...Object.values(headers), ...overrides].every((value) => /^[ -~]*$/.test(value))
  ) {
    return
  }
  throw new S3Error(
    'InvalidArgument',
    'Header value cannot be represented using ISO-8859-1.',
  )
}

function headersOf(request: IncomingMessage, query: URLSearchParams): Headers {
  const hoisted = [...query]
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => /^x-amz-(?!algorithm|credential|date|expires|sign)/.test(name))
  const sent = Object.entries(request.headers).map(
    ([name, value]) => [name, String(value)] as const,
  )
  return Object.fromEntries([...hoisted, ...sent])
}

function objectOperation(
  method: string,
  query: URLSearchParams,
  headers: Headers,
): Operation {
  if (unsupported(query, ['acl', 'tagging', 'attributes', 'restore'])) return 'Unknown'
  const copies = headers['x-amz-copy-source'] !== undefined
  const verb = `${method}${copies ? ' copy' : ''}${query.has('uploads') ? ' uploads' : ''}`
  const [alone, inUpload] = onObject[verb] ?? []
  return (query.has('uploadId') ? inUpload : alone) ?? 'Unknown'
}

/** What is asked of an object, and what of one of its uploads. */
const onObject: Readonly<Record<string, readonly [Operation, Operation]>> = {
  HEAD: ['HeadObject', 'Unknown'],
  GET: ['GetObject', 'ListParts'],
  PUT: ['PutObject', 'UploadPart'],
  'PUT copy': ['CopyObject', 'UploadPartCopy'],
  DELETE: ['DeleteObject', 'AbortMultipartUpload'],
  POST: ['Unknown', 'CompleteMultipartUpload'],
  'POST uploads': ['CreateMultipartUpload', 'Unknown'],
}

function bucketOperation(method: string, query: URLSearchParams): Operation {
  if (unsupported(query, ['delimiter', 'encoding-type'])) return 'Unknown'
  if (method === 'HEAD') return 'HeadBucket'
  if (method === 'POST' && query.has('delete')) return 'DeleteObjects'
  if (method === 'GET' && query.has('uploads')) return 'ListMultipartUploads'
  return method === 'GET' && query.get('list-type') === '2' ? 'ListObjectsV2' : 'Unknown'
}

function unsupported(query: URLSearchParams, names: readonly string[]): boolean {
  return names.some((name) => query.has(name))
}
