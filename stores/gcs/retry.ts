import { setTimeout as sleep } from 'node:timers/promises'
import { isPassing } from './errors.ts'

/** How often something fails before it is given up: about three seconds. */
export const maxFailures = 5

/** Repeats `attempt` while what it fails with may pass. */
export async function retrying<T>(attempt: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt()
    } catch (error) {
      if (!isPassing(error) || failures >= maxFailures) throw error
      await pause(failures)
    }
  }
}

/** Longer after each failure, and never in step with other uploads. */
export function pause(failures: number): Promise<void> {
  return sleep(100 * 2 ** failures * (0.5 + Math.random() / 2))
}
