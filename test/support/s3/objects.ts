import {
  type Act,
  type Call,
  checkWritable,
  copySource,
  encryptionOf,
  objectAt,
  objectHeaders,
} from './call.ts'
import { S3Error } from './error.ts'
import { rangeOf, slice } from './range.ts'
import { type Content, etagOf, type Headers, newObject, type S3Object } from './state.ts'
import { elementsOf, textOf, xmlDocument } from './xml.ts'

export const putObject: Act = async (call) => {
  const content = await call.content()
  checkWritable(call)
  const object = objectOf(content, call.headers)
  call.state.objects.set(call.key, object)
  return {
    headers: { ETag: object.etag, ...object.checksum, ...encryptionOf(object.headers) },
  }
}

export const headObject: Act = (call) => {
  const object = objectAt(call.state, call.key)
  checkReadable(object, call.headers)
  return { headers: { ...shown(call, object), 'Content-Length': String(object.size) } }
}

export const getObject: Act = (call) => {
  const object = objectAt(call.state, call.key)
  checkReadable(object, call.headers)
  if (object.chunks.length === 0 && object.size > 0) {
    throw new S3Error('NotImplemented', 'This fake discards bodies.')
  }
  const range = rangeOf(call.headers.range, object.size)
  const { start, end } = range ?? { start: 0, end: object.size }
  return {
    status: range ? 206 : 200,
    headers: {
      ...shown(call, object),
      ...(range && { 'Content-Range': `bytes ${start}-${end - 1}/${object.size}` }),
      'Content-Length': String(end - start),
    },
    body: slice(object.chunks, start, end),
  }
}

export const deleteObject: Act = ({ state, key }) => {
  state.objects.delete(key)
  return { status: 204 }
}

export const deleteObjects: Act = async (call) => {
  const { headers, state } = call
  const digested = Object.keys(headers).some((name) =>
    /^(content-md5|x-amz-checksum-.+|x-amz-trailer)$/.test(name),
  )
  if (!digested) {
    throw new S3Error('InvalidRequest', 'Missing required header: Content-MD5')
  }
  const xml = await call.text()
  const keys = elementsOf(xml, 'Object').map((object) => textOf(object, 'Key') ?? '')
  if (keys.length === 0 || keys.length > 1000) throw new S3Error('MalformedXML')
  for (const key of keys) state.objects.delete(key)
  const quiet = textOf(xml, 'Quiet') === 'true'
  const deleted = quiet ? [] : keys.map((Key) => ({ Key }))
  return { body: xmlDocument('DeleteResult', { Deleted: deleted }) }
}

export const copyObject: Act = (call) => {
  const source = copySource(call)
  checkWritable(call)
  const replaces = call.headers['x-amz-metadata-directive'] === 'REPLACE'
  const headers = replaces ? objectHeaders(call.headers) : source.headers
  const { etag, checksum } = source
  const copy = newObject(source, { headers, etag, checksum })
  call.state.objects.set(call.key, copy)
  return {
    body: xmlDocument('CopyObjectResult', {
      ETag: copy.etag,
      LastModified: copy.lastModified,
    }),
  }
}

export const headBucket: Act = () => ({})

/** The object that a single request makes of its bytes; `headers` as they were sent. */
export function objectOf(content: Content, headers: Headers): S3Object {
  const { checksum, md5 } = content
  const sums = checksum && {
    [`x-amz-checksum-${checksum.algorithm}`]: checksum.value.toString('base64'),
    'x-amz-checksum-type': 'FULL_OBJECT',
  }
  return newObject(content, {
    headers: objectHeaders(headers),
    etag: etagOf(md5),
    checksum: sums ?? {},
  })
}

function checkReadable({ etag }: S3Object, headers: Headers): void {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers
  if (match !== undefined && match !== '*' && match !== etag) {
    throw new S3Error('PreconditionFailed', 'A condition of the request did not hold.')
  }
  if (noneMatch === etag) throw new S3Error('NotModified')
}

const overridable = [
  'content-type',
  'content-disposition',
  'content-language',
  'content-encoding',
  'cache-control',
  'expires',
]

function shown({ query, headers }: Call, object: S3Object): Headers {
  const { 'x-amz-acl': _acl, 'x-amz-tagging': tags, ...rest } = object.headers
  const overrides = overridable.flatMap((name) => {
    const value = query.get(`response-${name}`)
    return value === null ? [] : [[name, value] as const]
  })
  const whole = headers.range === undefined
  const sums = headers['x-amz-checksum-mode'] === 'ENABLED' && whole
  return {
    ...rest,
    ...Object.fromEntries(overrides),
    ...(tags !== undefined && {
      'x-amz-tagging-count': String(new URLSearchParams(tags).size),
    }),
    ...(sums && object.checksum),
    ETag: object.etag,
    'Last-Modified': object.lastModified.toUTCString(),
    'Accept-Ranges': 'bytes',
  }
}
