import type { Database } from '../db/database.ts'
import type { Logger } from '../shared/logger.ts'
import type { Channel } from './channel.ts'
import { localChannel } from './local.ts'
import { postgresChannel } from './postgres.ts'

/** The channel of a process on `db`; where the database is embedded, nobody else is there. */
export function openChannel(db: Database, log: Logger): Channel {
  const { query, listen } = db
  return listen ? postgresChannel({ query, listen }, { log }) : localChannel()
}

/**
 * The same through the Redis at `url`, on a database that is migrated. It need not be there yet.
 * @throws {CarcosaError} CONFIG_INVALID where the package for it is missing
 */
export async function openRedisChannel(
  db: Database,
  url: string,
  log: Logger,
): Promise<Channel> {
  if (!db.listen) return localChannel()
  const { redisChannel } = await import('./redis.ts')
  return await redisChannel(db, { log, url })
}
