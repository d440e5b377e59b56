import type { LiveBody, Outlet } from '../shared/reply.ts'
import type { Feed } from './feed.ts'
import type { Beating } from './heartbeat.ts'
import { type Message, streamMessage } from './message.ts'
import type { Following, Receiver, Wish } from './replay.ts'
import type { Subscribers } from './subscribers.ts'

/**
 * A subscription over Server-Sent Events. Not by better-sse: a session of it costs 36 KiB and
 * buffers without end for a client that stops reading (CONTRIBUTING.md, Decisions).
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function sseBody(
  feed: Feed,
  { subscribers, leave, guard, wish }: Subscription,
): LiveBody {
  return {
    begin(outlet) {
      new Stream(outlet, { subscribers, leave, guard }).begin(feed, wish)
    },
    drop: leave,
  }
}

interface Subscription {
  subscribers: Subscribers
  /** Frees the place that was taken for it; idempotent. */
  leave(): void
  /** Calls `end` when the subscriber may watch no longer, unless what it returns was called. */
  guard(end: () => void): () => void
  wish: Pick<Wish, 'projectId' | 'topics' | 'after'>
}

/** Keeps proxies from collecting and compressing what must arrive now. */
export const sseHeaders = Object.freeze({
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
  'X-Content-Type-Options': 'nosniff',
})

/** How long a dropped subscriber may take to read why, in ms. */
const partingMs = 1_000

class Stream implements Beating, Receiver {
  readonly #outlet: Outlet
  readonly #subscribers: Subscribers
  readonly #unguard: () => void
  #following: Following | undefined
  #ended = false
  /** It had no room at the last heartbeat. */
  #stalled = false
  /** Something was told since the last heartbeat: sign of life enough. */
  #told = false

  constructor(outlet: Outlet, { subscribers, leave, guard }: Omit<Subscription, 'wish'>) {
    this.#outlet = outlet
    this.#subscribers = subscribers
    this.#unguard = guard(() => this.end())
    outlet.onClose(() => {
      this.#stop()
      leave()
    })
  }

  begin(feed: Feed, wish: Subscription['wish']): void {
    // Not all of them at the same moment: they come back together when a server stops.
    this.#outlet.write(`retry: ${1_000 + Math.floor(Math.random() * 4_000)}\n\n`)
    this.#subscribers.add(this)
    this.#following = feed.follow({ ...wish, receiver: this })
    if (this.#ended) this.#following.stop()
  }

  beat(): void {
    if (!this.#outlet.isFull) {
      this.#stalled = false
      if (!this.#told) this.#outlet.write(':\n\n')
      this.#told = false
    } else if (this.#stalled) this.#drop()
    else this.#stalled = true
  }

  /**
   * The server stops, and the client comes back to another one; or it may watch no longer, and is
   * told so when it comes back.
   */
  end(): void {
    this.#stop()
    this.#outlet.end()
  }

  tell(message: Message): void {
    if (this.#outlet.pending > this.#subscribers.maxPending) this.#drop()
    else this.#outlet.write(message.sse())
    this.#told = true
  }

  room(): Promise<void> | null {
    return this.#outlet.isFull ? this.#outlet.room() : null
  }

  #drop(): void {
    if (this.#ended) return
    this.#stop()
    this.#subscribers.dropped('sse', this.#outlet.pending)
    this.#outlet.write(streamMessage('stream.dropped', { reason: 'slow' }).sse())
    this.#outlet.end()
    setTimeout(() => this.#outlet.destroy(), partingMs).unref()
  }

  #stop(): void {
    this.#ended = true
    this.#unguard()
    this.#following?.stop()
    this.#subscribers.remove(this)
  }
}
