import type { Logger } from '../shared/logger.ts'
import type { Meter } from '../shared/meter.ts'
import { type Beating, createHeartbeat } from './heartbeat.ts'
import { createTurnstile, type SubscriberLimits, type Turnstile } from './turnstile.ts'

/** A connection that stays open to be told something. */
export interface Subscriber extends Beating {
  /** The server stops. */
  end(): void
}

/** All connections of this process that watch, whatever they speak. */
export interface Subscribers extends Turnstile {
  /** Most bytes that may wait for one of them; one that lets more pile up is dropped. */
  readonly maxPending: number
  /** How many were dropped since the start because they did not read. */
  readonly droppedCount: number
  add(subscriber: Subscriber): void
  remove(subscriber: Subscriber): void
  /** One was too slow. */
  dropped(kind: 'sse' | 'websocket', pending: number): void
  /** Ends all, and whoever is added from now on. */
  close(): void
}

export interface SubscriberOptions extends SubscriberLimits {
  /** Milliseconds between two heartbeats. */
  heartbeat: number
  maxPending: number
  log: Logger
  meter: Pick<Meter, 'eventSubscribers'>
}

export function createSubscribers(options: SubscriberOptions): Subscribers {
  const { log, meter, maxPending } = options
  const heartbeat = createHeartbeat(options.heartbeat)
  const turnstile = createTurnstile(options)
  const all = new Set<Subscriber>()
  let droppedCount = 0
  let closed = false
  return {
    maxPending,
    get count() {
      return turnstile.count
    },
    get droppedCount() {
      return droppedCount
    },
    enter: turnstile.enter,
    add(subscriber) {
      if (closed) return void setImmediate(() => subscriber.end())
      all.add(subscriber)
      meter.eventSubscribers(1)
      heartbeat.add(subscriber)
    },
    remove(subscriber) {
      if (all.delete(subscriber)) meter.eventSubscribers(-1)
      heartbeat.remove(subscriber)
    },
    dropped(kind, pending) {
      droppedCount++
      log.info({ kind, pending, reason: 'slow' }, 'a subscriber was dropped')
    },
    close() {
      closed = true
      heartbeat.stop()
      for (const subscriber of [...all]) subscriber.end()
    },
  }
}
