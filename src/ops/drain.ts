import { CarcosaError } from '../shared/errors.ts'

/**
 * Stopping without breaking what was begun: who works says so, new requests are refused once
 * closing began, and closing waits until nobody works any more.
 */
export interface Drain {
  /** Aborted when closing begins: whatever only waits ends at once. */
  readonly closing: AbortSignal
  /** For requests. @throws {CarcosaError} SHUTTING_DOWN once closing began */
  assertOpen(): void
  /**
   * For what running work may still ask for, e.g. a completion callback that lists files.
   * @throws {CarcosaError} SHUTTING_DOWN after {@link end}
   */
  assertNotEnded(): void
  /** Counts as running until `work` settles. */
  run<T>(work: () => Promise<T>): Promise<T>
  /** Closing begins. */
  begin(): void
  /** Resolves when nothing runs, or after `ms`, with the number of what still runs. */
  idle(ms: number): Promise<number>
  /** Nobody is waited for any more. */
  end(): void
}

export function createDrain(): Drain {
  const closing = new AbortController()
  let ended = false
  let running = 0
  let whenIdle: (() => void)[] = []

  const leave = () => {
    running--
    if (running > 0) return
    for (const wake of whenIdle) wake()
    whenIdle = []
  }

  return {
    closing: closing.signal,
    assertOpen() {
      if (closing.signal.aborted) throw shuttingDown()
    },
    assertNotEnded() {
      if (ended) throw shuttingDown()
    },
    async run(work) {
      running++
      try {
        return await work()
      } finally {
        leave()
      }
    },
    begin: () => closing.abort('closing'),
    async idle(ms) {
      if (running === 0) return 0
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms)
        whenIdle.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
      return running
    },
    end() {
      ended = true
    },
  }
}

function shuttingDown(): CarcosaError {
  return new CarcosaError('SHUTTING_DOWN', {
    message: 'This server is stopping. Ask again in a moment: another one takes over.',
    headers: { 'Retry-After': '5' },
  })
}
