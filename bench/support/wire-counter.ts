import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/**
 * A proxy in front of Postgres that counts what a client asks. Every figure is of messages
 * seen on the wire, so that nothing a driver or a job queue does is left out.
 */
export interface WireCounter {
  /** The URL to give to the client. */
  readonly url: string
  /** What was counted so far. */
  read(): WireCounts
  close(): Promise<void>
}

/** Counts since the start. */
export interface WireCounts {
  /** Times a client waited for an answer: Sync and simple Query messages. */
  roundTrips: number
  /** Statements executed: Execute and simple Query messages; BEGIN and COMMIT too. */
  statements: number
  /** The same by the first words of their SQL. */
  bySql: Map<string, number>
}

/** Starts counting on a free port of 127.0.0.1, in front of the server at `url`. */
export async function countWire(url: string): Promise<WireCounter> {
  const upstream = new URL(url)
  const counts: WireCounts = { roundTrips: 0, statements: 0, bySql: new Map() }
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const database = connect(Number(upstream.port || 5432), upstream.hostname)
    const read = reader(counts)
    client.on('data', read)
    client.pipe(database).pipe(client)
    for (const socket of [client, database]) {
      sockets.add(socket)
      // One side going away ends the other; there is nothing else to do about it.
      socket.on('error', () => {})
      socket.on('close', () => {
        client.destroy()
        database.destroy()
        sockets.delete(socket)
      })
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string')
    throw new Error('No port was given')
  const proxied = new URL(url)
  proxied.host = `127.0.0.1:${address.port}`
  return {
    url: proxied.href,
    read: () => ({ ...counts, bySql: new Map(counts.bySql) }),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/**
 * Reads the frontend messages of one connection (PostgreSQL documentation, "Message
 * Formats"): a start-up message without a type, then type byte, length, payload.
 */
function reader(counts: WireCounts): (chunk: Buffer) => void {
  const prepared = new Map<string, string>()
  let bound = ''
  let received: Buffer = Buffer.alloc(0)
  let started = false

  const count = (sql: string) => {
    counts.statements += 1
    const words = sql.trim().replace(/\s+/g, ' ').slice(0, 100)
    counts.bySql.set(words, (counts.bySql.get(words) ?? 0) + 1)
  }
  const take: Record<string, (payload: Buffer) => void> = {
    P: (payload) => {
      const [name = '', sql = ''] = strings(payload, 2)
      prepared.set(name, sql)
    },
    B: (payload) => {
      bound = prepared.get(strings(payload, 2)[1] ?? '') ?? '?'
    },
    E: () => count(bound),
    Q: (payload) => {
      counts.roundTrips += 1
      count(strings(payload, 1)[0] ?? '')
    },
    S: () => {
      counts.roundTrips += 1
    },
  }

  return (chunk) => {
    received = Buffer.concat([received, chunk])
    for (;;) {
      const typeBytes = started ? 1 : 0
      if (received.length < typeBytes + 4) return
      const end = typeBytes + received.readInt32BE(typeBytes)
      if (received.length < end) return
      if (started) take[received.toString('latin1', 0, 1)]?.(received.subarray(5, end))
      started = true
      received = received.subarray(end)
    }
  }
}

/** The first `most` zero-terminated strings of a payload. */
function strings(payload: Buffer, most: number): string[] {
  const found: string[] = []
  for (let start = 0; found.length < most; ) {
    const end = payload.indexOf(0, start)
    if (end < 0) return found
    found.push(payload.toString('utf8', start, end))
    start = end + 1
  }
  return found
}
