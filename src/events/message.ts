import type { StoredEvent } from './outbox.ts'
import type { Subject } from './topic.ts'

/** One thing told to subscribers: made once, written to each of them in their own way. */
export interface Message {
  /** Where a subscriber goes on after it; null for what is told live and never stored. */
  readonly number: number | null
  /** Name of the event, e.g. `file.stored`. */
  readonly type: string
  /** JSON. */
  readonly data: string
  /** As it is sent over SSE, over WebSocket. */
  sse(): Buffer
  socket(): string
}

/** What is told live: how far something is that goes on. Never stored, never replayed. */
export type LiveType = 'upload.progress'

/** What the stream says of itself, to one subscriber. */
export type StreamType = 'stream.gap' | 'stream.dropped'

export interface Live extends Subject {
  readonly projectId: string
  readonly type: LiveType
  /** JSON. */
  readonly data: string
  /** Whether an event about the same file is about to be stored. Default false. */
  readonly isLast?: boolean
}

export function storedMessage({ number, type, at, data }: StoredEvent): Message {
  return createMessage(number, type, JSON.stringify({ ...data, at }))
}

export function liveMessage({ type, data }: Pick<Live, 'type' | 'data'>): Message {
  return createMessage(null, type, data)
}

export function streamMessage(type: StreamType, data: Record<string, unknown>): Message {
  return createMessage(null, type, JSON.stringify(data))
}

function createMessage(number: number | null, type: string, data: string): Message {
  let sse: Buffer | undefined
  let socket: string | undefined
  return {
    number,
    type,
    data,
    sse: () => {
      sse ??= Buffer.from(sseFrame({ number, type, data }))
      return sse
    },
    socket: () => {
      socket ??= socketFrame({ number, type, data })
      return socket
    },
  }
}

type Parts = Pick<Message, 'number' | 'type' | 'data'>

/** https://html.spec.whatwg.org/multipage/server-sent-events.html: a line break ends a field. */
export function sseFrame({ number, type, data }: Parts): string {
  const id = number === null ? '' : `id: ${number}\n`
  const name = type.replace(/[\r\n]/g, ' ')
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`)
  return `${id}event: ${name}\n${lines.join('')}\n`
}

function socketFrame({ number, type, data }: Parts): string {
  const event = JSON.stringify(type)
  if (number !== null)
    return `{"type":"event","id":${number},"event":${event},"data":${data}}`
  const kind = type.startsWith('stream.') ? type.slice('stream.'.length) : 'progress'
  return `{"type":"${kind}","event":${event},"data":${data}}`
}
