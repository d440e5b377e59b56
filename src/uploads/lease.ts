import { CarcosaError } from '../shared/errors.ts'

/**
 * The right to write to one upload. Whoever holds it must end soon after `releaseRequested`
 * fires: a request on a half-open connection holds it until somebody else asks.
 */
export interface Lease {
  /** Grows with every holder of the same upload; an older one may no longer commit. */
  readonly fence: number
  readonly releaseRequested: AbortSignal
  /** Tells waiters that the holder is alive; call it as bytes arrive. */
  touch(): void
  /** Idempotent. */
  release(): void
}

export interface AcquireOptions {
  /**
   * `now` asks the holder to end at once (HEAD, DELETE: the client wants the offset, so its
   * old connection is dead); `idle` asks only a holder that has received nothing for a second
   * (PATCH: two live writers must not chase each other away).
   */
  preempt: 'now' | 'idle'
  /** Asked before a holder is disturbed; by throwing it gives up. */
  beforeWaiting?(): Promise<unknown>
  /** Gives up waiting, e.g. because the waiting client left. */
  signal?: AbortSignal
}

/** One writer per upload. In this process only; a lease row takes its place across nodes. */
export interface Leases {
  /**
   * Waits without using the CPU until the lease is free.
   * @throws {CarcosaError} UPLOAD_LOCKED after `waitMs`, or at once with too many waiters
   */
  acquire(id: string, options: AcquireOptions): Promise<Lease>
  /** Asks every holder to end, now and from now on: this process stops. */
  end(): void
}

export interface LeaseLimits {
  /** Longest wait for a lease, in ms. Default 10 000. */
  waitMs?: number
  /** A holder without a byte for this long, in ms, gives way to a PATCH. Default 1 000. */
  idleMs?: number
  /** Requests waiting for the same upload. Default 64. */
  maxWaiters?: number
}

export function createLeases(limits: LeaseLimits = {}): Leases {
  const { waitMs = 10_000, idleMs = 1_000, maxWaiters = 64 } = limits
  const held = new Map<string, Holder>()
  let fence = 0
  let ending = false

  function grant(id: string): Lease {
    const holder = newHolder(++fence)
    const previous = held.get(id)
    if (previous) holder.waiters = previous.waiters
    held.set(id, holder)
    if (ending) holder.release.abort(stopping)
    let released = false
    return {
      fence: holder.fence,
      releaseRequested: holder.release.signal,
      touch() {
        holder.touchedAt = Date.now()
      },
      release() {
        if (released) return
        released = true
        const next = holder.waiters.shift()
        if (next) next()
        else held.delete(id)
      },
    }
  }

  function wait(
    id: string,
    { waiters }: Holder,
    options: AcquireOptions,
  ): Promise<Lease> {
    const { preempt, signal } = options
    return new Promise((resolve, reject) => {
      const ask = () => {
        const current = held.get(id)
        if (!current) return
        const idle = Date.now() - current.touchedAt
        if (preempt === 'now' || idle >= idleMs) current.release.abort(wanted)
      }
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
      const patience = setInterval(ask, idleMs)
      waiters.push(proceed)
      signal?.addEventListener('abort', giveUp, { once: true })
      ask()
    })
  }

  return {
    async acquire(id, options) {
      if (!held.has(id)) return grant(id)
      await options.beforeWaiting?.()
      const holder = held.get(id)
      if (!holder) return grant(id)
      if (holder.waiters.length >= maxWaiters) throw locked(waitMs)
      return wait(id, holder, options)
    },

    end() {
      ending = true
      for (const holder of held.values()) holder.release.abort(stopping)
    },
  }
}

/** Reasons of our own: without one each abort would build an exception with its stack. */
const wanted = 'somebody else asked for the upload'
const stopping = 'this process stops'

interface Holder {
  fence: number
  touchedAt: number
  release: AbortController
  waiters: (() => void)[]
}

function newHolder(fence: number): Holder {
  return { fence, touchedAt: Date.now(), release: new AbortController(), waiters: [] }
}

function locked(waitMs: number): CarcosaError {
  return new CarcosaError('UPLOAD_LOCKED', {
    message: `Another request has been writing to this upload for ${waitMs} ms. Ask for its offset with HEAD, then continue from there.`,
    headers: { 'Retry-After': '1' },
  })
}
