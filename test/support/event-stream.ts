import { type IncomingHttpHeaders, request } from 'node:http'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

/** One event as a browser's EventSource would tell it. */
export interface Received {
  /** `id:`, as text; null if it had none. */
  id: string | null
  type: string
  data: Record<string, unknown>
}

/** A subscription, read as the specification of EventSource says. */
export class EventStream {
  status = 0
  headers: Record<string, string> = {}
  /** All there was so far, in order. */
  readonly events: Received[] = []
  /** Comment lines there were so far. */
  comments = 0
  /** Milliseconds that `retry:` asked for. */
  retry: number | null = null
  /** What a refusal said. */
  problem: Record<string, unknown> | null = null
  ended = false
  pause = () => {}
  close = () => {}
  #text = ''
  #id: string | null = null
  #type = 'message'
  #data: string[] = []

  /** The types of the stored events. */
  get types(): string[] {
    return this.stored.map(({ type }) => type)
  }
  get stored(): Received[] {
    return this.events.filter(({ id }) => id !== null)
  }
  /** Resolves with the first event of a type, waiting for it. */
  async next(type: string): Promise<Received> {
    await until(() => this.events.some((event) => event.type === type), type)
    const found = this.events.find((event) => event.type === type)
    if (!found) throw new Error(type)
    return found
  }

  feed(chunk: string): void {
    const lines = (this.#text + chunk).split(/\r\n|\r|\n/)
    this.#text = lines.pop() ?? ''
    for (const line of lines) this.#line(line)
  }
  #line(line: string): void {
    if (line === '') {
      this.#dispatch()
      return
    }
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? []
    if (field === '') this.comments++
    else if (field === 'id') this.#id = value
    else if (field === 'event') this.#type = value
    else if (field === 'data') this.#data.push(value)
    else if (field === 'retry') this.retry = Number(value)
    else throw new Error(`no field of a stream: ${line}`)
  }
  #dispatch(): void {
    if (this.#data.length > 0) {
      const data = JSON.parse(this.#data.join('\n'))
      this.events.push({ id: this.#id, type: this.#type, data })
    }
    this.#id = null
    this.#type = 'message'
    this.#data = []
  }
}

/** Opens `path` of a server on this machine over a connection of its own. */
export function openStream(
  port: number,
  path: string,
  headers: Record<string, string> = {},
): Promise<EventStream> {
  const stream = new EventStream()
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers, agent: false })
    stream.close = () => asked.destroy()
    asked.on('error', reject)
    asked.on('response', (response) => {
      stream.status = response.statusCode ?? 0
      stream.headers = flat(response.headers)
      if (stream.status !== 200) {
        json(response).then((problem) => {
          stream.problem = problem as Record<string, unknown>
          resolve(stream)
        }, reject)
        return
      }
      stream.pause = () => response.pause()
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => stream.feed(chunk))
      response.on('error', () => undefined)
      response.on('close', () => {
        stream.ended = true
      })
      resolve(stream)
    })
    asked.end()
  })
}

/** The same through a web-standard handler. */
export async function openWebStream(
  handle: (request: Request) => Promise<Response>,
  path: string,
  headers: Record<string, string> = {},
): Promise<EventStream> {
  const stream = new EventStream()
  const gone = new AbortController()
  stream.close = () => gone.abort()
  const url = `http://127.0.0.1${path}`
  const response = await handle(new Request(url, { headers, signal: gone.signal }))
  stream.status = response.status
  stream.headers = Object.fromEntries(response.headers)
  if (response.status !== 200) {
    stream.problem = (await response.json()) as Record<string, unknown>
    return stream
  }
  const read = async () => {
    for await (const chunk of response.body ?? [])
      stream.feed(Buffer.from(chunk).toString())
  }
  void read()
    .catch(() => undefined)
    .finally(() => {
      stream.ended = true
    })
  return stream
}

/** Resolves when it is true; fails after ten seconds. */
export async function until(isTrue: () => boolean, what = 'This'): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error(`${what} did not come true.`)
    await sleep(5)
  }
}

function flat(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, String(value)]),
  )
}
