/**
 * Short messages to every process that shares this database, this one included: that a file
 * changed, that somebody wants an upload, how many bytes have arrived. Only hints: each may be
 * lost, and none says what is true. Whoever misses one finds the truth in the database, if later.
 */
export interface Channel {
  /**
   * Listeners of this process are told at once. Those of others within a moment, together with
   * all that is sent meanwhile; the same message is then told once.
   *
   * @param topic one word, e.g. `file`
   * @param message at most {@link maxMessageBytes}; a longer one is a bug and throws
   * @param urgent do not wait for more: somebody stands still until this arrives
   */
  send(topic: string, message: string, urgent?: boolean): void
  /** Calls `listener` for each message of `topic` until the function returned is called. */
  on(topic: string, listener: (message: string) => void): () => void
  /**
   * Calls `listener` whenever messages of other processes may have been missed: the connection
   * is back after it was lost.
   */
  onGap(listener: () => void): () => void
  /** Whether messages of other processes arrive at the moment; always true where there are none. */
  readonly connected: boolean
  /** Sends what is left and listens no more. Idempotent. */
  close(): Promise<void>
}

/** In UTF-8. NOTIFY takes 8,000 bytes for all that is told at once. */
export const maxMessageBytes = 1_000
