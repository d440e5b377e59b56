import type { Body } from './s3-body.ts'
import type { Call, Operation } from './s3-call.ts'
import type { MultipartUpload, Objects, Piece, StoredObject } from './s3-objects.ts'
import { described, keptHeaders, read } from './s3-read.ts'
import {
  type Answer,
  about,
  failure,
  notTruncated,
  tag,
  uploadId,
  xml,
} from './s3-xml.ts'

type Handler = (objects: Objects, call: Call, body: Body) => Answer

/** Smallest part that may be followed by another. */
const leastPartBytes = 5 * 2 ** 20

/** Does what `call` asks. */
export function answerTo(objects: Objects, call: Call, body: Body): Answer {
  const handler = handlers[call.operation]
  return handler ? handler(objects, call, body) : failure(501, 'NotImplemented')
}

const handlers: Partial<Record<Operation, Handler>> = {
  PutObject({ objects, piece }, { key, headers }, body) {
    const put = piece(body)
    const { bytes } = body
    objects.set(key, { ...whole([put], keptHeaders(headers)), etag: put.etag, bytes })
    return { status: 200, headers: { etag: put.etag } }
  },

  CreateMultipartUpload(objects, { key, headers }) {
    const { id } = objects.begin(key, keptHeaders(headers))
    return xml('InitiateMultipartUploadResult', `<Key>${key}</Key>${uploadId(id)}`)
  },

  UploadPart({ uploads, piece }, { query }, body) {
    const upload = uploads.get(query.get('uploadId') ?? '')
    if (!upload) return failure(404, 'NoSuchUpload')
    const part = piece(body)
    upload.parts.set(Number(query.get('partNumber')), part)
    return { status: 200, headers: { etag: part.etag } }
  },

  CompleteMultipartUpload({ objects, uploads }, { query }, body) {
    const upload = uploads.get(query.get('uploadId') ?? '')
    if (!upload) return failure(404, 'NoSuchUpload')
    const parts = named(upload, `${body.bytes}`)
    if (parts.length === 0 || parts.includes(null)) return failure(400, 'InvalidPart')
    const pieces = parts.filter((part) => part !== null)
    const small = pieces.slice(0, -1).some(({ size }) => size < leastPartBytes)
    if (small) return failure(400, 'EntityTooSmall')
    const object = whole(pieces, upload.headers)
    objects.set(upload.key, object)
    uploads.delete(upload.id)
    const { key } = upload
    return xml(
      'CompleteMultipartUploadResult',
      `<Location>http://127.0.0.1/${key}</Location><Key>${key}</Key>${tag(object)}`,
    )
  },

  AbortMultipartUpload({ uploads }, { query }) {
    const found = uploads.delete(query.get('uploadId') ?? '')
    return found ? { status: 204 } : failure(404, 'NoSuchUpload')
  },

  ListParts({ uploads }, { query }) {
    const upload = uploads.get(query.get('uploadId') ?? '')
    if (!upload) return failure(404, 'NoSuchUpload')
    const parts = [...upload.parts]
      .toSorted(([a], [b]) => a - b)
      .map(
        ([number, part]) =>
          `<Part><PartNumber>${number}</PartNumber>${about(part)}</Part>`,
      )
    const key = `<Key>${upload.key}</Key>${uploadId(upload.id)}`
    return xml('ListPartsResult', key + notTruncated + parts.join(''))
  },

  ListMultipartUploads({ uploads }) {
    const found = [...uploads.values()].map(
      ({ id, key }) => `<Upload><Key>${key}</Key>${uploadId(id)}</Upload>`,
    )
    return xml('ListMultipartUploadsResult', notTruncated + found.join(''))
  },

  ListObjectsV2({ objects }, { query }) {
    const prefix = query.get('prefix') ?? ''
    const found = [...objects]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, object]) => `<Contents><Key>${key}</Key>${about(object)}</Contents>`)
    return xml('ListBucketResult', notTruncated + found.join(''))
  },

  HeadBucket: () => ({ status: 200 }),

  HeadObject({ objects }, { key }) {
    const object = objects.get(key)
    if (!object) return { status: 404 }
    return {
      status: 200,
      headers: { ...described(object), 'content-length': object.size },
    }
  },

  GetObject({ objects }, { key, headers }) {
    const object = objects.get(key)
    return object ? read(object, headers.range) : failure(404, 'NoSuchKey')
  },

  DeleteObject({ objects }, { key }) {
    objects.delete(key)
    return { status: 204 }
  },

  DeleteObjects({ objects }, _call, body) {
    for (const [, key = ''] of `${body.bytes}`.matchAll(/<Key>(.*?)<\/Key>/g)) {
      objects.delete(key)
    }
    return xml('DeleteResult', '')
  },
}

function whole(parts: readonly Piece[], headers: Record<string, string>): StoredObject {
  const last = parts.at(-1)?.etag.slice(1, -1) ?? ''
  return {
    size: parts.reduce((sum, part) => sum + part.size, 0),
    etag: `"${last}-${parts.length}"`,
    headers,
    lastModified: new Date(),
    parts,
    bytes: null,
  }
}

/** The parts a completion names; null for one that was not sent, or sent anew meanwhile. */
function named({ parts }: MultipartUpload, text: string): (Piece | null)[] {
  return [...text.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => {
    const sent = parts.get(Number(/<PartNumber>(\d+)</.exec(part)?.[1]))
    const etag = /<ETag>(.*?)</.exec(part)?.[1]?.replaceAll('&quot;', '"')
    return sent?.etag === etag ? (sent ?? null) : null
  })
}
