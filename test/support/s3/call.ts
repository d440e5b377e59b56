import type { Algorithm } from './checksums.ts'
import { S3Error } from './error.ts'
import type { Asked } from './operation.ts'
import type { Content, Headers, S3Object, S3State } from './state.ts'

/** A request on its way through an operation. */
export interface Call extends Asked {
  readonly state: S3State
  /** Reads the body and verifies its checksums. */
  content(algorithm?: Algorithm | null): Promise<Content>
  /** Reads the body as text, even where bodies are discarded. */
  text(): Promise<string>
}

export interface Answer {
  /** Default 200. */
  readonly status?: number
  readonly headers?: Headers
  /** XML, or bytes. */
  readonly body?: string | readonly Buffer[]
}

/** One operation of S3. */
export type Act = (call: Call) => Answer | Promise<Answer>

const remembered =
  /^(content-(type|disposition|language)|cache-control|expires|x-amz-(meta-.+|storage-class|server-side-encryption.*|acl|grant-.+|tagging|object-lock-.+))$/

/** Of the headers of a request, those that stay with the object. */
export function objectHeaders(headers: Headers): Headers {
  const kept = Object.entries(headers).filter(([name]) => remembered.test(name))
  const encoding = (headers['content-encoding'] ?? '')
    .split(/\s*,\s*/)
    .filter((name) => name && name !== 'aws-chunked')
    .join(', ')
  return {
    'content-type': 'binary/octet-stream',
    ...Object.fromEntries(kept),
    ...(encoding && { 'content-encoding': encoding }),
  }
}

/** Headers of the answer that tell how the object is encrypted. */
export function encryptionOf(headers: Headers): Headers {
  const kept = Object.entries(headers).filter(([name]) =>
    name.startsWith('x-amz-server-side-encryption'),
  )
  return Object.fromEntries(kept)
}

/** @throws S3Error if `If-Match` or `If-None-Match` forbid to write. */
export function checkWritable({ headers, state, key }: Call): void {
  const there = state.objects.get(key)
  const { 'if-match': match, 'if-none-match': noneMatch } = headers
  if (noneMatch !== undefined && noneMatch !== '*') throw new S3Error('NotImplemented')
  const forbidden = noneMatch === '*' && there !== undefined
  if (forbidden || (match !== undefined && there && match !== there.etag)) {
    throw new S3Error('PreconditionFailed', 'A condition of the request did not hold.')
  }
  if (match !== undefined && !there) throw noSuchKey()
}

/** @throws S3Error if there is no object of that key. */
export function objectAt(state: S3State, key: string): S3Object {
  const found = state.objects.get(key)
  if (!found) throw noSuchKey()
  return found
}

/** The object that `x-amz-copy-source` names, if its conditions hold. */
export function copySource({ headers, state }: Call): S3Object {
  const source = decodeURIComponent(headers['x-amz-copy-source'] ?? '')
  const [bucket, key = ''] = source.replace(/^\//, '').split(/\/(.*)/s)
  if (bucket !== state.bucket) throw new S3Error('NoSuchBucket')
  const object = objectAt(state, key)
  const match = headers['x-amz-copy-source-if-match']
  if (match !== undefined && match !== object.etag)
    throw new S3Error('PreconditionFailed')
  return object
}

function noSuchKey(): S3Error {
  return new S3Error('NoSuchKey', 'The specified key does not exist.')
}
