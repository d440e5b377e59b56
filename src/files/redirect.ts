import type { Store, UrlGrant } from '../../stores/store.ts'
import type { Reply } from '../shared/reply.ts'
import { isHarmlessElsewhere } from './presentation.ts'
import type { FileRecord } from './record.ts'

export interface Elsewhere {
  file: FileRecord
  store: Store
  /** Of the request. */
  headers: Headers
  /** What this server would answer with. */
  answer: Readonly<Record<string, string>>
  /** When the signature that gave access ends; null if there was none. */
  expiresAt: Date | null
  /** Told why there is no URL although the store makes them. */
  onFailure?(error: unknown): void
}

/** A reader without a signature gets a URL of the store for so long. */
const unsignedMs = 5 * 60_000
/** No service signs for longer. */
const longestMs = 7 * 24 * 3_600_000
/** A browser goes by an old redirect for at most this, and never beyond half of its life. */
const rememberedMs = 3_600_000

/**
 * Sends a reader to the store: 302 to a URL that lives no longer than the right to read, and
 * answers with the type, disposition and caching this server would. Null if this server must
 * answer itself:
 *
 * - the store signs no URLs, or fails to;
 * - what it would send needs `nosniff` or a policy, which only this server sets (SEC-18, SEC-19);
 * - the request has a condition, which the reader repeats: the store knows other validators;
 * - it asks for several ranges, or for one to be ignored: stores differ in what they do then.
 */
export async function redirect(elsewhere: Elsewhere): Promise<Reply | null> {
  const { file, store, headers, expiresAt } = elsewhere
  if (!store.signedUrl || !isHarmlessElsewhere(file) || !isPlain(headers)) return null
  const left = expiresAt ? expiresAt.getTime() - Date.now() : unsignedMs
  const expiresIn = Math.floor(Math.min(left, longestMs) / 1000) * 1000
  if (expiresIn <= 0) return null
  try {
    const location = await store.signedUrl(file.key, grantOf(elsewhere, expiresIn))
    return { status: 302, headers: headersOf(elsewhere, location, expiresIn), body: null }
  } catch (error) {
    elsewhere.onFailure?.(error)
    return null
  }
}

/** What every store understands as this server does. */
function isPlain(headers: Headers): boolean {
  if (conditions.some((name) => headers.has(name))) return false
  const range = headers.get('range')
  return range === null || /^bytes=(?:\d+-\d*|-\d+)$/.test(range)
}

/** `If-None-Match` is not here: it did not hold, and holds nowhere else. */
const conditions = ['if-match', 'if-modified-since', 'if-unmodified-since', 'if-range']

function grantOf({ answer }: Elsewhere, expiresIn: number): UrlGrant {
  return {
    expiresIn,
    contentType: answer['Content-Type'] ?? '',
    contentDisposition: answer['Content-Disposition'] ?? '',
    cacheControl: answer['Cache-Control'] ?? '',
  }
}

function headersOf(
  { file, answer, expiresAt }: Elsewhere,
  location: string,
  expiresIn: number,
): Record<string, string> {
  const byCredential = file.acl !== 'public-read' && expiresAt === null
  const maxAge = Math.floor(Math.min(expiresIn / 2, rememberedMs) / 1000)
  return {
    Location: location,
    // The URL is a key: no shared cache may hand it out, and who logged out asks again.
    'Cache-Control': byCredential ? 'private, no-cache' : `private, max-age=${maxAge}`,
    'Cross-Origin-Resource-Policy': answer['Cross-Origin-Resource-Policy'] ?? 'same-site',
    // Nor may the address of this file, which may carry a signature, go to the store.
    'Referrer-Policy': 'no-referrer',
  }
}
