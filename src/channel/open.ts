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
