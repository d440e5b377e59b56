import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../shared/logger.ts'
import { type Message, storedMessage, streamMessage } from './message.ts'
import type { Listener, Reader } from './reader.ts'
import { keyOf, type Topic } from './topic.ts'

/** What somebody wishes to be told. */
export interface Wish {
  projectId: string
  /** At least one; all of the project. */
  topics: readonly Topic[]
  /** The number of the last event known: 0 for all there is, null for what happens from now on. */
  after: number | null
  receiver: Receiver
}

export interface Receiver {
  /** Called with each message, in order; must not throw. */
  tell(message: Message): void
  /** Resolves when another stored event may be told; it may never. Null: now. */
  room(): Promise<void> | null
}

export interface Following {
  /** What it is listening to, as told to other processes. */
  readonly keys: readonly string[]
  /** Nothing is told any more. Idempotent. */
  stop(): void
}

/** Brings those who come back from where they were to where the reader is. */
export interface Replays {
  follow(reader: Reader, wish: Wish): Following
  /** Whether somebody is on the way to this reader. */
  uses(reader: Reader): boolean
  /** Gives up those on the way. */
  close(): void
}

/** Events read at a time. */
const pageSize = 200

/** Most events told in one turn, without looking for room. */
const burst = 50

/** Pages read at once by the whole process: uploads need the database, too. */
const readers = 2

/** Milliseconds until a page that could not be read is tried again. */
const retryMs = 1_000

export function createReplays(log: Logger): Replays {
  const onTheWay = new Map<Reader, number>()
  const slot = createGate(readers)
  let closed = false

  const count = (reader: Reader, by: number) => {
    const now = (onTheWay.get(reader) ?? 0) + by
    if (now > 0) onTheWay.set(reader, now)
    else onTheWay.delete(reader)
  }

  /** Ends when the follower has been added to the reader, or is not wanted any more. */
  const catchUp = async (reader: Reader, follower: Follower) => {
    if (follower.position > reader.position) await reader.advance()
    if (follower.position > reader.position) {
      const { position: last } = reader
      follower.tell(streamMessage('stream.gap', { after: follower.position, last }))
      follower.position = last
    }
    let checked = false
    while (!follower.stopped && !closed) {
      const recent = reader.recent(follower.keys, follower.position)
      if (recent && recent.length <= burst) {
        // Nothing can come in between: telling and adding are one turn of the event loop.
        for (const message of recent) follower.tell(message)
        follower.position = reader.position
        if (!follower.stopped) reader.add(follower)
        return
      }
      if (!recent && !checked) await warnOfGap(reader, follower)
      checked = true
      const page = recent
        ? { messages: recent, end: reader.position }
        : await slot(() => readPage(reader, follower))
      for (const message of page.messages) {
        const room = follower.receiver.room()
        if (room) await room
        follower.tell(message)
        follower.position = message.number ?? follower.position
      }
      follower.position = page.end
    }
  }

  return {
    follow(reader, wish) {
      const follower = new Follower(reader, wish)
      if (wish.after === null) {
        reader.add(follower)
        return follower
      }
      count(reader, 1)
      void persist(() => catchUp(reader, follower), {
        log,
        isOver: () => follower.stopped || closed,
      }).finally(() => count(reader, -1))
      return follower
    },
    uses: (reader) => onTheWay.has(reader),
    close() {
      closed = true
    },
  }
}

/** One object for each of thousands, instead of a closure for each thing it does. */
class Follower implements Listener, Following {
  readonly keys: readonly string[]
  readonly topics: readonly Topic[]
  readonly receiver: Receiver
  position: number
  stopped = false
  readonly #reader: Reader

  constructor(reader: Reader, { topics, after, receiver }: Wish) {
    this.#reader = reader
    this.topics = topics
    this.keys = topics.length === 1 ? topics.map(keyOf) : [...new Set(topics.map(keyOf))]
    this.receiver = receiver
    this.position = after ?? reader.position
  }
  tell(message: Message): void {
    if (!this.stopped) this.receiver.tell(message)
  }
  stop(): void {
    this.stopped = true
    this.#reader.remove(this)
  }
}

/** Of those behind its position some are too old to be there: whoever counts on them must know. */
async function warnOfGap(reader: Reader, listener: Listener): Promise<void> {
  const { dropped } = await reader.extent()
  const after = listener.position
  if (after < dropped) listener.tell(streamMessage('stream.gap', { after, dropped }))
}

interface Page {
  messages: readonly Message[]
  /** All up to this number are among them. */
  end: number
}

async function readPage(
  reader: Reader,
  { topics, position: after }: Follower,
): Promise<Page> {
  const { position } = reader
  const wanted = { topics, after, limit: pageSize }
  const events = await reader.page(wanted)
  const last = events.length === pageSize ? events.at(-1)?.number : undefined
  return { messages: events.map(storedMessage), end: last ?? position }
}

/** Does `work` again until it succeeds: its failures are the database's. */
async function persist(
  work: () => Promise<void>,
  { log, isOver }: { log: Logger; isOver(): boolean },
): Promise<void> {
  while (!isOver()) {
    try {
      return await work()
    } catch (err) {
      log.debug({ err }, 'events could not be read for a subscriber; trying again')
      await sleep(retryMs, undefined, { ref: false })
    }
  }
}

/** Lets `limit` pass at a time, the others in order of arrival. */
function createGate(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let inside = 0
  return async (work) => {
    if (inside >= limit) await new Promise<void>((resolve) => waiting.push(resolve))
    else inside++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else inside--
    }
  }
}
