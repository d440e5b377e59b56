import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { parseDuration } from '../shared/durations.ts'
import { CarcosaError } from '../shared/errors.ts'
import type { Disposition } from './disposition.ts'

export interface SignerOptions {
  /** At least 32 characters each. The first signs, all verify: put a new one in front. */
  secrets: readonly string[]
  /** Longest lifetime that may be asked for: milliseconds or text. Default 7 days. */
  maxAge?: number | string
  /** The clock, in milliseconds since 1970. Default `Date.now`. */
  now?: () => number
}

export interface SignRequest {
  fileId: string
  /** How long the URL must work, at least: milliseconds or text such as `'1h'`. */
  expiresIn: number | string
  /** Sends the file with this disposition instead of its own. Default: its own. */
  disposition?: Disposition | null
  /** Default `GET`, which allows HEAD too. `HEAD` allows nothing else. */
  method?: 'GET' | 'HEAD'
}

export interface SignedRequest {
  method: string
  fileId: string
  /** The query exactly as it came (`url.search`), with or without the question mark. */
  query: string | URLSearchParams
}

/** What a valid signature grants. Read these, never the query, when acting on it. */
export interface Grant {
  expiresAt: Date
  disposition: Disposition | null
}

export interface Signer {
  /**
   * A query string that grants reading one file. No network, no state: the same request
   * gives the same string for a while, so that a page rendered again hits the browser cache.
   * For that the end is rounded up to a multiple of a quarter of the lifetime: the URL works
   * for at least `expiresIn` and at most a quarter longer (and up to a second).
   *
   * @throws {TypeError} if `expiresIn` is no duration, below a second, or above `maxAge`
   */
  sign(request: SignRequest): string
  /**
   * Checks the query of a request and returns what it grants.
   *
   * @throws {CarcosaError} SIGNATURE_INVALID, the same for every reason; only `cause` tells
   */
  verify(request: SignedRequest): Grant
}

/**
 * Signs and verifies URLs of files with HMAC-SHA256.
 *
 * A signature covers method, file, end, disposition and key. A query is valid if it is,
 * character for character, one that `sign` could have produced: a parameter more or less,
 * twice, in another order or encoding is refused. So nothing that is not signed can ever
 * mean something, and a URL has no variants that would each be cached. The price is that
 * links decorated by others (`utm_source`, `fbclid`) stop working, as with S3 and GCS.
 *
 * @throws {CarcosaError} CONFIG_INVALID if there is no secret or one is too short
 */
export function createSigner(options: SignerOptions): Signer {
  const [current, ...previous] = options.secrets.map(deriveKey)
  if (!current) throw secretMissing()
  const keys = new Map([current, ...previous].map((key) => [key.id, key]))
  const maxAge = parseDuration(options.maxAge ?? '7 days')
  const now = options.now ?? Date.now

  return Object.freeze({
    sign({ fileId, expiresIn, disposition = null, method = 'GET' }: SignRequest) {
      const lifetime = parseLifetime(expiresIn, maxAge)
      const expires = String(roundedEnd(now(), lifetime))
      return toQuery(current, { method, fileId, expires, disposition: disposition ?? '' })
    },

    verify({ method, fileId, query }: SignedRequest) {
      const given = String(query).replace(/^\?/, '')
      const { key, expires, disposition } = readQuery(given, keys)
      const methods = method === 'HEAD' ? ['GET', 'HEAD'] : [method]
      const valid = methods.some((signed) =>
        equals(given, toQuery(key, { method: signed, fileId, expires, disposition })),
      )
      if (!valid) throw invalid('the signature does not fit, or the query was changed')
      const expiresAt = new Date(Number(expires) * 1000)
      if (now() >= expiresAt.getTime()) throw invalid('expired')
      return { expiresAt, disposition: disposition === '' ? null : disposition }
    },
  })
}

interface Key {
  id: string
  secret: Buffer
}

interface Claims {
  method: string
  fileId: string
  /** Seconds since 1970, decimal. */
  expires: string
  disposition: Disposition | ''
}

/** A key for this purpose only: a leak of one never forges tickets or cursors. */
function deriveKey(secret: string): Key {
  if (typeof secret !== 'string' || secret.length < 32) throw secretMissing()
  const derive = (purpose: string, length: number) =>
    Buffer.from(hkdfSync('sha256', secret, '', `carcosa file url ${purpose}`, length))
  return { id: derive('key id', 6).toString('base64url'), secret: derive('key', 32) }
}

/** Parameters stand in alphabetical order, so that proxies that sort change nothing. */
function toQuery(key: Key, claims: Claims): string {
  const { disposition, expires } = claims
  const prefix = disposition === '' ? '' : `disposition=${disposition}&`
  return `${prefix}expires=${expires}&key=${key.id}&signature=${signature(key, claims)}`
}

/** What a query claims; nothing of it is true before the signature was compared. */
function readQuery(query: string, keys: ReadonlyMap<string, Key>) {
  const parameters = new URLSearchParams(query)
  const expires = parameters.get('expires') ?? ''
  const disposition = parameters.get('disposition') ?? ''
  const key = keys.get(parameters.get('key') ?? '')
  if (!parameters.has('signature')) throw invalid('no signature')
  if (!key) throw invalid('signed with an unknown key')
  if (!/^\d{1,12}$/.test(expires)) throw invalid('malformed end')
  if (!isDisposition(disposition)) throw invalid('malformed disposition')
  return { key, expires, disposition }
}

/** Each field is preceded by its length, so that no two sets of fields read the same. */
function signature(key: Key, { method, fileId, expires, disposition }: Claims): string {
  const fields = ['carcosa file url 1', method, fileId, expires, disposition, key.id]
  const canonical = fields
    .map((field) => `${Buffer.byteLength(field)}:${field},`)
    .join('')
  return createHmac('sha256', key.secret).update(canonical).digest('base64url')
}

/** Compares without telling by its duration where two strings differ. */
function equals(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** Seconds. */
function parseLifetime(expiresIn: number | string, maxAge: number): number {
  const lifetime = parseDuration(expiresIn)
  if (lifetime < 1000 || lifetime > maxAge) {
    throw new TypeError(
      `expiresIn is ${lifetime} ms; it must be between 1 second and ${maxAge} ms.`,
    )
  }
  return Math.ceil(lifetime / 1000)
}

/** Seconds since 1970: the next multiple of the window at which the lifetime is over. */
function roundedEnd(now: number, lifetime: number): number {
  const window = Math.max(1, Math.floor(lifetime / 4))
  return Math.ceil((now / 1000 + lifetime) / window) * window
}

function isDisposition(value: string): value is Disposition | '' {
  return value === '' || value === 'inline' || value === 'attachment'
}

function invalid(reason: string): CarcosaError {
  return new CarcosaError('SIGNATURE_INVALID', { cause: new Error(reason) })
}

function secretMissing(): CarcosaError {
  return new CarcosaError('CONFIG_INVALID', {
    message: 'Signing needs at least one secret, each of at least 32 characters.',
  })
}
