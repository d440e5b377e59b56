/** Counters with a time: where the points that were spent are remembered. */
export interface Counts {
  /**
   * Adds `points` to what `key` has in its window, atomically; the window begins with the first
   * points after the last one ended. Rejects where the counters cannot be reached.
   */
  add(key: string, addition: Addition): Promise<Count>
}

export interface Addition {
  readonly points: number
  /** How long a window is. */
  readonly seconds: number
  /**
   * Resolves when somebody waits for the count: before that it may be put off by a few
   * milliseconds, to be done together with others. Default: somebody does.
   */
  readonly wanted?: Promise<void> | undefined
}

export interface Count {
  /** Points in this window, those just added included. */
  readonly points: number
  /** Milliseconds until the window ends. */
  readonly msLeft: number
}
