import type { LimitedOperation, RateRule } from '../shared/rate-limits.ts'

/** Where a client stands within one of its limits. */
export interface Standing extends RateRule {
  /** Points left; below 0 if more were spent than there are. */
  readonly remaining: number
  /** Milliseconds until all points are there again. */
  readonly msLeft: number
}

/**
 * The headers that tell clients of their limits; none without limits. Two ways at once:
 * `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-10, which tell of
 * every limit; and `RateLimit-Limit`, `-Remaining` and `-Reset` of its drafts up to 06, which
 * clients and proxies read today, and which have room for one: the one with the least left.
 */
export function rateHeaders(
  operation: LimitedOperation,
  standings: readonly Standing[],
): Record<string, string> {
  const [tightest] = standings.toSorted((a, b) => a.remaining - b.remaining)
  if (!tightest) return {}
  return {
    'RateLimit-Policy': standings
      .map(({ by, points, seconds }) => `"${operation}-${by}";q=${points};w=${seconds}`)
      .join(', '),
    RateLimit: standings
      .map(
        (standing) =>
          `"${operation}-${standing.by}";r=${left(standing)};t=${reset(standing)}`,
      )
      .join(', '),
    'RateLimit-Limit': String(tightest.points),
    'RateLimit-Remaining': String(left(tightest)),
    'RateLimit-Reset': String(reset(tightest)),
  }
}

function left({ remaining }: Standing): number {
  return Math.max(remaining, 0)
}

function reset({ msLeft }: Standing): number {
  return Math.max(Math.ceil(msLeft / 1_000), 1)
}
