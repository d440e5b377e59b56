import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const MiB = 1024 * 1024

/**
 * Measured for one upload: a process with V8's usual small heap fell into marking now and then at
 * 8 MiB, and took half as much per second; at 4 MiB it never did.
 */
const leastBytes = 4 * MiB
/**
 * V8 marks the whole heap when the memory outside of it has grown by 64 MiB: this, what waits
 * and what sockets hold must stay below.
 */
const mostBytes = 32 * MiB
/** Sockets hold about as much as waits, and all of it must be gone by the next collection. */
const timesWaiting = 4

/**
 * Keeps bodies from setting off one collection of the whole heap after another.
 *
 * Node makes a new buffer outside of the heap for every 64 KiB it reads. V8 frees them
 * together with its young objects, but collects those only when *they* have become many; long
 * before, the memory outside makes it mark the whole heap, every 10 to 30 MiB of body and the
 * more often the smaller the heap is. That cost up to four fifths of the throughput of a
 * process that was idle. Asking for a young collection now and then costs well under a
 * millisecond, since hardly anything of it is alive, and none of the others happens.
 *
 * What lives through two collections is young no more, and only marking frees it. Where many
 * bodies wait to be written or sent their buffers live longer, so collections come less often:
 * else 100 uploads had the heap marked every 70 MiB, which costs the more the larger it is.
 */
export interface Relief {
  /** So many bytes went by. */
  passed(bytes: number): void
  /** So many bytes more wait in memory until they are written or sent; fewer where it is negative. */
  waiting(bytes: number): void
  /** Bytes that wait now. */
  readonly held: number
}

export function createRelief(collect: (() => void) | null = youngCollection()): Relief {
  let gone = 0
  let held = 0
  return {
    passed(bytes) {
      gone += bytes
      if (gone < Math.min(Math.max(timesWaiting * held, leastBytes), mostBytes)) return
      gone = 0
      collect?.()
    },
    waiting(bytes) {
      held += bytes
    },
    get held() {
      return held
    },
  }
}

/** The one of the process, for bodies that pass in either direction. */
export const relief = createRelief()

/**
 * V8's own `gc`, which it only shows to contexts made while the flag is set; the flag is taken
 * back at once. Null where the engine does not have it: then everything is as it was.
 */
export function youngCollection(): (() => void) | null {
  try {
    setFlagsFromString('--expose-gc')
    const gc: unknown = runInNewContext('gc')
    if (typeof gc !== 'function') return null
    return () => gc({ type: 'minor' })
  } catch {
    // An engine without the flag: an optimisation is no reason to fail.
    return null
  } finally {
    setFlagsFromString('--no-expose-gc')
  }
}
