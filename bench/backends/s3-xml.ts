import type { Piece, StoredObject } from './s3-objects.ts'

/** What goes back to the client. */
export interface Answer {
  status: number
  headers?: Record<string, string | number>
  body?: string | Buffer | Iterable<Buffer>
}

/** A document the SDKs read. */
export function xml(root: string, inner: string, status = 200): Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?><${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</${root}>`
  return { status, headers: { 'content-type': 'application/xml' }, body }
}

/** An error the way S3 tells it. */
export function failure(status: number, code: string): Answer {
  return xml('Error', `<Code>${code}</Code><Message>${code}</Message>`, status)
}

/** Every list is whole. */
export const notTruncated = '<IsTruncated>false</IsTruncated>'

/** What lists say of an object or a part. */
export function about(thing: Piece | StoredObject): string {
  const modified = 'lastModified' in thing ? thing.lastModified : new Date()
  return `<LastModified>${modified.toISOString()}</LastModified>${tag(thing)}<Size>${thing.size}</Size>`
}

export function tag({ etag }: { etag: string }): string {
  return `<ETag>${etag.replaceAll('"', '&quot;')}</ETag>`
}

export function uploadId(id: string): string {
  return `<UploadId>${id}</UploadId>`
}
