import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { ByteRange } from '../../stores/store.ts'
import { CarcosaError } from '../shared/errors.ts'
import type { Reply } from '../shared/reply.ts'
import { openSections, type Section } from './body.ts'
import { cacheControl } from './cache-control.ts'
import { evaluatePreconditions, rangeApplies, type Validators } from './conditional.ts'
import type { Disposition } from './disposition.ts'
import { type Origin, type Origins, ownOrigin, readAny } from './origin.ts'
import { present } from './presentation.ts'
import { contentRange, parseRange } from './range.ts'
import type { FileRecord } from './record.ts'
import { redirect } from './redirect.ts'

/** The file is finished, and the caller may read it: that is checked before. */
export interface ServeOptions extends Origins {
  method: string
  /** Of the request; only `Range` and the conditional headers are read. */
  headers: Headers
  /** Wished for instead of the file's own; types that could run code stay attachments. */
  disposition?: Disposition | null
  /** When the signature that gave access ends; null or absent if there was none. */
  expiresAt?: Date | null
  /** Milliseconds a cache may answer without asking. Default 1 hour. */
  maxAge?: number
  /** Whether a GET may be sent on to a URL of the store. Default false. */
  mayRedirect?: boolean
  /** Told why a store that signs URLs did not. */
  onSignFailure?(error: unknown): void
}

/**
 * Answers a GET or HEAD for the bytes of a file: 200, 206 with one range or several, or 304
 * (RFC 9110 §13 and §14). HEAD and 304 do not touch the store. HEAD ignores `Range`, which
 * is defined for GET only (§14.2). With `mayRedirect` a GET may be 302, see redirect.ts.
 *
 * The entity tag is the file's id and not its digest: the bytes of an id never change, while
 * the digest may become known later and would change the tag of what clients already hold.
 *
 * @throws {CarcosaError} METHOD_NOT_ALLOWED, PRECONDITION_FAILED (412), RANGE_NOT_SATISFIABLE
 * (416), and STORAGE_CORRUPT if the store does not hold what the row says (SEC-36): then no
 * byte is sent. A body that turns out wrong while it is read fails with the same code.
 */
export async function serveFile(options: ServeOptions): Promise<Reply> {
  const { file, method, headers } = options
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed(method)
  const size = sizeOf(file)
  const validators: Validators = { etag: `"${file.id}"`, lastModified: file.storedAt }
  const common = commonHeaders(options, validators)

  const precondition = evaluatePreconditions(headers, validators)
  if (precondition === 'failed') throw preconditionFailed(common)
  if (precondition === 'unchanged') return { status: 304, headers: common, body: null }

  const presentation = present(file, options.disposition ?? file.contentDisposition)
  const answer = { ...common, ...presentation }
  if (method === 'HEAD') return whole(answer, size, null)

  const wanted = rangeApplies(headers, validators) ? headers.get('range') : null
  const ranges = parseRange(wanted, size)
  if (ranges === 'unsatisfiable') throw rangeNotSatisfiable(wanted, size)
  if (size === 0) {
    await requireEmpty(options)
    return whole(answer, size, null)
  }
  // A range that is ignored here is not ignored by every store.
  const isAsked = ranges !== 'whole' || !headers.has('range')
  const elsewhere = isAsked ? await sentOn(options, answer) : null
  if (elsewhere) return elsewhere
  if (ranges === 'whole') {
    const range = { start: 0, end: size - 1 }
    return whole(answer, size, await open(options, [{ prefix: '', range }]))
  }
  const [first, ...others] = ranges
  if (others.length > 0) return severalParts(options, answer, ranges)
  return {
    status: 206,
    headers: {
      ...answer,
      'Content-Range': contentRange(first, size),
      'Content-Length': String(first.end - first.start + 1),
    },
    body: await open(options, [{ prefix: '', range: first }]),
  }
}

async function sentOn(
  { file, store, headers, expiresAt = null, mayRedirect, onSignFailure }: ServeOptions,
  answer: Record<string, string>,
): Promise<Reply | null> {
  if (!mayRedirect) return null
  const onFailure = onSignFailure && { onFailure: onSignFailure }
  return redirect({ file, store, headers, answer, expiresAt, ...onFailure })
}

/** What every success carries, 304 included. */
function commonHeaders(
  { file, expiresAt = null, maxAge }: ServeOptions,
  { etag, lastModified }: Validators,
): Record<string, string> {
  const isPublic = file.acl === 'public-read'
  return {
    'Accept-Ranges': 'bytes',
    ETag: etag,
    ...(lastModified && { 'Last-Modified': lastModified.toUTCString() }),
    'Cache-Control': cacheControl({ isPublic, expiresAt, maxAge }),
    // Who holds a signature may embed the file anywhere. What a cookie or a header opens is
    // not for the pages of other sites.
    'Cross-Origin-Resource-Policy': isPublic || expiresAt ? 'cross-origin' : 'same-site',
  }
}

