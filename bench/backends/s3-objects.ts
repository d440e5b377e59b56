import type { Body } from './s3-body.ts'

/** What was put, or sent as one part. */
export type Piece = Pick<Body, 'size' | 'crc'> & { etag: string }

/** A finished object. */
export interface StoredObject {
  size: number
  etag: string
  /** The headers it is read with: type, disposition, metadata. */
  headers: Record<string, string>
  lastModified: Date
  /** What it was made of, in order. */
  parts: readonly Piece[]
  /** Its bytes, where they were kept; otherwise it is read as the content of the benchmarks. */
  bytes: Buffer | null
}

/** A multipart upload under way. */
export interface MultipartUpload {
  id: string
  key: string
  headers: Record<string, string>
  parts: Map<number, Piece>
}

/** What the benchmarks are told of an object. */
export interface Found {
  size: number
  parts: readonly Pick<Piece, 'size' | 'crc'>[]
}

/** All the backend knows; buckets are not told apart. */
export function createObjects() {
  const objects = new Map<string, StoredObject>()
  const uploads = new Map<string, MultipartUpload>()
  let made = 0
  return {
    objects,
    uploads,
    /** A piece with a tag of its own. */
    piece({ size, crc }: Body): Piece {
      const tag = [crc, size, ++made].map((part) => part.toString(16).padStart(8, '0'))
      return { size, crc, etag: `"${tag.join('').padEnd(32, '0')}"` }
    },
    begin(key: string, headers: Record<string, string>): MultipartUpload {
      const upload = { id: `upload-${++made}`, key, headers, parts: new Map() }
      uploads.set(upload.id, upload)
      return upload
    },
    /** The object in whose key `name` is a whole segment; keys may have a prefix. */
    find(name: string): Found | null {
      const exact = objects.get(name)
      if (exact) return exact
      for (const [key, object] of objects) {
        if (key.split('/').includes(name)) return object
      }
      return null
    },
  }
}

export type Objects = ReturnType<typeof createObjects>
