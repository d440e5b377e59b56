import type { Fence } from '../files/fence.ts'
import type { Wish } from '../files/leases.ts'
import type { FileRecord } from '../files/record.ts'
import { findFile } from '../files/records.ts'
import { createLeaseRows, type LeaseRows, type LeaseRowsDeps } from './lease-rows.ts'
import { createTurns, locked, type Turn } from './turns.ts'

/**
 * The right to write to one upload. Whoever has it must end soon after `releaseRequested` fires:
 * a request on a half-open connection has it until somebody else asks, and a process that could
 * not renew it in time has lost it.
 */
export interface Lease {
  /** What commits are made under. Null: not held yet, or this process is alone with its database. */
  readonly fence: Fence | null
  /** See {@link GrowingObject.contested} of stores/store.ts. */
  readonly contested: boolean
  readonly releaseRequested: AbortSignal
  /** Tells waiters that the holder is alive; call it as bytes arrive. */
  touch(): void
  /**
   * The upload as it stands, with no other process writing to it at that moment: one that does
   * is asked to end and waited for. Null if there is none.
   * @throws {CarcosaError} UPLOAD_LOCKED after `waitMs`
   */
  look(): Promise<FileRecord | null>
  /**
   * The upload as it stands, held against all processes while it is unfinished.
   * @throws {CarcosaError} UPLOAD_LOCKED after `waitMs`
   */
  hold(): Promise<FileRecord | null>
  /** What to create the row with, so that it is held from the beginning; null if it need not be. */
  begin(): NewLease | null
  /** The row was created with it. */
  begun(): void
  /** A commit was refused: what is still under way is of no use. */
  lose(): void
  /** The upload has ended, and its lease with it. */
  over(): void
  /** Idempotent. */
  release(): void
}

/** An upload and the lease under which something is done to it. */
export interface Underway {
  record: FileRecord
  lease: Pick<Lease, 'fence'>
}

export interface AcquireOptions {
  /**
   * `now` asks the holder to end at once (HEAD, DELETE: the client wants the offset, so its
   * old connection is dead); `idle` asks only a holder that has received nothing for a second
   * (PATCH: two live writers must not chase each other away).
   */
  preempt: Wish
  /** Asked before a holder is disturbed; by throwing it gives up. */
  beforeWaiting?(): Promise<unknown>
  /** Gives up waiting, e.g. because the waiting client left. */
  signal?: AbortSignal
}

/** What a row is created with so that nobody else writes to it before its creator has ended. */
export interface NewLease {
  readonly holder: string
  readonly ms: number
}

/** One writer per upload: among the requests of this process, and among all processes. */
export interface Leases {
  /**
   * Waits without using the CPU until no other request of this process has the upload. Other
   * processes are waited for by `look` and `hold`.
   * @throws {CarcosaError} UPLOAD_LOCKED after `waitMs`, or at once with too many waiters
   */
  acquire(id: string, options: AcquireOptions): Promise<Lease>
  /** Tells whoever writes to the upload, in any process, that it was ended. */
  cancel(id: string): void
  /** Asks every holder in this process to end, now and from now on: it stops. */
  end(): void
  /** Resolves when what was released is free for other processes. */
  close(): Promise<void>
}

export interface LeaseLimits {
  /** Longest wait for a lease, in ms. Default 12 000: longer than `ttlMs`. */
  waitMs?: number
  /** A holder without a byte for this long, in ms, gives way to a PATCH. Default 1 000. */
  idleMs?: number
  /** Requests of this process waiting for the same upload. Default 64. */
  maxWaiters?: number
  /** How long a process that died keeps its leases, in ms. Default 10 000. */
  ttlMs?: number
}

export function createLeases(deps: LeaseRowsDeps, limits: LeaseLimits = {}): Leases {
  const { waitMs = 12_000, idleMs = 1_000, maxWaiters = 64, ttlMs = 10_000 } = limits
  const turns = createTurns({ waitMs, idleMs, maxWaiters })
  const rows =
    deps.db.kind === 'postgres' ? createLeaseRows(deps, turns, { ttlMs, idleMs }) : null

  return {
    async acquire(id, options) {
      const deadline = Date.now() + waitMs
      const { preempt: wish, ...rest } = options
      const turn = await turns.take(id, { wish, ...rest })
      if (!rows) return localLease(deps, id, turn)
      return sharedLease({ id, turn, rows, options, deadline, waitMs })
    },
    cancel(id) {
      turns.cancel(id)
      rows?.cancel(id)
    },
    end: turns.end,
    close: async () => rows?.close(),
  }
}

/** Of a process that is alone with its database. */
function localLease({ db }: LeaseRowsDeps, id: string, turn: Turn): Lease {
  const find = () => findFile(db, id)
  const nothing = () => undefined
  const { releaseRequested, touch, release } = turn
  return {
    fence: null,
    contested: false,
    releaseRequested,
    touch,
    look: find,
    hold: find,
    begin: () => null,
    begun: nothing,
    lose: turn.lose,
    over: nothing,
    release,
  }
}

interface Shared {
  id: string
  turn: Turn
  rows: LeaseRows
  options: AcquireOptions
  /** When waiting ends, in ms of Date.now(). */
  deadline: number
  waitMs: number
}

function sharedLease({ id, turn, rows, options, deadline, waitMs }: Shared): Lease {
  let held: { fence: Fence; contested: boolean } | null = null
  let begunAt = 0
  let isStranger = options.beforeWaiting !== undefined

  /** Tries until the upload is free; `heldFor` is how long it is another process's at most. */
  const untilFree = async (attempt: () => ReturnType<LeaseRows['find']>) => {
    for (;;) {
      const found = await attempt()
      if (!found || found.taken || found.heldFor <= 0) return found
      if (isStranger) await options.beforeWaiting?.()
      isStranger = false
      const left = deadline - Date.now()
      if (left <= 0 || turn.releaseRequested.aborted) throw locked(waitMs)
      const wait = {
        ms: Math.min(found.heldFor + 5, left),
        signal: turn.releaseRequested,
      }
      await rows.waitFor(id, options.preempt, wait)
    }
  }
  const isLate = () => held !== null && !rows.isHeld(id, held.fence)

  return {
    get fence() {
      return held?.fence ?? null
    },
    get contested() {
      return held?.contested ?? false
    },
    releaseRequested: turn.releaseRequested,
    touch() {
      turn.touch()
      if (isLate()) turn.lose()
    },
    async look() {
      const found = await untilFree(() => rows.find(id))
      return found?.record ?? null
    },
    async hold() {
      const found = await untilFree(() => rows.take(id, turn))
      held = found?.taken ?? held
      return found?.record ?? null
    },
    begin() {
      begunAt = performance.now()
      return { holder: rows.holder, ms: rows.ttlMs }
    },
    begun() {
      held = rows.begun(id, turn, begunAt)
    },
    lose: turn.lose,
    over() {
      if (held) rows.forget(id)
      held = null
    },
    release() {
      turn.release()
      if (held) rows.release(id, held.fence)
      held = null
    },
  }
}
