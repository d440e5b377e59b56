import { CarcosaClientError } from './errors.ts'
import { unreadable } from './guard.ts'

/**
 * A file that is read piece by piece wherever it lies; `fromPath` of `carcosa/client/node`
 * makes one from a path. Not for browsers, which send Blobs only.
 */
export interface UploadSource {
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** MIME type; empty or absent where unknown. */
  readonly type?: string
  /** Milliseconds since 1970. */
  readonly lastModified?: number
  /**
   * The bytes from `start` up to and not including `end`, as often as asked and from any
   * position. Throws if the file is no longer the one that was described.
   */
  stream(start: number, end: number): AsyncIterable<Uint8Array>
}

/** What can be uploaded. A Blob without a name is called "blob", as in FormData. */
export type Uploadable = File | Blob | UploadSource

/** What is said about a file before its bytes are sent. */
export interface FileDescription {
  readonly name: string
  readonly size: number
  readonly type: string
  readonly lastModified?: number
}

/** The name, size, type and time of `file`. */
export function describeFile(file: Uploadable): FileDescription {
  const named = file as Partial<Pick<File, 'name' | 'lastModified'>>
  return {
    name: named.name ?? 'blob',
    size: file.size,
    type: file.type ?? '',
    ...(named.lastModified !== undefined && { lastModified: named.lastModified }),
  }
}

/** A source as tus-js-client 4.3.1 wants it: slices that its HttpStack can send. */
export interface TusSource {
  readonly size: number
  slice(start: number, end: number): Promise<{ value: unknown; done: boolean }>
  close(): void
}

/**
 * Opens `file` for the HttpStack of this environment: XMLHttpRequest sends Blobs as they
 * are, Node's needs a stream that knows its `size`. tus-js-client's own reader for Node takes
 * neither File nor Blob.
 */
export function openSource(file: Uploadable): TusSource {
  const read = typeof XMLHttpRequest === 'undefined' ? readAsStream : readAsBlob
  return {
    size: file.size,
    async slice(start, end) {
      const stop = Math.min(end, file.size)
      return { value: read(file, start, stop), done: stop >= file.size }
    },
    close() {},
  }
}

/**
 * Throws FILE_UNREADABLE if the byte at `offset` cannot be read. XMLHttpRequest reports a
 * changed file as a network error, which would be retried in vain.
 */
export async function assertReadable(file: Uploadable, offset: number): Promise<void> {
  if (!isBlob(file) || offset >= file.size) return
  try {
    await file.slice(offset, offset + 1).arrayBuffer()
  } catch (cause) {
    throw unreadable(cause)
  }
}

function readAsBlob(file: Uploadable, start: number, end: number): Blob {
  if (isBlob(file)) return file.slice(start, end)
  throw new CarcosaClientError('CLIENT_FAILED', {
    message: `A browser can upload a File or a Blob, and "${file.name}" is neither.`,
  })
}

function readAsStream(file: Uploadable, start: number, end: number): unknown {
  // Not an import, so that no bundler tries to put Node's streams into a browser bundle.
  const { Readable } = process.getBuiltinModule('node:stream')
  const bytes = isBlob(file) ? blobBytes(file, start, end) : file.stream(start, end)
  const stream = Readable.from(bytes, { objectMode: false, highWaterMark: 256 * 1024 })
  return Object.assign(stream, { size: end - start })
}

async function* blobBytes(blob: Blob, start: number, end: number) {
  yield* blob.slice(start, end).stream()
}

function isBlob(file: Uploadable): file is Blob {
  return file instanceof Blob
}
