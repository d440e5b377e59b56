import { randomUUID } from 'node:crypto'
import { type Act, type Call, copySource, encryptionOf, objectHeaders } from './call.ts'
import { algorithmOf, elementName, hasher } from './checksums.ts'
import { S3Error } from './error.ts'
import { rangeOf, slice } from './range.ts'
import {
  type Content,
  etagOf,
  type Headers,
  type S3Part,
  type S3State,
  type S3Upload,
} from './state.ts'
import { xmlDocument } from './xml.ts'

export const createMultipartUpload: Act = ({ state, key, headers }) => {
  const named = headers['x-amz-checksum-algorithm']
  const algorithm = named === undefined ? null : algorithmOf(named)
  const full = headers['x-amz-checksum-type'] === 'FULL_OBJECT'
  if (full && algorithm !== 'crc32') throw new S3Error('InvalidRequest')
  const upload: S3Upload = {
    uploadId: randomUUID(),
    key,
    headers: objectHeaders(headers),
    parts: new Map(),
    attempts: new Map(),
    initiated: new Date(),
    algorithm,
    checksumType: full ? 'FULL_OBJECT' : 'COMPOSITE',
  }
  state.uploads.set(upload.uploadId, upload)
  const { bucket } = state
  const result = { Bucket: bucket, Key: key, UploadId: upload.uploadId }
  return {
    headers: {
      ...encryptionOf(upload.headers),
      ...(named !== undefined && { 'x-amz-checksum-algorithm': named }),
    },
    body: xmlDocument('InitiateMultipartUploadResult', result),
  }
}

export const uploadPart: Act = async (call) => {
  const upload = uploadOf(call)
  const number = partNumberOf(call)
  const content = await call.content(upload.algorithm)
  failAsTold(call.state, upload, number)
  // It may have been aborted or completed while the bytes came in.
  const part = keepPart(uploadOf(call), number, content)
  return {
    headers: { ETag: part.etag, ...checksumOf(part), ...encryptionOf(upload.headers) },
  }
}

export const uploadPartCopy: Act = (call) => {
  const upload = uploadOf(call)
  const number = partNumberOf(call)
  const source = copySource(call)
  if (call.state.discardBodies) throw new S3Error('NotImplemented')
  const asked = call.headers['x-amz-copy-source-range']
  const range = rangeOf(asked, source.size)
  if (asked !== undefined && !range) throw new S3Error('InvalidArgument')
  failAsTold(call.state, upload, number)
  const chunks = slice(source.chunks, range?.start ?? 0, range?.end ?? source.size)
  const part = keepPart(upload, number, contentOf(chunks, upload))
  return {
    body: xmlDocument('CopyPartResult', {
      ETag: part.etag,
      LastModified: part.lastModified,
      ...checksumElement(part),
    }),
  }
}

export const abortMultipartUpload: Act = (call) => {
  const { state } = call
  const known = state.uploads.get(call.query.get('uploadId') ?? '')
  if (known || state.faults.noSuchUploadOnAbort) {
    state.uploads.delete(uploadOf(call).uploadId)
  }
  return { status: 204 }
}

/** The upload of a request. @throws S3Error if there is none. */
export function uploadOf({ state, query, key }: Call): S3Upload {
  const upload = state.uploads.get(query.get('uploadId') ?? '')
  if (upload?.key !== key) {
    throw new S3Error('NoSuchUpload', 'The specified multipart upload does not exist.')
  }
  return upload
}

/** The checksum of a part, for a list of parts. */
export function checksumElement({ content }: S3Part): Headers {
  const { checksum } = content
  if (!checksum) return {}
  return { [elementName(checksum.algorithm)]: checksum.value.toString('base64') }
}

function checksumOf({ content }: S3Part): Headers {
  const { checksum } = content
  if (!checksum) return {}
  return { [`x-amz-checksum-${checksum.algorithm}`]: checksum.value.toString('base64') }
}

function partNumberOf({ query, state }: Call): number {
  const number = Number(query.get('partNumber'))
  const { maxParts } = state.faults
  if (Number.isInteger(number) && number >= 1 && number <= maxParts) return number
  throw new S3Error(
    'InvalidArgument',
    `Part number must be an integer between 1 and ${maxParts}, inclusive`,
  )
}

function failAsTold({ faults }: S3State, { attempts }: S3Upload, number: number): void {
  const attempt = (attempts.get(number) ?? 0) + 1
  attempts.set(number, attempt)
  const status = faults.failPart(number, attempt)
  if (status !== null) throw new S3Error('InternalError', 'Told to fail.', status)
}

function keepPart(upload: S3Upload, number: number, content: Content): S3Part {
  const etag = etagOf(content.md5)
  const part = { number, size: content.size, etag, lastModified: new Date(), content }
  upload.parts.set(number, part)
  return part
}

function contentOf(chunks: readonly Buffer[], { algorithm }: S3Upload): Content {
  const digest = (name: Parameters<typeof hasher>[0]) => {
    const sum = hasher(name)
    for (const chunk of chunks) sum.update(chunk)
    return sum.digest()
  }
  return {
    chunks,
    size: chunks.reduce((size, chunk) => size + chunk.length, 0),
    md5: digest('md5'),
    checksum: algorithm && { algorithm, value: digest(algorithm) },
  }
}
