import { maxMessageBytes } from './channel.ts'

/** Most bytes of one payload, below the 8,000 that NOTIFY takes. */
const maxPayloadBytes = 7_900
/** How long a message waits for others, in ms. */
const foldMs = 25

/**
 * Gathers messages and sends them together, each once, in payloads of at most 7,900 bytes: the
 * commit of every NOTIFY takes a lock that all of Postgres shares.
 */
export interface Folding {
  add(topic: string, message: string, urgent: boolean): void
  /** Sends what waits; resolves when it is sent. */
  flush(): Promise<void>
}

/** `send` is called with one payload at a time, in order; what it throws is its own matter. */
export function createFolding(send: (payload: string) => Promise<void>): Folding {
  let waiting = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let sending = Promise.resolve()

  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    const messages = [...waiting]
    waiting = new Set()
    for (const payload of payloadsOf(messages))
      sending = sending.then(() => send(payload))
    return sending
  }
  return {
    add(topic, message, urgent) {
      waiting.add(JSON.stringify([topic, message]))
      if (urgent) void flush()
      else timer ??= setTimeout(flush, foldMs)
    },
    flush,
  }
}

/** The messages of one payload, as `[topic, message]`. @throws {SyntaxError} */
export function unfold(payload: string): [topic: string, message: string][] {
  return JSON.parse(`[${payload}]`)
}

/** @throws {TypeError} for a message that is too long */
export function assertMessage(topic: string, message: string): void {
  if (Buffer.byteLength(message) <= maxMessageBytes) return
  throw new TypeError(`A message of ${topic} is longer than ${maxMessageBytes} bytes.`)
}

function payloadsOf(messages: readonly string[]): string[] {
  const payloads: string[] = []
  let payload = ''
  for (const message of messages) {
    const longer = payload ? `${payload},${message}` : message
    if (payload && Buffer.byteLength(longer) > maxPayloadBytes) {
      payloads.push(payload)
      payload = message
    } else payload = longer
  }
  return payload ? [...payloads, payload] : payloads
}
