import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/** The operations of S3 the backend knows; `Other` is everything else. */
export type Operation =
  | 'PutObject'
  | 'GetObject'
  | 'HeadObject'
  | 'DeleteObject'
  | 'DeleteObjects'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'ListParts'
  | 'ListMultipartUploads'
  | 'ListObjectsV2'
  | 'HeadBucket'
  | 'Other'

/** One request, read but for its body. */
export interface Call {
  operation: Operation
  bucket: string
  /** Empty for an operation on the bucket. */
  key: string
  query: URLSearchParams
  headers: IncomingHttpHeaders
}

/** Reads a path-style request. */
export function readCall(req: IncomingMessage, url: URL): Call {
  const [, bucket = '', ...rest] = decodeURIComponent(url.pathname).split('/')
  const key = rest.join('/')
  const query = url.searchParams
  const operation = operationOf(req.method ?? '', key !== '', query)
  return { operation, bucket, key, query, headers: req.headers }
}

function operationOf(method: string, hasKey: boolean, query: URLSearchParams): Operation {
  const ofUpload = query.has('uploadId')
  const candidates: Record<string, Operation> = hasKey
    ? {
        PUT: ofUpload ? 'UploadPart' : 'PutObject',
        POST: ofUpload ? 'CompleteMultipartUpload' : 'CreateMultipartUpload',
        GET: ofUpload ? 'ListParts' : 'GetObject',
        HEAD: 'HeadObject',
        DELETE: ofUpload ? 'AbortMultipartUpload' : 'DeleteObject',
      }
    : {
        POST: 'DeleteObjects',
        GET: query.has('uploads') ? 'ListMultipartUploads' : 'ListObjectsV2',
        HEAD: 'HeadBucket',
      }
  return candidates[method] ?? 'Other'
}
