import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'

/** What can be uploaded from a program: anything that yields bytes. */
export type UploadBody =
  | Readable
  | ReadableStream<Uint8Array>
  | Blob
  | Uint8Array
  | string

/**
 * The bytes of a body as the stream a store reads. It may fail at any time, also before
 * anybody reads it, without ending the process; who reads it looks at `errored`.
 */
export function toBytes(body: UploadBody): Readable {
  const stream = toReadable(body)
  for (const one of [body, stream]) if (one instanceof Readable) one.on('error', () => {})
  return stream
}

/** How many bytes a body has, where that is known without reading it. */
export function sizeOf(body: UploadBody): number | undefined {
  if (typeof body === 'string') return Buffer.byteLength(body)
  if (body instanceof Uint8Array) return body.byteLength
  return body instanceof Blob ? body.size : undefined
}

function toReadable(body: UploadBody): Readable {
  if (body instanceof Readable) return isBinary(body) ? body : Readable.from(parts(body))
  if (typeof body === 'string') return Readable.from([Buffer.from(body)])
  if (body instanceof Uint8Array) return Readable.from([Buffer.from(body)])
  const stream = body instanceof Blob ? body.stream() : body
  // The DOM's and Node's types for the same stream class do not know each other.
  return Readable.fromWeb(stream as unknown as NodeReadableStream)
}

function isBinary({ readableObjectMode, readableEncoding }: Readable): boolean {
  return !readableObjectMode && readableEncoding === null
}

/** A stream of objects, or one with an encoding, may yield text: a store only takes bytes. */
async function* parts(body: Readable): AsyncGenerator<Buffer> {
  for await (const part of body) {
    if (typeof part === 'string') yield Buffer.from(part, body.readableEncoding ?? 'utf8')
    else if (Buffer.isBuffer(part)) yield part
    else if (part instanceof Uint8Array) yield Buffer.from(part)
    else throw new TypeError(`A body yields bytes or text, not ${typeof part}.`)
  }
}
