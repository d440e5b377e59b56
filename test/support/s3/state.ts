import type { Algorithm } from './checksums.ts'
import type { S3Faults } from './faults.ts'

export type Headers = Readonly<Record<string, string>>

/** Bytes that arrived. */
export interface Content {
  /** Empty where bodies are discarded. */
  readonly chunks: readonly Buffer[]
  readonly size: number
  readonly md5: Buffer
  readonly checksum: { readonly algorithm: Algorithm; readonly value: Buffer } | null
}

export interface S3Object {
  /** All of them; empty where bodies are discarded. */
  readonly bytes: Buffer
  readonly chunks: readonly Buffer[]
  readonly size: number
  /** Type, disposition, metadata, storage class, encryption, ACL and tags, as they were sent. */
  readonly headers: Headers
  /** With its quotes. */
  readonly etag: string
  /** Tests may put it back. */
  lastModified: Date
  /** The headers of its checksum. */
  readonly checksum: Headers
}

export interface S3Part {
  readonly number: number
  readonly size: number
  /** With its quotes. */
  readonly etag: string
  readonly lastModified: Date
  readonly content: Content
}

export interface S3Upload {
  readonly uploadId: string
  readonly key: string
  readonly headers: Headers
  readonly parts: Map<number, S3Part>
  /** How often each part was begun. */
  readonly attempts: Map<number, number>
  /** Tests may put it back. */
  initiated: Date
  readonly algorithm: Algorithm | null
  readonly checksumType: 'COMPOSITE' | 'FULL_OBJECT'
}

export interface S3State {
  readonly bucket: string
  readonly discardBodies: boolean
  readonly objects: Map<string, S3Object>
  readonly uploads: Map<string, S3Upload>
  readonly faults: S3Faults
}

/** An object of this content, from now on. */
export function newObject(
  content: Pick<Content, 'chunks' | 'size'>,
  rest: Pick<S3Object, 'headers' | 'etag' | 'checksum'>,
): S3Object {
  const { chunks, size } = content
  return {
    ...rest,
    chunks,
    size,
    lastModified: new Date(),
    get bytes() {
      return Buffer.concat(chunks)
    },
  }
}

export function etagOf(md5: Buffer, parts?: number): string {
  return `"${md5.toString('hex')}${parts === undefined ? '' : `-${parts}`}"`
}

/** An ETag as a client may write it, in quotes. */
export function quoted(etag: string): string {
  return `"${etag.replaceAll('"', '')}"`
}
