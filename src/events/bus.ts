/**
 * Tells whoever waits in this process that a file changed. Only a hint to look at the row
 * again, never the truth: a waiter on another node finds out by looking now and then.
 */
export interface Bus {
  publish(fileId: string): void
  /** Resolves at the next change of the file or after `ms`, whichever comes first. */
  wait(fileId: string, ms: number, signal?: AbortSignal): Promise<void>
}

export function createBus(): Bus {
  const waiting = new Map<string, Set<() => void>>()

  return {
    publish(fileId) {
      for (const wake of [...(waiting.get(fileId) ?? [])]) wake()
    },

    wait(fileId, ms, signal) {
      return new Promise((resolve) => {
        const wakes = waiting.get(fileId) ?? new Set()
        const wake = () => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', wake)
          wakes.delete(wake)
          if (wakes.size === 0) waiting.delete(fileId)
          resolve()
        }
        const timer = setTimeout(wake, ms)
        signal?.addEventListener('abort', wake, { once: true })
        wakes.add(wake)
        waiting.set(fileId, wakes)
        if (signal?.aborted) wake()
      })
    },
  }
}
