import type { Channel } from '../channel/channel.ts'

/**
 * Tells whoever waits, in this process or another one, that a file changed. Only a hint to look
 * at the row again, never the truth: a waiter also looks now and then by itself.
 */
export interface Bus {
  publish(fileId: string, urgent?: boolean): void
  /**
   * Calls `listener` with every file that changed: at once if that was in this process. Null if
   * messages of others may have been lost.
   */
  onChange(listener: (fileId: string | null) => void): void
  /** Resolves at the next change of the file or after `ms`, whichever comes first. */
  wait(fileId: string, ms: number, signal?: AbortSignal): Promise<void>
}

const topic = 'file'

export function createBus(channel: Channel): Bus {
  const waiting = new Map<string, Set<() => void>>()
  const listeners: ((fileId: string | null) => void)[] = []
  const tell = (fileId: string | null) => {
    for (const listener of listeners) listener(fileId)
  }
  channel.onGap(() => tell(null))
  channel.on(topic, (fileId) => {
    tell(fileId)
    for (const wake of [...(waiting.get(fileId) ?? [])]) wake()
  })

  return {
    publish(fileId, urgent) {
      tell(fileId)
      channel.send(topic, fileId, urgent)
    },
    onChange(listener) {
      listeners.push(listener)
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
