import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Transform } from 'node:stream'

/** A connection to a server that can be cut: then nobody listens at its end. */
export interface Line {
  readonly endpoint: string
  cut(): Promise<void>
  mend(): Promise<void>
  /** Breaks connections off once so many more bytes came back over all of them; null: none. */
  breakAfter(bytes: number | null): void
  close(): Promise<void>
}

export async function startLine(upstream: string): Promise<Line> {
  const { hostname, port } = new URL(upstream)
  const sockets = new Set<Socket>()
  let left: number | null = null
  /** Lets through what may come back yet. */
  const gate = (near: Socket) =>
    new Transform({
      transform(chunk: Buffer, _encoding, done) {
        if (left === null || chunk.length <= left) {
          if (left !== null) left -= chunk.length
          done(null, chunk)
          return
        }
        near.write(chunk.subarray(0, left), () => near.destroy())
        left = 0
      },
    })
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    near.pipe(far)
    far.pipe(gate(near)).pipe(near)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  })
  const listen = async (at: number) => {
    server.listen(at, '127.0.0.1')
    await once(server, 'listening')
    // A TCP server that listens has one.
    return (server.address() as AddressInfo).port
  }
  const here = await listen(0)
  const cut = async () => {
    if (!server.listening) return
    server.close()
    for (const socket of sockets) socket.destroy()
    await once(server, 'close')
  }
  return {
    endpoint: `http://127.0.0.1:${here}`,
    cut,
    async mend() {
      if (!server.listening) await listen(here)
    },
    breakAfter(bytes) {
      left = bytes
    },
    close: cut,
  }
}
