import { openRedis, type RedisClient } from '../channel/redis-client.ts'
import type { Database } from '../db/database.ts'
import type { Logger } from '../shared/logger.ts'
import type { RateLimits } from '../shared/rate-limits.ts'
import type { Counts } from './counts.ts'
import { insuredCounts } from './insured.ts'
import { memoryCounts } from './memory-counts.ts'
import { postgresCounts } from './postgres-counts.ts'

export interface OpenCounts {
  readonly counts: Counts
  close(): void
}

export interface CountsOptions {
  readonly limits: RateLimits
  /** The URL of a Redis, which need not be there yet. */
  readonly redis: string | undefined
  readonly log: Logger
}

/**
 * Where points are counted: in Redis, where there is one; else in Postgres; in this process
 * where no other one can be, or where the option says so.
 *
 * @throws {CarcosaError} CONFIG_INVALID where the package for Redis is missing
 */
export async function openCounts(
  db: Database,
  { limits, redis, log }: CountsOptions,
): Promise<OpenCounts> {
  const insurance = memoryCounts()
  const alone = { counts: insurance, close: () => {} }
  if (limits.store === 'memory') return alone
  if (redis) {
    const { client, name } = await openRedis(db, redis)
    const { redisCounts } = await import('./redis-counts.ts')
    await firstWord(client)
    const counts = redisCounts(client, `${name}:limit`)
    return {
      counts: insuredCounts(counts, { insurance, log }),
      close: () => {
        if (client.isOpen) client.destroy()
      },
    }
  }
  if (db.kind === 'pglite') return alone
  const counts = insuredCounts(postgresCounts(db), { insurance, log })
  return { counts, close: () => {} }
}

/** How long a start waits for a Redis, in ms. */
const patienceMs = 2_000

/** Waits until it is there, or it is plain that it is not: the first requests are counted too. */
function firstWord(client: RedisClient): Promise<void> {
  return new Promise((resolve) => {
    if (client.isReady) return resolve()
    const late = setTimeout(done, patienceMs)
    function done() {
      clearTimeout(late)
      client.off('ready', done).off('error', done)
      resolve()
    }
    client.on('ready', done).on('error', done)
  })
}
