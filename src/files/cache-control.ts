export interface Cacheability {
  isPublic: boolean
  /** When the signature that gave access ends; null if there was none. */
  expiresAt: Date | null
  /** Milliseconds. Default 1 hour. */
  maxAge?: number
}

/**
 * Who may keep a file and for how long without asking again.
 *
 * - Public: anyone, for an hour. Not `immutable` and not for a year, although the bytes of
 *   an id never change: the file can be removed or made private, and that must reach caches
 *   in a time one can wait for. Afterwards a 304 costs no read of the store.
 * - Signed: the browser, for an hour but never longer than the signature holds.
 * - By credential: the browser, but it asks each time, so that who has logged out sees nothing.
 */
export function cacheControl({
  isPublic,
  expiresAt,
  maxAge = 3_600_000,
}: Cacheability): string {
  if (isPublic) return `public, max-age=${Math.floor(maxAge / 1000)}`
  if (expiresAt === null) return 'private, no-cache'
  const left = Math.max(0, expiresAt.getTime() - Date.now())
  return `private, max-age=${Math.floor(Math.min(maxAge, left) / 1000)}`
}
