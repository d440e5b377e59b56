import type { Channel } from '../channel/channel.ts'
import type { Logger } from '../shared/logger.ts'
import { createInterest } from './interest.ts'
import { type Live, liveMessage } from './message.ts'
import type { Outbox } from './outbox.ts'
import { createReader, type Reader } from './reader.ts'
import { createReplays, type Following, type Wish } from './replay.ts'
import { keysOf, type Subject } from './topic.ts'

/** Where what happens reaches those who watch in this process, whichever process it happens in. */
export interface Feed {
  /**
   * Gets ready to follow a project: what was committed before is not told any more to those who
   * ask for what happens from now on.
   * @throws {CarcosaError} DATABASE_UNAVAILABLE
   */
  open(projectId: string): Promise<void>
  /** Events were committed; whoever follows is told soon, in any process. */
  hint(): void
  /**
   * Tells what is stored from `wish.after` on, then what happens, each once and in the order of
   * numbers, until stopped. The project must have been opened.
   */
  follow(wish: Wish): Following
  /**
   * How many listen to something live about this; all of other processes count as one. Costs
   * next to nothing.
   */
  audience(subject: Subject & { projectId: string }): number
  /** Tells something that is not stored, to whoever listens now. May be lost. */
  tell(live: Live): void
  /** Idempotent. */
  close(): void
}

/** Least milliseconds between two readings. */
const foldMs = 100
/** Milliseconds until it looks by itself: a hint that was lost costs no more. */
const lookMs = 5_000
/** The same where no hints of other processes arrive, or reading failed. */
const troubleMs = 1_000
/** Least milliseconds between opening a project and forgetting it for want of followers. */
const keepMs = 60_000

export interface FeedDeps {
  outbox: Outbox
  channel: Channel
  log: Logger
}

export function createFeed({ outbox, channel, log }: FeedDeps): Feed {
  const readers = new Map<string, { reader: Reader; openedAt: number }>()
  const replays = createReplays(log)
  const interest = createInterest(channel, (projectId, key) => {
    const reader = readers.get(projectId)?.reader
    return reader !== undefined && (reader.count(key) > 0 || replays.uses(reader))
  })
  let timer: NodeJS.Timeout | undefined
  let isSoon = false
  let running = false
  let again = false
  let failed = false
  let closed = false

  const schedule = (ms: number) => {
    clearTimeout(timer)
    timer = undefined
    isSoon = ms === foldMs
    if (closed || readers.size === 0) return
    timer = setTimeout(run, ms)
    timer.unref()
  }
  const wake = () => {
    if (running) again = true
    else if (readers.size > 0 && !isSoon && !failed) schedule(foldMs)
  }
  const run = async () => {
    running = true
    again = false
    isSoon = false
    try {
      for (const [projectId, { reader, openedAt }] of readers) {
        if (!reader.isEmpty || replays.uses(reader)) await reader.advance()
        else if (openedAt < Date.now() - keepMs) readers.delete(projectId)
      }
      failed = false
    } catch (err) {
      if (!failed && !closed) log.warn({ err }, 'events cannot be read at the moment')
      failed = true
    }
    running = false
    const calm = failed || !channel.connected ? troubleMs : lookMs
    schedule(again && !failed ? foldMs : calm)
  }
  const stops = [
    channel.on('file', wake),
    channel.on(hintTopic, wake),
    channel.onGap(wake),
    channel.on(liveTopic, (text) => dispatch(JSON.parse(text) as Packed)),
  ]
  const dispatch = (packed: Packed, isLast = false) => {
    const [projectId, fileId, batchId, route, type, data] = packed
    const reader = readers.get(projectId)?.reader
    if (!reader || reader.isEmpty) return
    const tell = isLast ? reader.tellLast : reader.tellLive
    tell({ fileId, batchId, route }, liveMessage({ type, data }))
  }

  return {
    async open(projectId) {
      const known = readers.get(projectId)?.reader
      const reader = known ?? createReader(outbox, projectId)
      readers.set(projectId, { reader, openedAt: Date.now() })
      await reader.start()
      await reader.advance()
      if (!timer && !running) schedule(lookMs)
    },
    hint() {
      if (interest.isEmpty) wake()
      else channel.send(hintTopic, '')
    },
    follow(wish) {
      const reader = readers.get(wish.projectId)?.reader
      if (!reader) throw new TypeError('follow: the project was not opened')
      const following = replays.follow(reader, wish)
      interest.add(wish.projectId, following.keys)
      return following
    },
    audience(subject) {
      const { projectId } = subject
      const reader = readers.get(projectId)?.reader
      if (!reader && interest.isEmpty) return 0
      const keys = keysOf(subject)
      const elsewhere = keys.some((key) => interest.has(projectId, key))
      return keys.reduce((sum, key) => sum + (reader?.count(key) ?? 0), Number(elsewhere))
    },
    tell({ projectId, fileId, batchId, route, type, data, isLast }) {
      const packed: Packed = [projectId, fileId, batchId, route, type, data]
      const keys = keysOf({ fileId, batchId, route })
      if (keys.some((key) => interest.has(projectId, key)))
        channel.send(liveTopic, JSON.stringify(packed))
      else dispatch(packed, isLast)
    },
    close() {
      closed = true
      clearTimeout(timer)
      interest.close()
      for (const stop of stops) stop()
      replays.close()
    },
  }
}

const liveTopic = 'live'
const hintTopic = 'event'

type Packed = [
  projectId: string,
  fileId: string | null,
  batchId: string | null,
  route: string | null,
  type: Live['type'],
  data: string,
]
