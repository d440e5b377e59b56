import type { Wish } from '../files/leases.ts'
import { CarcosaError } from '../shared/errors.ts'

/** One at a time per upload within this process; who waits costs nothing but its place. */
export interface Turns {
  /**
   * Waits without using the CPU until it is the caller's turn.
   * @throws {CarcosaError} UPLOAD_LOCKED after `waitMs`, or at once with too many waiters
   */
  take(id: string, options: TurnOptions): Promise<Turn>
  /** Asks whoever has the turn to end, as {@link Wish} says; nothing happens if nobody has. */
  ask(id: string, wish: Wish): void
  /** Tells whoever has the turn that the upload was ended, and with it all there is to do. */
  cancel(id: string): void
  /** Asks everybody to end, now and from now on: this process stops. */
  end(): void
}

export interface Turn {
  readonly releaseRequested: AbortSignal
  /** Tells waiters that the holder is alive; call it as bytes arrive. */
  touch(): void
  /** What the holder does is of no use any more: another process may write to the upload. */
  lose(): void
  /** Idempotent. */
  release(): void
}

export interface TurnOptions {
  wish: Wish
  /** Asked before a holder is disturbed; by throwing it gives up. */
  beforeWaiting?(): Promise<unknown>
  /** Gives up waiting, e.g. because the waiting client left. */
  signal?: AbortSignal
}

export interface TurnLimits {
  /** Longest wait, in ms. */
  waitMs: number
  /** A holder without a byte for this long, in ms, gives way to the wish `idle`. */
  idleMs: number
  /** Requests waiting for the same upload. */
  maxWaiters: number
}

export function createTurns({ waitMs, idleMs, maxWaiters }: TurnLimits): Turns {
  const held = new Map<string, Holder>()
  let ending = false

  function grant(id: string): Turn {
    const holder = newHolder()
    const previous = held.get(id)
    if (previous) holder.waiters = previous.waiters
    held.set(id, holder)
    if (ending) holder.release.abort(stopping)
    let released = false
    return {
      releaseRequested: holder.release.signal,
      touch() {
        holder.touchedAt = Date.now()
      },
      lose: () => holder.release.abort(lost),
      release() {
        if (released) return
        released = true
        const next = holder.waiters.shift()
        if (next) next()
        else held.delete(id)
      },
    }
  }

  function ask(id: string, wish: Wish) {
    const current = held.get(id)
    if (!current) return
    const idle = Date.now() - current.touchedAt
    if (wish === 'now' || idle >= idleMs) current.release.abort(wanted)
  }

  function wait(id: string, { waiters }: Holder, options: TurnOptions): Promise<Turn> {
    const { wish, signal } = options
    return new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(deadline)
        clearInterval(patience)
        signal?.removeEventListener('abort', giveUp)
      }
      const giveUp = () => {
        stop()
        const at = waiters.indexOf(proceed)
        if (at >= 0) waiters.splice(at, 1)
        reject(locked(waitMs))
      }
      const proceed = () => {
        stop()
        resolve(grant(id))
      }
      const deadline = setTimeout(giveUp, waitMs)
      const patience = setInterval(() => ask(id, wish), idleMs)
      waiters.push(proceed)
      signal?.addEventListener('abort', giveUp, { once: true })
      ask(id, wish)
    })
  }

  return {
    async take(id, options) {
      if (!held.has(id)) return grant(id)
      await options.beforeWaiting?.()
      const holder = held.get(id)
      if (!holder) return grant(id)
      if (holder.waiters.length >= maxWaiters) throw locked(waitMs)
      return wait(id, holder, options)
    },
    ask,
    cancel: (id) => held.get(id)?.release.abort(cancelled),
    end() {
      ending = true
      for (const holder of held.values()) holder.release.abort(stopping)
    },
  }
}

/** Reasons of our own: without one each abort would build an exception with its stack. */
const wanted = 'somebody else asked for the upload'
const stopping = 'this process stops'

const cancelled = 'the upload was ended'
const lost = 'the lease was lost'

/** Whether a holder was asked to end because what it does counts no more. */
export function isFutile({ reason }: AbortSignal): boolean {
  return reason === cancelled || reason === lost
}

interface Holder {
  touchedAt: number
  release: AbortController
  waiters: (() => void)[]
}

function newHolder(): Holder {
  return { touchedAt: Date.now(), release: new AbortController(), waiters: [] }
}

/** The answer to whoever waited `waitMs` in vain. */
export function locked(waitMs: number): CarcosaError {
  return new CarcosaError('UPLOAD_LOCKED', {
    message: `Another request has been writing to this upload for ${waitMs} ms. Ask for its offset with HEAD, then continue from there.`,
    headers: { 'Retry-After': '1' },
  })
}
