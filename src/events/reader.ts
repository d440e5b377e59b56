import { setImmediate as turn } from 'node:timers/promises'
import { type Message, storedMessage } from './message.ts'
import type { Extent, Outbox, Selection, StoredEvent } from './outbox.ts'
import { keysOf, type Subject } from './topic.ts'

/** Somebody who is told what happens under some keys of a project. */
export interface Listener {
  readonly keys: readonly string[]
  /** Every stored message up to this number is told. */
  position: number
  tell(message: Message): void
}

/**
 * The one reader of the events of a project in this process: reads each new one once and tells
 * it to whoever listens. Its position only grows, together with what was told.
 */
export interface Reader {
  /** Up to where all was told. Meaningless before {@link start} resolved. */
  readonly position: number
  readonly isEmpty: boolean
  /** How many listen to the key. */
  count(key: string): number
  /** Resolves when the position is known. @throws {CarcosaError} DATABASE_UNAVAILABLE */
  start(): Promise<void>
  /** Reads what there is. @throws {CarcosaError} DATABASE_UNAVAILABLE */
  advance(): Promise<void>
  /** Recent messages of some keys behind `after`; null if they reach further back than is kept. */
  recent(keys: readonly string[], after: number): Message[] | null
  /** Stored events up to {@link position}. @throws {CarcosaError} DATABASE_UNAVAILABLE */
  page(wanted: Pick<Selection, 'topics' | 'after' | 'limit'>): Promise<StoredEvent[]>
  extent(): Promise<Extent>
  /** To be called in the same turn in which the listener is found to be at `position`. */
  add(listener: Listener): void
  remove(listener: Listener): void
  tellLive(subject: Subject, message: Message): void
  /**
   * Tells it with the next stored event about the same file, which is about to come: one packet
   * to each listener instead of two. Without one it is told after a moment.
   */
  tellLast(subject: Subject, message: Message): void
}

/** Most events read at once. */
const pageSize = 1_000

/** Most events told in one turn. */
const burst = 50

/** Longest wait of a last message for the event it is told with, in ms: a reading is long due by then. */
const lastMs = 1_000

/** Events kept in memory, for subscribers who come back all at once. */
const keptEvents = 500

interface Kept {
  number: number
  keys: readonly string[]
  message: Message
}

export function createReader(outbox: Outbox, projectId: string): Reader {
  const listeners = new Map<string, Set<Listener>>()
  /** By file: tells what waits for its next event. */
  const lasts = new Map<string, () => void>()
  let kept: Kept[] = []
  /** Events behind this number are kept. */
  let keptAfter = 0
  let position = -1
  let starting: Promise<void> | undefined
  let advancing: Promise<void> | undefined

  const start = async () => {
    await outbox.number()
    const { last } = await outbox.extent(projectId)
    const after = Math.max(last - keptEvents, 0)
    const recent = { projectId, topics: null, after, upTo: last, limit: keptEvents }
    kept = (await outbox.read(recent)).map(toKept)
    keptAfter = after
    position = last
  }
  const advance = async () => {
    await outbox.number()
    for (;;) {
      const query = { projectId, topics: null, after: position, limit: pageSize }
      const events = await outbox.read(query)
      for (const [i, event] of events.entries()) {
        tell(event)
        // Connections send what they were given only between two turns of the event loop.
        if (i % burst === burst - 1) await turn()
      }
      if (events.length < pageSize) break
    }
  }
  const tell = (event: StoredEvent) => {
    const one = toKept(event)
    keep(one)
    position = one.number
    if (event.fileId !== null) lasts.get(event.fileId)?.()
    for (const listener of listening(one.keys)) {
      listener.position = one.number
      listener.tell(one.message)
    }
  }
  const keep = (event: Kept) => {
    kept.push(event)
    // Cut now and then instead of shifting each time.
    if (kept.length < 2 * keptEvents) return
    kept = kept.slice(-keptEvents)
    keptAfter = (kept[0]?.number ?? 1) - 1
  }
  /** Each once; a copy, since telling may end a subscription. */
  const listening = (keys: readonly string[]) =>
    new Set(keys.flatMap((key) => [...(listeners.get(key) ?? [])]))

  const tellLive = (subject: Subject, message: Message) => {
    for (const listener of listening(keysOf(subject))) listener.tell(message)
  }

  return {
    get position() {
      return position
    },
    get isEmpty() {
      return listeners.size === 0
    },
    count: (key) => listeners.get(key)?.size ?? 0,
    start() {
      starting ??= start().catch((error) => {
        starting = undefined
        throw error
      })
      return starting
    },
    async advance() {
      // A run that has begun may have read before what its caller knows of was committed.
      await advancing?.catch(() => undefined)
      advancing ??= advance().finally(() => {
        advancing = undefined
      })
      return advancing
    },
    recent(keys, after) {
      if (after < keptAfter) return null
      return kept
        .filter(
          ({ number, keys: has }) => number > after && has.some((k) => keys.includes(k)),
        )
        .map(({ message }) => message)
    },
    page: (wanted) => outbox.read({ projectId, upTo: position, ...wanted }),
    extent: () => outbox.extent(projectId),
    add(listener) {
      for (const key of listener.keys) {
        const set = listeners.get(key) ?? new Set()
        listeners.set(key, set.add(listener))
      }
    },
    remove(listener) {
      for (const key of listener.keys) {
        const set = listeners.get(key)
        if (set?.delete(listener) && set.size === 0) listeners.delete(key)
      }
    },
    tellLive,
    tellLast(subject, message) {
      const { fileId } = subject
      if (fileId === null) return tellLive(subject, message)
      lasts.get(fileId)?.()
      const tellNow = () => {
        clearTimeout(late)
        lasts.delete(fileId)
        tellLive(subject, message)
      }
      const late = setTimeout(tellNow, lastMs).unref()
      lasts.set(fileId, tellNow)
    },
  }
}

function toKept(event: StoredEvent): Kept {
  return { number: event.number, keys: keysOf(event), message: storedMessage(event) }
}