function whole(
  headers: Record<string, string>,
  size: number,
  body: Readable | null,
): Reply {
  return { status: 200, headers: { ...headers, 'Content-Length': String(size) }, body }
}

/** `multipart/byteranges`, RFC 9110 §14.6. */
async function severalParts(
  options: ServeOptions,
  headers: Record<string, string>,
  ranges: readonly [ByteRange, ...ByteRange[]],
): Promise<Reply> {
  const size = sizeOf(options.file)
  const boundary = randomBytes(18).toString('base64url')
  const toSection = (range: ByteRange, lead: string): Section => ({
    prefix:
      `${lead}--${boundary}\r\nContent-Type: ${headers['Content-Type']}\r\n` +
      `Content-Range: ${contentRange(range, size)}\r\n\r\n`,
    range,
  })
  const [first, ...others] = ranges
  const sections: [Section, ...Section[]] = [
    toSection(first, ''),
    ...others.map((range) => toSection(range, '\r\n')),
  ]
  const suffix = `\r\n--${boundary}--\r\n`
  const length = sections.reduce(
    (sum, { prefix, range }) => sum + prefix.length + range.end - range.start + 1,
    suffix.length,
  )
  return {
    status: 206,
    headers: {
      ...headers,
      'Content-Type': `multipart/byteranges; boundary=${boundary}`,
      'Content-Length': String(length),
    },
    body: await open(options, sections, suffix),
  }
}

function open(
  options: ServeOptions,
  sections: readonly [Section, ...Section[]],
  suffix = '',
): Promise<Readable> {
  const { file } = options
  let read = ownOrigin(options)
  return openSections({
    sections,
    suffix,
    corrupt: (found) => corrupt(file, read, found),
    open: (range) =>
      readAny(options, (origin) => {
        read = origin
        return openRange(file, origin, range)
      }),
  })
}

/** The store says the size with the first byte: a partial body cannot be taken back. */
async function openRange(
  file: FileRecord,
  origin: Origin,
  range: ByteRange,
): Promise<Readable> {
  const opened = await origin.store.open(origin.key, range)
  if (opened === null) throw corrupt(file, origin, 'no object')
  if (opened.size === file.size) return opened.stream
  opened.stream.destroy()
  throw corrupt(file, origin, `${opened.size} bytes`)
}

/** Of nothing no byte can be read, and so nothing would tell that it is gone. */
async function requireEmpty(options: ServeOptions): Promise<void> {
  const { file } = options
  await readAny(options, async (origin) => {
    const held = await origin.store.stat(origin.key)
    if (held === null) throw corrupt(file, origin, 'no object')
    if (held.size !== file.size) throw corrupt(file, origin, `${held.size} bytes`)
  })
}

function sizeOf(file: FileRecord): number {
  if (file.size === null) throw new TypeError(`file ${file.id} is not finished`)
  return file.size
}

/** The client learns that it is our fault; the log learns which object of which store. */
function corrupt(
  file: FileRecord,
  { storeName, store, key }: Origin,
  found: string,
): CarcosaError {
  return new CarcosaError('STORAGE_CORRUPT', {
    message: 'The stored bytes of this file are missing or damaged.',
    details: { fileId: file.id },
    cause: new Error(
      `store "${storeName}" (${store.kind}), key ${JSON.stringify(key)}: ` +
        `found ${found} where the row says ${file.size} bytes`,
    ),
  })
}

function methodNotAllowed(method: string): CarcosaError {
  return new CarcosaError('METHOD_NOT_ALLOWED', {
    message: `A file is read with GET or HEAD, not with ${method}.`,
    headers: { Allow: 'GET, HEAD' },
  })
}

function preconditionFailed({ ETag = '' }: Record<string, string>): CarcosaError {
  return new CarcosaError('PRECONDITION_FAILED', {
    message: 'If-Match or If-Unmodified-Since names another version of this file.',
    headers: { ETag },
  })
}

function rangeNotSatisfiable(range: string | null, size: number): CarcosaError {
  return new CarcosaError('RANGE_NOT_SATISFIABLE', {
    message: `The range lies outside the file, which has ${size} bytes.`,
    details: { range, size },
    headers: { 'Content-Range': `bytes */${size}`, 'Accept-Ranges': 'bytes' },
  })
}
