import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy in front of a database, whose connections a test can cut or freeze. */
export interface Line {
  /** The URL it was made for, leading through it. */
  readonly url: string
  /** Breaks every connection and takes no new ones. */
  cut(): void
  /** Keeps connections open and passes nothing on. */
  freeze(): void
  /** Takes connections and passes bytes again. */
  restore(): Promise<void>
  close(): void
}

/** Starts a proxy on a port of its own. */
export async function proxy(target: string): Promise<Line> {
  const url = new URL(target)
  const sockets = new Set<Socket>()
  let frozen = false
  const server = createServer((near) => {
    const far = connect(Number(url.port), url.hostname)
    for (const [from, to] of [[near, far] as const, [far, near] as const]) {
      sockets.add(from)
      from.on('data', (bytes) => void (frozen || to.write(bytes)))
      from.on('error', () => undefined)
      from.once('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  })
  const port = await listen(server, 0)
  const through = new URL(target)
  through.port = String(port)
  const cut = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: through.href,
    cut,
    freeze: () => {
      frozen = true
    },
    async restore() {
      frozen = false
      if (!server.listening) await listen(server, port)
    },
    close: cut,
  }
}

async function listen(server: ReturnType<typeof createServer>, port: number) {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}
