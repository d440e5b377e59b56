import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A connection to a service that is watched, and can be held. */
export interface WatchedLine {
  readonly endpoint: string
  /** Connections that are open at the moment. */
  readonly open: number
  /** Bytes of answers that passed. */
  readonly passed: number
  /** Whether answers stop on their way. */
  hold(held: boolean): void
  /** Breaks off every connection. */
  cut(): void
  close(): Promise<void>
}

export async function startWatchedLine(upstream: string): Promise<WatchedLine> {
  const { hostname, port } = new URL(upstream)
  const pairs = new Map<Socket, Socket>()
  let passed = 0
  let isHeld = false
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    pairs.set(near, far)
    near.pipe(far)
    far.on('data', (chunk: Buffer) => {
      passed += chunk.length
      if (!near.write(chunk) || isHeld) far.pause()
    })
    near.on('drain', () => {
      if (!isHeld) far.resume()
    })
    far.on('end', () => near.end())
    for (const socket of [near, far]) {
      socket.on('error', () => {})
      socket.on('close', () => {
        near.destroy()
        far.destroy()
        pairs.delete(near)
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A TCP server that listens has one.
  const { port: here } = server.address() as AddressInfo
  const cut = () => {
    for (const near of pairs.keys()) near.destroy()
  }
  return {
    endpoint: `http://127.0.0.1:${here}`,
    get open() {
      return pairs.size
    },
    get passed() {
      return passed
    },
    hold(held) {
      isHeld = held
      for (const far of pairs.values()) {
        if (held) far.pause()
        else far.resume()
      }
    },
    cut,
    async close() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
