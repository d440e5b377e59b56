import { randomUUID } from 'node:crypto'
import type { Channel } from '../channel/channel.ts'
import type { Database } from '../db/database.ts'
import type { Bus } from '../events/bus.ts'
import type { Fence } from '../files/fence.ts'
import {
  findLeased,
  type Leased,
  releaseLease,
  renewLeases,
  type Taken,
  takeLease,
  type Wish,
  wantLease,
} from '../files/leases.ts'
import type { Logger } from '../shared/logger.ts'
import type { Turn, Turns } from './turns.ts'

/**
 * The leases this process has in the rows of uploads: taken and given back by one statement each,
 * renewed together by one for all, so that neither a connection nor a session is bound to one.
 * Who waits asks the holder by a message and by a word in the row, which the holder reads when
 * it renews: messages alone get lost, and do not pass every pooler.
 */
export interface LeaseRows {
  /** Names this process. */
  readonly holder: string
  /** How long a lease lives that is not renewed. */
  readonly ttlMs: number
  find(id: string): Promise<Leased | null>
  /** Takes it if it can be had; `turn` is stopped when it is lost or wanted by another process. */
  take(id: string, turn: Turn): Promise<Leased | null>
  /** It came with the row, which was asked for at `askedAt` of performance.now(). */
  begun(id: string, turn: Turn, askedAt: number): Taken
  /** Whether it was renewed in time, by the clock of this process. */
  isHeld(id: string, fence: Fence): boolean
  /** It ended with its upload. */
  forget(id: string): void
  /** Gives it back in the background. */
  release(id: string, fence: Fence): void
  /** Tells other processes that the upload was ended. */
  cancel(id: string): void
  /** Asks, and resolves when it is worth trying again, at the latest after `wait.ms`. */
  waitFor(
    id: string,
    wish: Wish,
    wait: { ms: number; signal: AbortSignal },
  ): Promise<void>
  /** Resolves when all that was released is. */
  close(): Promise<void>
}

export interface LeaseRowsDeps {
  readonly db: Database
  readonly channel: Channel
  readonly bus: Bus
  readonly log: Logger
}

export interface LeaseTimes {
  ttlMs: number
  idleMs: number
}

interface Mine {
  readonly number: number
  readonly turn: Turn
  /** Until when nobody else can have it, in ms of performance.now(). */
  validUntil: number
}

const topic = 'lease'

/** Milliseconds between two looks at what this process holds. */
const tickMs = 1_000

export function createLeaseRows(
  { db, channel, bus, log }: LeaseRowsDeps,
  turns: Turns,
  { ttlMs, idleMs }: LeaseTimes,
): LeaseRows {
  const holder = randomUUID()
  const mine = new Map<string, Mine>()
  const releasing = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  let renewedAt = 0
  let renewing = false

  const stopListening = channel.on(topic, (message) => {
    const [from, what, id = ''] = message.split(' ')
    if (from === holder) return
    if (what === 'ended') turns.cancel(id)
    else turns.ask(id, what === 'now' ? 'now' : 'idle')
  })

  const keep = (id: string, lease: Mine) => {
    mine.set(id, lease)
    timer ??= setInterval(tick, tickMs)
    timer.unref()
  }
  const forget = (id: string) => {
    mine.delete(id)
    if (mine.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
  const tick = () => {
    const now = performance.now()
    for (const { validUntil, turn } of mine.values()) {
      if (now > validUntil) turn.lose()
    }
    // Where nothing is heard, a third of the time is too long to learn that somebody waits.
    const isDue = now - renewedAt > ttlMs / 3 || !channel.connected
    if (isDue && !renewing) void renew()
  }
  const renew = async () => {
    renewing = true
    const askedAt = performance.now()
    const before = [...mine].map(([id, { number }]) => ({ id, number }))
    try {
      const kept = await renewLeases(db, { holder, ms: ttlMs, leases: before })
      renewedAt = askedAt
      const wishes = new Map(kept.map(({ id, wanted }) => [id, wanted]))
      for (const { id, number } of before) {
        const lease = mine.get(id)
        if (lease?.number !== number) continue
        const wish = wishes.get(id)
        if (wish === undefined) lease.turn.lose()
        else lease.validUntil = askedAt + ttlMs
        if (wish) turns.ask(id, wish)
      }
    } catch (err) {
      log.warn({ err, leases: before.length }, 'could not renew the leases of uploads')
    } finally {
      renewing = false
    }
  }

  const tell = (id: string, what: Wish | 'ended') =>
    channel.send(topic, `${holder} ${what} ${id}`, true)

  return {
    holder,
    ttlMs,
    find: (id) => findLeased(db, id, holder),
    async take(id, turn) {
      const askedAt = performance.now()
      const found = await takeLease(db, id, { holder, ms: ttlMs })
      if (found?.taken) {
        const { number } = found.taken.fence
        keep(id, { number, turn, validUntil: askedAt + ttlMs })
      }
      return found
    },
    begun(id, turn, askedAt) {
      keep(id, { number: 1, turn, validUntil: askedAt + ttlMs })
      return { fence: { holder, number: 1 }, contested: false }
    },
    isHeld(id, { number }) {
      const lease = mine.get(id)
      return lease?.number === number && performance.now() <= lease.validUntil
    },
    forget,
    release(id, fence) {
      if (mine.get(id)?.number === fence.number) forget(id)
      const work = releaseLease(db, id, fence)
        .then((isWanted) => {
          if (isWanted) bus.publish(id, true)
        })
        .catch((err) => log.warn({ err, id }, 'could not release a lease: it runs out'))
        .finally(() => releasing.delete(work))
      releasing.add(work)
    },
    cancel: (id) => tell(id, 'ended'),
    async waitFor(id, wish, { ms, signal }) {
      const changed = bus.wait(id, Math.min(ms, idleMs), signal)
      tell(id, wish)
      await wantLease(db, id, wish)
      await changed
    },
    async close() {
      stopListening()
      clearInterval(timer)
      while (releasing.size > 0) await Promise.all(releasing)
    },
  }
}
