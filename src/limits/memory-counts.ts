import { RateLimiterMemory } from 'rate-limiter-flexible'
import type { Counts } from './counts.ts'
import { createRecent } from './recent.ts'

/** Most keys that are counted at a time; each takes about 400 bytes. */
const mostKeys = 50_000

/** Counts in this process. Beyond {@link mostKeys} the oldest key is forgotten. */
export function memoryCounts(): Counts {
  // The limit is the caller's to apply: this only counts.
  const counter = new RateLimiterMemory({ points: Number.MAX_SAFE_INTEGER, duration: 1 })
  const windows = createRecent(mostKeys)
  return {
    async add(key, { points, seconds }) {
      const { consumedPoints, msBeforeNext } = await counter.penalty(key, points, {
        customDuration: seconds,
      })
      if (windows.msUntil(key) === 0) {
        const forgotten = windows.keep(key, msBeforeNext)
        if (forgotten !== undefined) await counter.delete(forgotten)
      }
      return { points: consumedPoints, msLeft: msBeforeNext }
    },
  }
}
