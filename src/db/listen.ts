import pg from 'pg'

/** What is told of a Postgres channel that is listened to. */
export interface ListenHandlers {
  onMessage(payload: string): void
  /** The connection listens, for the first time or again: what was sent before is missed. */
  onListening(): void
  /** The connection broke or could not be made; it is tried again by itself. */
  onError(error: Error): void
}

export interface Listening {
  /** Makes the connection anew: nothing arrives on the one there is. */
  restart(): void
  /** Idempotent. */
  close(): Promise<void>
}

/** Milliseconds between two tries to connect; the time doubles with each in a row. */
const firstDelay = 100
const maxDelay = 5_000

/**
 * Listens on the Postgres channel `name` with a connection of its own, for as long as it takes:
 * one that breaks is made again. Never throws; what goes wrong is told to `handlers`.
 */
export function listenOn(url: string, name: string, handlers: ListenHandlers): Listening {
  let closed = false
  let client: pg.Client | undefined
  let timer: NodeJS.Timeout | undefined
  let delay = firstDelay

  const connect = async () => {
    const mine = newClient(url)
    client = mine
    const isOver = () => closed || client !== mine
    const fail = (error = new Error('The connection ended.')) => {
      if (isOver()) return
      client = undefined
      void mine.end().catch(() => undefined)
      handlers.onError(error)
      timer = setTimeout(() => void connect(), delay * (0.5 + Math.random()))
      delay = Math.min(delay * 2, maxDelay)
    }
    mine.on('error', fail)
    mine.on('end', () => fail())
    mine.on('notification', ({ payload = '' }) => {
      if (!isOver()) handlers.onMessage(payload)
    })
    try {
      await mine.connect()
      await mine.query(`LISTEN ${pg.escapeIdentifier(name)}`)
    } catch (error) {
      fail(error as Error)
    }
    if (isOver()) return
    delay = firstDelay
    handlers.onListening()
    mine.once('restart', () => fail(new Error('Nothing arrives on the connection.')))
  }

  void connect()
  return {
    restart: () => client?.emit('restart'),
    async close() {
      closed = true
      clearTimeout(timer)
      await client?.end().catch(() => undefined)
    },
  }
}

function newClient(url: string): pg.Client {
  return new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    query_timeout: 10_000,
    application_name: 'carcosa listen',
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  })
}
