import type { Act } from './call.ts'
import { S3Error } from './error.ts'
import { checksumElement, uploadOf } from './uploads.ts'
import { xmlDocument } from './xml.ts'

export const listObjects: Act = ({ state, query }) => {
  const prefix = query.get('prefix') ?? ''
  const token = query.get('continuation-token')
  const after = token === null ? query.get('start-after') : decoded(token)
  const keys = [...state.objects.keys()]
    .filter(
      (key) => key.startsWith(prefix) && (after === null || byBytes(key, after) > 0),
    )
    .sort(byBytes)
  const { page, truncated } = pageOf(keys, query.get('max-keys'))
  const last = page.at(-1)
  const contents = page.flatMap((key) => {
    const object = state.objects.get(key)
    if (!object) return []
    const { etag, lastModified, size, headers } = object
    const storageClass = headers['x-amz-storage-class'] ?? 'STANDARD'
    return {
      Key: key,
      LastModified: lastModified,
      ETag: etag,
      Size: size,
      StorageClass: storageClass,
    }
  })
  return {
    body: xmlDocument('ListBucketResult', {
      Name: state.bucket,
      Prefix: prefix,
      KeyCount: page.length,
      MaxKeys: limitOf(query.get('max-keys')),
      IsTruncated: truncated,
      NextContinuationToken: truncated && last !== undefined ? encoded(last) : undefined,
      Contents: contents,
    }),
  }
}

export const listParts: Act = (call) => {
  const { query, state, key } = call
  const upload = uploadOf(call)
  const marker = Number(query.get('part-number-marker') ?? 0)
  const parts = [...upload.parts.values()]
    .filter(({ number }) => number > marker)
    .sort((a, b) => a.number - b.number)
  const { page, truncated } = pageOf(parts, query.get('max-parts'))
  return {
    body: xmlDocument('ListPartsResult', {
      Bucket: state.bucket,
      Key: key,
      UploadId: upload.uploadId,
      PartNumberMarker: marker,
      NextPartNumberMarker: page.at(-1)?.number ?? 0,
      MaxParts: limitOf(query.get('max-parts')),
      IsTruncated: truncated,
      Part: page.map((part) => ({
        PartNumber: part.number,
        LastModified: part.lastModified,
        ETag: part.etag,
        Size: part.size,
        ...checksumElement(part),
      })),
    }),
  }
}

export const listMultipartUploads: Act = ({ state, query }) => {
  const prefix = query.get('prefix') ?? ''
  const keyMarker = query.get('key-marker') ?? ''
  const idMarker = query.get('upload-id-marker')
  const uploads = [...state.uploads.values()]
    .filter(({ key }) => key.startsWith(prefix))
    .sort((a, b) => byBytes(a.key, b.key) || byBytes(a.uploadId, b.uploadId))
    .filter(({ key, uploadId }) => {
      const order = byBytes(key, keyMarker)
      return order > 0 || (order === 0 && idMarker !== null && uploadId > idMarker)
    })
  const { page, truncated } = pageOf(uploads, query.get('max-uploads'))
  const last = truncated ? page.at(-1) : undefined
  return {
    body: xmlDocument('ListMultipartUploadsResult', {
      Bucket: state.bucket,
      KeyMarker: keyMarker,
      UploadIdMarker: idMarker ?? '',
      Prefix: prefix,
      NextKeyMarker: last?.key,
      NextUploadIdMarker: last?.uploadId,
      MaxUploads: limitOf(query.get('max-uploads')),
      IsTruncated: truncated,
      Upload: page.map(({ key, uploadId, initiated }) => ({
        Key: key,
        UploadId: uploadId,
        Initiated: initiated,
        StorageClass: 'STANDARD',
      })),
    }),
  }
}

function pageOf<T>(all: readonly T[], asked: string | null) {
  const limit = limitOf(asked)
  return { page: all.slice(0, limit), truncated: all.length > limit }
}

function limitOf(asked: string | null): number {
  const limit = asked === null ? 1000 : Number(asked)
  if (Number.isInteger(limit) && limit >= 0) return Math.min(limit, 1000)
  throw new S3Error('InvalidArgument')
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function encoded(key: string): string {
  return Buffer.from(key).toString('base64url')
}

function decoded(token: string): string {
  return Buffer.from(token, 'base64url').toString()
}
