import { RateLimiterRedis } from 'rate-limiter-flexible'
import type { RedisClient } from '../channel/redis-client.ts'
import type { Counts } from './counts.ts'

/** Counts in a Redis, for all processes that use it with this `prefix`. */
export function redisCounts(client: RedisClient, prefix: string): Counts {
  const counter = new RateLimiterRedis({
    storeClient: client,
    useRedisPackage: true,
    keyPrefix: prefix,
    // The limit is the caller's to apply: this only counts.
    points: Number.MAX_SAFE_INTEGER,
    duration: 1,
  })
  return {
    async add(key, { points, seconds }) {
      const { consumedPoints, msBeforeNext } = await counter.penalty(key, points, {
        customDuration: seconds,
      })
      return { points: consumedPoints, msLeft: msBeforeNext }
    },
  }
}
