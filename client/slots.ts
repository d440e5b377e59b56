/** Runs at most so many things at a time, first come first served. */
export interface Slots {
  /** Runs `work` when there is room. Rejects with the signal's reason if it waits no longer. */
  run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>
}

export function createSlots(count: number): Slots {
  let free = count
  const waiting = new Set<() => void>()

  function enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (free > 0) {
      free--
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const abort = () => {
        waiting.delete(admit)
        reject(signal.reason)
      }
      const admit = () => {
        signal.removeEventListener('abort', abort)
        resolve()
      }
      waiting.add(admit)
      signal.addEventListener('abort', abort, { once: true })
    })
  }

  function leave() {
    const [next] = waiting
    if (!next) {
      free++
      return
    }
    waiting.delete(next)
    next()
  }

  return {
    async run(work, signal) {
      await enter(signal)
      try {
        return await work()
      } finally {
        leave()
      }
    },
  }
}
