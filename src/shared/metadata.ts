import { CarcosaError } from './errors.ts'

/**
 * What a client may send in `Upload-Metadata`. Node gives up at 16 KiB for all headers
 * together, so half of it leaves room for cookies and tokens (SEC-15).
 */
export const metadataLimits = Object.freeze({
  /** Characters of the whole header. */
  headerLength: 8192,
  /** Pairs in one header. */
  keys: 100,
  /** Characters of one key. */
  keyLength: 255,
})

/**
 * Decoded `Upload-Metadata`, in the order it came. `null` is a key without a value, the
 * empty string a key with an empty one. A Map, so that no key can reach a prototype
 * (SEC-16): `__proto__` and `constructor` are keys like any other.
 */
export type UploadMetadata = ReadonlyMap<string, string | null>

const keyPattern = /^[\x21-\x2b\x2d-\x7e]+$/
const asciiPattern = /^[\x20-\x7e]*$/
const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/**
 * Reads an `Upload-Metadata` header by the letter of tus 1.0.0: pairs separated by a comma,
 * key and base64 value by one space, keys unique, not empty, printable ASCII without space
 * and comma. An empty header has no pairs.
 *
 * Values are decoded as UTF-8; bytes that are not UTF-8 become U+FFFD. Whoever has to
 * answer with the same bytes (CR7) keeps the header itself.
 *
 * @throws CarcosaError METADATA_INVALID that says which pair and why.
 */
export function parseMetadata(header: string): UploadMetadata {
  if (header.length > metadataLimits.headerLength) throw tooLong(header.length)
  const metadata = new Map<string, string | null>()
  if (header === '') return metadata
  const pairs = header.split(',')
  if (pairs.length > metadataLimits.keys) throw tooMany(pairs.length)
  for (const [index, pair] of pairs.entries()) {
    const space = pair.indexOf(' ')
    const key = space < 0 ? pair : pair.slice(0, space)
    checkKey(key, index)
    if (metadata.has(key)) throw invalid(`the key "${key}" appears twice`, { key })
    metadata.set(key, space < 0 ? null : decode(pair.slice(space + 1), key))
  }
  return metadata
}

/**
 * Writes an `Upload-Metadata` header; the inverse of `parseMetadata`.
 *
 * @throws CarcosaError METADATA_INVALID for what `parseMetadata` would refuse.
 */
export function stringifyMetadata(
  metadata: UploadMetadata | Readonly<Record<string, string | null>>,
): string {
  const entries = metadata instanceof Map ? [...metadata] : Object.entries(metadata)
  if (entries.length > metadataLimits.keys) throw tooMany(entries.length)
  const pairs = entries.map(([key, value], index) => {
    checkKey(key, index)
    return value === null ? key : `${key} ${encode(value)}`
  })
  const header = pairs.join(',')
  if (header.length > metadataLimits.headerLength) throw tooLong(header.length)
  return header
}

function checkKey(key: string, index: number): void {
  if (key === '') {
    throw invalid(
      `pair ${index + 1} has no key (put no space after a comma and no comma at the end)`,
      { index },
    )
  }
  if (key.length > metadataLimits.keyLength) {
    throw invalid(
      `the key of pair ${index + 1} is longer than ${metadataLimits.keyLength}`,
      {
        index,
        keyLength: key.length,
      },
    )
  }
  if (!keyPattern.test(key)) {
    throw invalid(
      `the key of pair ${index + 1} has a character other than printable ASCII without space and comma`,
      { index },
    )
  }
}

function decode(value: string, key: string): string {
  if (!base64Pattern.test(value)) {
    throw invalid(
      `the value of "${key}" is not base64 with padding after exactly one space`,
      { key },
    )
  }
  const binary = atob(value)
  // Nearly all are ASCII, of which each byte is its character.
  if (asciiPattern.test(binary)) return binary
  const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0))
  return new TextDecoder().decode(bytes)
}

function encode(value: string): string {
  const bytes = new TextEncoder().encode(value)
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}

function tooLong(length: number): CarcosaError {
  const { headerLength } = metadataLimits
  return invalid(`it has ${length} characters and at most ${headerLength} are allowed`, {
    length,
    allowed: headerLength,
  })
}

function tooMany(count: number): CarcosaError {
  const { keys } = metadataLimits
  return invalid(`it has ${count} keys and at most ${keys} are allowed`, {
    keys: count,
    allowed: keys,
  })
}

function invalid(why: string, details: Record<string, unknown>): CarcosaError {
  const message = `Upload-Metadata is malformed: ${why}.`
  return new CarcosaError('METADATA_INVALID', { message, details })
}
