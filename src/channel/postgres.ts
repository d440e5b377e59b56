import type { Database, Statement } from '../db/database.ts'
import type { Logger } from '../shared/logger.ts'
import type { Channel } from './channel.ts'
import { provenChannel } from './proven.ts'

export interface PostgresChannelOptions {
  log: Logger
  /** The name of the Postgres channel. Default `carcosa`. */
  name?: string
}

/** Messages by `NOTIFY`, heard by `LISTEN` on a connection of its own. */
export function postgresChannel(
  db: Pick<Database, 'query'> & Required<Pick<Database, 'listen'>>,
  { log, name = 'carcosa' }: PostgresChannelOptions,
): Channel {
  const carrier = {
    send: (payload: string) => db.query(notifyStatement, [name, payload]),
    listen: (handlers: Parameters<typeof db.listen>[1]) => db.listen(name, handlers),
    advice:
      'so what they change is noticed later. Behind a pooler in transaction mode set ' +
      'CARCOSA_DIRECT_DATABASE to the URL of Postgres itself, or CARCOSA_REDIS to that of a Redis',
  }
  return provenChannel(carrier, log)
}

const notifyStatement: Statement = {
  name: 'channel_notify',
  sql: 'SELECT pg_notify($1, $2)',
}
