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
  /** Called with each message, in order; must not throw. */
  tell(message: Message): void
  /** Resolves when another stored event may be told; it may never. Null: now. */
  room?(): Promise<void> | null
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

  /** Ends when the listener has been added to the reader, or is not wanted any more. */
  const catchUp = async (reader: Reader, follower: Follower) => {
    const { listener, wish } = follower
    if (listener.position > reader.position) await reader.advance()
    if (listener.position > reader.position) {
      const { position: last } = reader
      listener.tell(streamMessage('stream.gap', { after: listener.position, last }))
      listener.position = last
    }
    let checked = false
    while (!follower.stopped && !closed) {
      const recent = reader.recent(listener.keys, listener.position)
      if (recent && recent.length <= burst) {
        // Nothing can come in between: telling and adding are one turn of the event loop.
        for (const message of recent) listener.tell(message)
        listener.position = reader.position
        if (!follower.stopped) reader.add(listener)
        return
      }
      if (!recent && !checked) await warnOfGap(reader, listener)
      checked = true
      const page = recent
        ? { messages: recent, end: reader.position }
        : await slot(() => readPage(reader, follower))
      for (const message of page.messages) {
        const room = wish.room?.()
        if (room) await room
        listener.tell(message)
        listener.position = message.number ?? listener.position
      }
      listener.position = page.end
    }
  }

  return {
    follow(reader, wish) {
      const keys = [...new Set(wish.topics.map(keyOf))]
      const follower: Follower = {
        wish,
        stopped: false,
        listener: {
          keys,
          position: wish.after ?? reader.position,
          tell(message) {
            if (!follower.stopped) wish.tell(message)
          },
        },
      }
      if (wish.after === null) reader.add(follower.listener)
      else {
        count(reader, 1)
        void persist(() => catchUp(reader, follower), {
          log,
          isOver: () => follower.stopped || closed,
        }).finally(() => count(reader, -1))
      }
      return {
        keys,
        stop() {
          follower.stopped = true
          reader.remove(follower.listener)
        },
      }
    },
    uses: (reader) => onTheWay.has(reader),
    close() {
      closed = true
    },
  }
}

interface Follower {
  readonly wish: Wish
  readonly listener: Listener
  stopped: boolean
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

async function readPage(reader: Reader, { listener, wish }: Follower): Promise<Page> {
  const { position } = reader
  const { topics } = wish
  const wanted = { topics, after: listener.position, limit: pageSize }
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
