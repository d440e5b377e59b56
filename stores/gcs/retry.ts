import { repeated } from '../writing/retry.ts'
import { isPassing } from './errors.ts'

/** How often something fails before it is given up: about three seconds. */
export const maxFailures = 5

/** Repeats `attempt` while what it fails with may pass; it is told whether it was tried before. */
export function retrying<T>(attempt: (isRepeated: boolean) => Promise<T>): Promise<T> {
  return repeated({ isPassing, failures: maxFailures }, attempt)
}
