import { setTimeout as sleep } from 'node:timers/promises'

export interface Repeating {
  /** Whether the same may succeed a moment later. */
  isPassing(error: unknown): boolean
  /** How often something fails before it is given up. */
  readonly failures: number
}

/** Repeats `attempt` while what it fails with may pass; it is told whether it was tried before. */
export async function repeated<T>(
  { isPassing, failures }: Repeating,
  attempt: (isRepeated: boolean) => Promise<T>,
): Promise<T> {
  for (let failed = 1; ; failed++) {
    try {
      return await attempt(failed > 1)
    } catch (error) {
      if (!isPassing(error) || failed >= failures) throw error
      await pause(failed)
    }
  }
}

/** Longer after each failure, and never in step with other uploads. */
export function pause(failures: number): Promise<void> {
  return sleep(100 * 2 ** failures * (0.5 + Math.random() / 2))
}
