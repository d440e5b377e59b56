import { WebSocket } from 'ws'
import { until } from './event-stream.ts'

/** What a server says over WebSocket, as JSON. */
export type Said = Record<string, unknown> & { type: string }

/** A client of `/ws` that keeps all it was told. */
export interface EventSocket {
  readonly said: readonly Said[]
  /** Code of the close frame; null while it is open. */
  readonly closed: number | null
  send(message: unknown): void
  sendRaw(data: string | Buffer): void
  /** Resolves with the first message of a type that is not among those asked for before. */
  next(type: string): Promise<Said>
  /** Reads no more. */
  pause(): void
  close(): void
}

/** Connects; rejects with the status where the server refuses. */
export function openSocket(
  port: number,
  path = '/ws',
  headers: Record<string, string> = {},
): Promise<EventSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers })
    const said: Said[] = []
    const taken = new Set<Said>()
    let closed: number | null = null
    socket.on('message', (data) => said.push(JSON.parse(String(data)) as Said))
    socket.on('close', (code) => {
      closed = code
    })
    socket.on('unexpected-response', (_, response) => {
      socket.terminate()
      reject(new Error(String(response.statusCode)))
    })
    socket.on('error', reject)
    socket.on('open', () =>
      resolve({
        said,
        get closed() {
          return closed
        },
        send: (message) => socket.send(JSON.stringify(message)),
        sendRaw: (data) => socket.send(data),
        async next(type) {
          const find = () => said.find((one) => one.type === type && !taken.has(one))
          await until(() => find() !== undefined, `a message "${type}"`)
          const found = find() as Said
          taken.add(found)
          return found
        },
        pause: () => socket.pause(),
        close: () => socket.terminate(),
      }),
    )
  })
}
