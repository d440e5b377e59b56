import { contentDisposition, type Disposition } from './disposition.ts'
import type { FileRecord } from './record.ts'

/** Headers that say what a browser may do with a file. */
export interface Presentation {
  'Content-Type': string
  'Content-Disposition': string
  'X-Content-Type-Options': 'nosniff'
  'Content-Security-Policy'?: string
}

/**
 * How a file of unknown honesty is shown without harm to the origin that serves it (SEC-18,
 * SEC-19). `disposition` is a wish: only types that cannot run anything are shown `inline`.
 *
 * An allow-list, because the list of types that do run something has no end: every `+xml`,
 * `multipart/x-mixed-replace`, `message/rfc822`, `text/xsl`, … Those are always downloaded.
 */
export function present(file: FileRecord, disposition: Disposition): Presentation {
  const type = servedType(file.contentType)
  const essence = type.split(';', 1)[0] ?? ''
  const wish = isInert(essence) ? disposition : 'attachment'
  return {
    'Content-Type': type,
    'Content-Disposition': contentDisposition(wish, file.filename),
    'X-Content-Type-Options': 'nosniff',
    ...(!needsViewer(essence) && { 'Content-Security-Policy': sandbox }),
  }
}

/**
 * Whether a file is harmless also where somebody else sends it, with its type and disposition
 * but neither `nosniff` nor a policy: types that browsers run nothing of, or only ever save.
 */
export function isHarmlessElsewhere(file: FileRecord): boolean {
  const type = servedType(file.contentType)
  const essence = type.split(';', 1)[0] ?? ''
  // A script that is called plain text runs where nobody forbids to look closer.
  if (isScript(file.contentType?.trim() ?? '')) return false
  return isInert(essence) || savedTypes.test(essence)
}

/** Archives, documents of offices, and bytes of which nothing is known. */
const savedTypes =
  /^application\/(?:octet-stream|zip|gzip|x-(?:7z-compressed|bzip2?|gzip|rar-compressed|tar|xz)|vnd\.rar|zstd|msword|epub\+zip|vnd\.(?:ms-(?:excel|powerpoint)|(?:openxmlformats-officedocument|oasis\.opendocument)\.[\w.-]+))$/

/** What a document may do that a browser shows in spite of everything: have its own style. */
const sandbox = "sandbox; default-src 'none'; style-src 'unsafe-inline'"

/** `type/subtype` and parameters of RFC 9110 §8.3.1, in printable ASCII. */
const mediaType =
  /^([\w!#$&^.+-]+\/[\w!#$&^.+-]+)((?:[ \t]*;[ \t]*[\w!#$&^.+-]+=(?:[\w!#$&^.+-]+|"[ !#-[\]-~]*"))*)$/

/**
 * The recorded type if it is one, in lower case; otherwise `application/octet-stream`.
 *
 * Text without a charset gets UTF-8: nearly all of it is, and a browser left to guess shows
 * anything else than it is. JavaScript is served as plain text: `<script src>` and service
 * workers ignore `attachment`, and would make an upload code of the origin that serves it.
 */
function servedType(recorded: string | null): string {
  const match =
    recorded && recorded.length <= 255 ? mediaType.exec(recorded.trim()) : null
  const [, essence = 'application/octet-stream', parameters = ''] = match ?? []
  const type = isScript(essence) ? 'text/plain' : essence.toLowerCase()
  const charset = type.startsWith('text/') && !/;[ \t]*charset=/i.test(parameters)
  return `${type}${parameters}${charset ? '; charset=utf-8' : ''}`
}

/** The JavaScript types of the MIME Sniffing standard, and what resembles them. */
function isScript(type: string): boolean {
  return /^(?:text|application)\/(?:x-)?(?:javascript|ecmascript|jscript|livescript)/i.test(
    type,
  )
}

/** Types no browser executes. A type that ends in `+xml` is XML, whatever stands before. */
function isInert(type: string): boolean {
  if (type.endsWith('+xml') || type === 'image/svg') return false
  if (/^(?:image|audio|video|font)\//.test(type)) return true
  return inertTypes.has(type)
}

const inertTypes = new Set([
  'text/plain',
  'text/csv',
  'text/markdown',
  'application/json',
  'application/pdf',
])

/**
 * Types whose built-in viewer breaks in a sandbox. Chromium's PDF viewer refuses to start,
 * media documents load their own URL a second time and without cookies. A PDF's scripts run
 * in the viewer, which is isolated from the origin of the file.
 */
function needsViewer(type: string): boolean {
  if (!isInert(type)) return false
  return /^(?:audio|video)\//.test(type) || /^application\/(?:pdf|json)$/.test(type)
}
