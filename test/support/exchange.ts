import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'

/** A request as a test writes it down. */
export interface Asked {
  method: string
  /** Path and query, sent as they are. */
  path: string
  /** Names and values; a null takes a default away. */
  headers?: Record<string, string | null>
  /** Sent with its length; what is in a list goes out as chunks without one. */
  body?: Buffer | string | readonly (Buffer | string)[]
}

/** An answer, whichever door it came through. Header names are in lower case. */
export interface Answered {
  status: number
  headers: Record<string, string>
  bytes: Buffer
  /** The body as text. */
  text: string
  /** The body as JSON; throws if it is none. */
  json(): Record<string, unknown>
}

export type Exchange = (asked: Asked) => Promise<Answered>

const agents = new Map<number, Agent>()

/** Sends over a real connection to this machine. */
export function overHttp(port: number): Exchange {
  const agent = agents.get(port) ?? new Agent({ keepAlive: true })
  agents.set(port, agent)
  return (asked) =>
    new Promise((resolve, reject) => {
      const { method, path } = asked
      const outgoing = request({ agent, host: '127.0.0.1', port, method, path })
      // Without a method of its own that forbids it Node would send an empty body in chunks.
      outgoing.useChunkedEncodingByDefault = false
      for (const [name, value] of Object.entries(headersOf(asked))) {
        outgoing.setHeader(name, value)
      }
      outgoing.on('error', reject)
      outgoing.on('response', (incoming) => {
        const { statusCode = 0, headers } = incoming
        buffer(incoming).then((bytes) => {
          resolve(answered(statusCode, flat(headers), bytes))
        }, reject)
      })
      for (const part of partsOf(asked)) outgoing.write(part)
      outgoing.end()
    })
}

/** Ends the connections kept open to a port. */
export function closeConnections(port: number): void {
  agents.get(port)?.destroy()
  agents.delete(port)
}

/** Hands the same request to a web-standard handler, as a framework would. */
export function overFetch(handle: (request: Request) => Promise<Response>): Exchange {
  return async (asked) => {
    const url = `http://127.0.0.1${asked.path}`
    const parts = partsOf(asked)
    const response = await handle(
      new Request(url, {
        method: asked.method,
        headers: headersOf(asked),
        ...(asked.body !== undefined && {
          body: Readable.toWeb(Readable.from(parts, { objectMode: false })),
          duplex: 'half',
        }),
      } as RequestInit),
    )
    const bytes = Buffer.from(await response.arrayBuffer())
    return answered(response.status, Object.fromEntries(response.headers), bytes)
  }
}

function headersOf({ headers = {}, body }: Asked): Record<string, string> {
  const framing =
    body === undefined
      ? {}
      : Array.isArray(body)
        ? { 'Transfer-Encoding': 'chunked' }
        : { 'Content-Length': String(Buffer.byteLength(body as string | Buffer)) }
  const all = { 'Tus-Resumable': '1.0.0', ...framing, ...headers }
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null),
  )
}

function partsOf({ body }: Asked): Buffer[] {
  if (body === undefined) return []
  const parts: readonly (Buffer | string)[] =
    typeof body === 'string' || Buffer.isBuffer(body) ? [body] : body
  return parts.map((part) => Buffer.from(part)).filter((part) => part.length > 0)
}

function flat(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, String(value)]),
  )
}

function answered(
  status: number,
  headers: Record<string, string>,
  bytes: Buffer,
): Answered {
  const text = bytes.toString('utf8')
  return { status, headers, bytes, text, json: () => JSON.parse(text) }
}
