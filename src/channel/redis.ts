import type { Database } from '../db/database.ts'
import type { ListenHandlers, Listening } from '../db/listen.ts'
import type { Logger } from '../shared/logger.ts'
import type { Channel } from './channel.ts'
import { provenChannel } from './proven.ts'
import { maxDelay, openRedis, type RedisClient } from './redis-client.ts'

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
  // The listener tells of what goes wrong; a message that cannot be sent is lost.
  const { client: sender, name, connect } = await openRedis(db, url)
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

/** Never throws; what goes wrong is told to `handlers`. */
function listenOn(
  connect: () => RedisClient,
  name: string,
  handlers: ListenHandlers,
): Listening {
  let closed = false
  let client: RedisClient | undefined
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
