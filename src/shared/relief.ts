import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

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
 * @returns what to call with the size of each chunk
 */
export function createRelief(collect: (() => void) | null = youngCollection()) {
  let passed = 0
  return (bytes: number): void => {
    passed += bytes
    if (passed < everyBytes) return
    passed = 0
    collect?.()
  }
}

/** The one of the process, for bodies that pass in either direction. */
export const relieve = createRelief()

/** Measured: at 16 MiB some processes still fell into marking, at 4 MiB nothing was gained. */
const everyBytes = 8 * 1024 * 1024

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
