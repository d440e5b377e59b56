/** Moments by key, of which the oldest are forgotten where there are too many. */
export interface Recent {
  /** Milliseconds until the moment of `key`; 0 where it is over or unknown. */
  msUntil(key: string): number
  /** Keeps it; returns the key that had to go for it. */
  keep(key: string, ms: number): string | undefined
  /** Whether no key was ever kept: then there is nothing to look for. */
  readonly isEmpty: boolean
}

/** At most `max` of them. Keys come from whoever asks: nobody may fill the memory with them. */
export function createRecent(max: number): Recent {
  const moments = new Map<string, number>()
  return {
    msUntil: (key) => Math.max((moments.get(key) ?? 0) - Date.now(), 0),
    keep(key, ms) {
      moments.delete(key)
      moments.set(key, Date.now() + ms)
      if (moments.size <= max) return undefined
      const [oldest = ''] = moments.keys()
      moments.delete(oldest)
      return oldest
    },
    get isEmpty() {
      return moments.size === 0
    },
  }
}
