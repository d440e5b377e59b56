import type { Database, Statement } from '../db/database.ts'
import { CarcosaError } from '../shared/errors.ts'

/** How long a connection may take to be made, in ms. */
const connectMs = 5_000
/** Most milliseconds between two tries to connect. */
export const maxDelay = 5_000
/** Milliseconds after which a connection that carries nothing is asked whether it is there. */
const pingMs = 15_000

export interface Redis {
  /**
   * Is being connected, and again whenever it breaks. What is asked of it meanwhile fails at once;
   * of what goes wrong it says nothing else.
   */
  readonly client: RedisClient
  /** What everything of this database is called there, e.g. `carcosa:app:<id>`. */
  readonly name: string
  /** Another client, not connected yet. */
  connect(): RedisClient
}

export type RedisClient = ReturnType<typeof newClient>

/**
 * A client of the Redis at `url`, which need not be there yet, for a database that is migrated.
 *
 * @throws {CarcosaError} CONFIG_INVALID where the package `@redis/client` is missing
 */
export async function openRedis(
  db: Pick<Database, 'query'>,
  url: string,
): Promise<Redis> {
  const { createClient } = await loadPackage()
  const name = await nameFor(db)
  const connect = () => newClient(createClient, url)
  const client = connect()
  client.on('error', () => undefined)
  void client.connect().catch(() => undefined)
  return { client, name, connect }
}

type Package = typeof import('@redis/client')

async function loadPackage(): Promise<Package> {
  return await import('@redis/client').catch((cause) => {
    throw new CarcosaError('CONFIG_INVALID', {
      message: 'The setting redis needs a client of Redis: npm install @redis/client',
      cause,
    })
  })
}

function newClient(createClient: Package['createClient'], url: string) {
  return createClient({
    url,
    name: 'carcosa',
    // Hints and counters: late they are worth nothing.
    disableOfflineQueue: true,
    pingInterval: pingMs,
    socket: {
      connectTimeout: connectMs,
      reconnectStrategy: (retries) =>
        Math.min(100 * 2 ** Math.min(retries, 10), maxDelay) * (0.5 + Math.random() / 2),
    },
  })
}

/**
 * Redis knows no databases of ours: the name says whose things are whose. The id of the first
 * migration was drawn at random when the database was made, and stays when it moves.
 */
async function nameFor(db: Pick<Database, 'query'>): Promise<string> {
  const [row] = await db.query<{ id: string; database: string }>(identityStatement)
  if (!row) throw new TypeError('the database is not migrated')
  return `carcosa:${row.database}:${row.id}`
}

const identityStatement: Statement = {
  name: 'channel_identity',
  sql: `SELECT id, current_database() AS database FROM carcosa._prisma_migrations
        WHERE rolled_back_at IS NULL ORDER BY started_at, migration_name LIMIT 1`,
}
