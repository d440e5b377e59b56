import { createHash, randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'

/**
 * What an API key looks like: `ck_live_<prefix>_<secret><checksum>`. The prefix (12 characters)
 * is public and finds the row, the secret has 190 random bits, and the checksum (6 characters)
 * lets anybody tell a key from text that looks like one, without asking us: a CRC-32, in base 62,
 * of all that stands before it.
 */

export type KeyMode = 'live' | 'test'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const prefixLength = 12
const secretLength = 32
const checksumLength = 6

const form = new RegExp(
  `^(ck_(?:live|test)_([${alphabet}]{${prefixLength}})_[${alphabet}]{${secretLength}})([${alphabet}]{${checksumLength}})$`,
)

export interface NewToken {
  readonly token: string
  readonly prefix: string
  readonly hash: string
}

/** A new key; only its hash is to be kept. */
export function makeToken(mode: KeyMode): NewToken {
  const prefix = randomText(prefixLength)
  const body = `ck_${mode}_${prefix}_${randomText(secretLength)}`
  const token = body + checksumOf(body)
  return { token, prefix, hash: hashOf(token).toString('hex') }
}

/** Whether `text` means to be one of our keys, right or wrong. */
export function looksLikeKey(text: string): boolean {
  return /^ck_(live|test)_/.test(text)
}

/** The public prefix of a key, or null if the text is none: mistyped, or cut off. */
export function prefixOf(token: string): string | null {
  const [, body, prefix, checksum] = form.exec(token) ?? []
  if (!body || !prefix || checksumOf(body) !== checksum) return null
  return prefix
}

export function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function checksumOf(body: string): string {
  let rest = crc32(body)
  let text = ''
  while (text.length < checksumLength) {
    text = alphabet.charAt(rest % alphabet.length) + text
    rest = Math.floor(rest / alphabet.length)
  }
  return text
}

function randomText(length: number): string {
  const character = () => alphabet.charAt(randomInt(alphabet.length))
  return Array.from({ length }, character).join('')
}
