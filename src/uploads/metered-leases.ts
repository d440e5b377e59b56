import { type Meter, stopwatch } from '../shared/meter.ts'
import type { Lease, Leases } from './lease.ts'

/**
 * The same leases, with how many this process has, and how long each was waited for, told: for
 * other requests of this process, for other processes, and for the statement that takes it.
 */
export function meteredLeases(leases: Leases, meter: Meter): Leases {
  return {
    ...leases,
    async acquire(id, options) {
      const seconds = stopwatch()
      try {
        return metered(await leases.acquire(id, options), meter, seconds())
      } catch (error) {
        meter.lockWaited(seconds())
        throw error
      }
    },
  }
}

/** Changes the lease, which was just made for us: `touch`, called with every chunk, stays as fast. */
function metered(lease: Lease, meter: Meter, acquired: number): Lease {
  const { look, hold, release } = lease
  let isTold = false
  let isHeld = true
  meter.locksHeld(1)
  const tell = (waited: number) => {
    if (!isTold) meter.lockWaited(waited)
    isTold = true
  }
  const timed = <T>(work: () => Promise<T>): Promise<T> => {
    const seconds = stopwatch()
    return work().finally(() => tell(acquired + seconds()))
  }
  return Object.assign(lease, {
    look: () => timed(look),
    hold: () => timed(hold),
    release() {
      tell(acquired)
      if (isHeld) meter.locksHeld(-1)
      isHeld = false
      release()
    },
  })
}
