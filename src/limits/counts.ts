/** Counters with a time: where the points that were spent are remembered. */
export interface Counts {
  /**
   * Adds `points` to what `key` has in its window, atomically; the window begins with the first
   * points after the last one ended. Rejects where the counters cannot be reached.
   */
  add(key: string, points: number, seconds: number): Promise<Count>
}

export interface Count {
  /** Points in this window, those just added included. */
  readonly points: number
  /** Milliseconds until the window ends. */
  readonly msLeft: number
}
