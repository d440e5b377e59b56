import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/** A connection on which a test decides about every byte. */
export interface RawConnection {
  readonly socket: Socket
  /** Sends text or bytes as they are. */
  write(data: string | Buffer): void
  /** Sends the head of a request. */
  ask(method: string, path: string, headers?: Record<string, string>): void
  /** The next answer, `100 Continue` included. Throws if the connection ends before. */
  answer(): Promise<RawAnswer>
  /** Resolves when the server has ended the connection. */
  readonly closed: Promise<void>
  /** Vanishes: the server sees a reset, or an end with a body missing. */
  cut(): void
}

export interface RawAnswer {
  status: number
  /** Names in lower case; of repeated ones the last. */
  headers: Record<string, string>
  body: string
}

export async function openRaw(port: number): Promise<RawConnection> {
  const socket = connect(port, '127.0.0.1')
  socket.setNoDelay(true)
  await once(socket, 'connect')
  let received = Buffer.alloc(0)
  let ended = false
  let lastMethod = ''
  let wake = () => {}
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk])
    wake()
  })
  const closed = new Promise<void>((resolve) => {
    const end = () => {
      ended = true
      wake()
      resolve()
    }
    socket.on('end', end)
    socket.on('close', end)
    // A reset is one of the ways in which the other side ends it.
    socket.on('error', end)
  })

  return {
    socket,
    closed,
    write: (data) => void socket.write(data),
    ask(method, path, headers = {}) {
      lastMethod = method
      socket.write(requestHead(method, path, headers))
    },
    async answer() {
      for (;;) {
        const found = parseAnswer(received, lastMethod === 'HEAD')
        if (found) {
          received = received.subarray(found.length)
          return found.answer
        }
        if (ended) throw new Error(`the connection ended after ${String(received)}`)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    cut: () => void socket.destroy(),
  }
}

/** Request line and headers, with the blank line behind. */
export function requestHead(
  method: string,
  path: string,
  headers: Record<string, string> = {},
): string {
  const all = { Host: 'carcosa.test', 'Tus-Resumable': '1.0.0', ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

/** One chunk of a chunked body. */
export function chunk(data: string | Buffer): Buffer {
  const bytes = Buffer.from(data)
  const size = `${bytes.length.toString(16)}\r\n`
  return Buffer.concat([Buffer.from(size), bytes, Buffer.from('\r\n')])
}

/** The end of a chunked body. */
export const lastChunk = '0\r\n\r\n'

/** Asks again until it holds; fails with what it last was. */
export async function eventually<T>(
  ask: () => Promise<T> | T,
  holds: (value: T) => boolean,
  ms = 5_000,
): Promise<T> {
  const until = Date.now() + ms
  for (;;) {
    const value = await ask()
    if (holds(value)) return value
    if (Date.now() > until) throw new Error(`after ${ms} ms it still is ${String(value)}`)
    await wait(20)
  }
}

function parseAnswer(
  received: Buffer,
  bodyless: boolean,
): { answer: RawAnswer; length: number } | null {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) return null
  const [statusLine = '', ...lines] = received.subarray(0, end).toString().split('\r\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const at = line.indexOf(':')
    headers[line.slice(0, at).toLowerCase()] = line.slice(at + 1).trim()
  }
  const status = Number(statusLine.split(' ')[1])
  const empty = bodyless || status < 200 || status === 204 || status === 304
  const size = empty ? 0 : Number(headers['content-length'] ?? 0)
  const length = end + 4 + size
  if (received.length < length) return null
  const body = received.subarray(end + 4, length).toString()
  return { answer: { status, headers, body }, length }
}
