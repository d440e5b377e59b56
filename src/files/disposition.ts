/** Whether a browser should show a file or save it. */
export type Disposition = 'inline' | 'attachment'

/**
 * A `Content-Disposition` value, RFC 6266 and RFC 8187: always printable ASCII, whatever the
 * name contains. Names that are not plain ASCII are sent twice: as `filename` with
 * substitutes, and exactly as `filename*`, which every current client prefers.
 *
 * @example
 * contentDisposition('attachment', 'naïve "plan".pdf')
 * // attachment; filename="naive _plan_.pdf"; filename*=UTF-8''na%C3%AFve%20%22plan%22.pdf
 */
export function contentDisposition(type: Disposition, filename: string | null): string {
  const name = safeFilename(filename ?? '')
  if (name === '') return type
  const ascii = toAscii(name)
  if (ascii === name) return `${type}; filename="${ascii}"`
  return `${type}; filename="${ascii}"; filename*=UTF-8''${encodeExtended(name)}`
}

/** Longest file name, in bytes of UTF-8: what common file systems allow. */
const maxBytes = 255

/**
 * A name a client may create a file with: one path segment, no control characters, nothing
 * that makes it read differently than it is, at most 255 bytes with its extension kept.
 */
export function safeFilename(name: string): string {
  const cleaned = name
    .replace(/\p{Surrogate}/gu, '\uFFFD')
    // Marks that turn the direction of text: `gpj.exe` shown backwards reads `exe.jpg`.
    .replace(/[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/g, '')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}/\\]/gu, '_')
    .trim()
  // Nothing but dots would name a directory.
  if (/^\.+$/.test(cleaned)) return '_'
  return truncate(cleaned)
}

function truncate(name: string): string {
  if (Buffer.byteLength(name) <= maxBytes) return name
  // What follows the last dot counts as an extension if it is as short as one.
  const extension = /\.[^.\s]{1,16}$/u.exec(name)?.[0] ?? ''
  const stem = name.slice(0, name.length - extension.length)
  const room = maxBytes - Buffer.byteLength(extension)
  return takeBytes(stem, room).trimEnd() + extension
}

/** The longest prefix of whole characters that fits into `room` bytes of UTF-8. */
function takeBytes(text: string, room: number): string {
  let end = 0
  for (const character of text) {
    room -= Buffer.byteLength(character)
    if (room < 0) break
    end += character.length
  }
  return text.slice(0, end)
}

/**
 * Accents are dropped, what is left outside of ASCII becomes `_`. So do quote and backslash,
 * which clients unescape differently, and `%`, which some decode (RFC 6266 appendix D).
 */
function toAscii(name: string): string {
  return name
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .replace(/[^\x20-\x7E]|["\\%]/gu, '_')
}

/** Percent-encodes all but the `attr-char` of RFC 8187 §3.2.1. */
function encodeExtended(name: string): string {
  return encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
