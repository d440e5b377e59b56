import type { Database, Statement } from '../db/database.ts'
import type { ListenHandlers, Listening } from '../db/listen.ts'
import { CarcosaError } from '../shared/errors.ts'
import type { Logger } from '../shared/logger.ts'
import type { Channel } from './channel.ts'
import { provenChannel } from './proven.ts'

/** How long a connection may take to be made, in ms. */
const connectMs = 5_000
/** Most milliseconds between two tries to connect. */
const maxDelay = 5_000
/** Milliseconds after which a connection that carries nothing is asked whether it is there. */
const pingMs = 15_000

export interface RedisChannelOptions {
  log: Logger
  /** `redis://…` or `rediss://…` */
  url: string
}

/**
 * Messages by pub/sub of a Redis, with one connection to send and one to listen. Those of
 * another database on the same Redis are not heard.
 *
 * @throws {CarcosaError} CONFIG_INVALID where the package `@redis/client` is missing
 */
export async function redisChannel(
  db: Pick<Database, 'query'>,
  { log, url }: RedisChannelOptions,
): Promise<Channel> {
  const { createClient } = await loadPackage()
  const name = await nameFor(db)
  const connect = () => newClient(createClient, url)
  const sender = connect()
  // The listener tells of what goes wrong; a message that cannot be sent is lost.
  sender.on('error', () => undefined)
  void sender.connect().catch(() => undefined)
  const channel = provenChannel(
    {
      send: (payload) => sender.publish(name, payload),
      listen: (handlers) => listenOn(connect, name, handlers),
      advice:
        'so what they change is noticed later. Look whether the Redis that CARCOSA_REDIS names ' +
        'is there, and whether its user may use the channels carcosa:*',
    },
    log,
  )
  return {
    ...channel,
    // Not copied by the spread above: it changes.
    get connected() {
      return channel.connected
    },
    async close() {
      await channel.close()
      if (sender.isOpen) sender.destroy()
    },
  }
}

type Package = typeof import('@redis/client')
type Client = ReturnType<typeof newClient>

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
    // A message is a hint: late it is worth nothing.
    disableOfflineQueue: true,
    pingInterval: pingMs,
    socket: {
      connectTimeout: connectMs,
      reconnectStrategy: (retries) =>
        Math.min(100 * 2 ** Math.min(retries, 10), maxDelay) * (0.5 + Math.random() / 2),
    },
  })
}

/** Never throws; what goes wrong is told to `handlers`. */
function listenOn(
  connect: () => Client,
  name: string,
  handlers: ListenHandlers,
): Listening {
  let closed = false
  let client: Client | undefined
  let retry: NodeJS.Timeout | undefined

  const start = () => {
    const mine = connect()
    client = mine
    const isOver = () => closed || client !== mine
    const hear = (payload: string) => {
      if (!isOver()) handlers.onMessage(payload)
    }
    let broken = false
    mine.on('error', (error: Error) => {
      if (isOver() || broken) return
      // Once for each time it breaks, however often it is tried again.
      broken = true
      handlers.onError(error)
    })
    // A client that connects again subscribes again by itself, before it is ready.
    let subscribed = false
    mine.on('ready', async () => {
      try {
        if (!subscribed) await mine.subscribe(name, hear)
        subscribed = true
        broken = false
        if (!isOver()) handlers.onListening()
      } catch (error) {
        if (isOver()) return
        // The connection is fine, only listening is not: its user may not, for now.
        handlers.onError(error as Error)
        retry = setTimeout(again, maxDelay)
      }
    })
    void mine.connect().catch(() => undefined)
  }
  const end = () => {
    clearTimeout(retry)
    const last = client
    client = undefined
    if (last?.isOpen) last.destroy()
  }

  const again = () => {
    end()
    start()
  }

  start()
  return {
    restart() {
      if (closed) return
      handlers.onError(new Error('Nothing arrives on the connection.'))
      again()
    },
    async close() {
      closed = true
      end()
    },
  }
}

/**
 * Pub/sub knows no databases: the name says whose messages they are. The id of the first
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
