import type { IncomingHttpHeaders } from 'node:http'
import { pieces } from '../support/content.ts'
import type { StoredObject } from './s3-objects.ts'
import { type Answer, failure } from './s3-xml.ts'

/** The object, or the `range` of it that a Range header asks for. */
export function read(object: StoredObject, range: string | undefined): Answer {
  const { size, bytes } = object
  const [start, end] = range ? readRange(range, size) : [0, size - 1]
  if (range && start > end) return failure(416, 'InvalidRange')
  const length = end - start + 1
  return {
    status: range ? 206 : 200,
    headers: {
      ...described(object),
      'content-length': length,
      ...(range && { 'content-range': `bytes ${start}-${end}/${size}` }),
    },
    body: bytes ? bytes.subarray(start, end + 1) : pieces(length, start),
  }
}

/** What the headers say of an object. */
export function described({ etag, headers, lastModified }: StoredObject) {
  return {
    'content-type': 'application/octet-stream',
    ...headers,
    etag,
    'last-modified': lastModified.toUTCString(),
    'accept-ranges': 'bytes',
  }
}

/** The headers of a creation that an object is read with. */
export function keptHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const kept = /^(x-amz-meta-.*|content-(type|disposition|language)|cache-control)$/
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => kept.test(name))
      .map(([name, value]) => [name, `${value}`]),
  )
}

function readRange(range: string, size: number): [start: number, end: number] {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? []
  if (first === '') return [Math.max(size - Number(last), 0), size - 1]
  return [Number(first), Math.min(last === '' ? size : Number(last), size - 1)]
}
