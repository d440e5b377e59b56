import { hash } from 'node:crypto'
import type { JwtClaims } from './jwt-options.ts'

/** How long a verified token is believed without verifying it again, in ms. */
const believedMs = 10_000
const maxTokens = 2_000

/** Claims of tokens that were verified a moment ago: clients send the same one again and again. */
export interface JwtCache {
  get(token: string): JwtClaims | null
  /** `tolerance` in seconds. */
  set(token: string, claims: JwtClaims, tolerance: number): void
}

export function createJwtCache(): JwtCache {
  const verified = new Map<string, { claims: JwtClaims; until: number }>()
  return {
    get(token) {
      if (verified.size === 0) return null
      const found = verified.get(digestOf(token))
      return found && found.until > Date.now() ? found.claims : null
    },
    set(token, claims, tolerance) {
      const until = Math.min(Date.now() + believedMs, (claims.exp + tolerance) * 1000)
      const digest = digestOf(token)
      verified.delete(digest)
      verified.set(digest, { claims, until })
      const [oldest] = verified.keys()
      if (verified.size > maxTokens && oldest !== undefined) verified.delete(oldest)
    },
  }
}

/** Tokens themselves are not kept. */
function digestOf(token: string): string {
  return hash('sha256', token, 'base64')
}
