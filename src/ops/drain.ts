import { CarcosaError } from '../shared/errors.ts'

/**
 * Stopping without breaking what was begun: who works says so, new requests are refused once
 * closing began, and closing waits until nobody works any more.
 */
export interface Drain {
  /** Whether no more requests are wanted; those that come are served until closing begins. */
  readonly leaving: boolean
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
  /** No more requests are wanted: load balancers are told, and connections not kept. */
  leave(): void
  /** Closing begins, and with it leaving. */
  begin(): void
  /** Resolves when nothing runs, or after `ms`, with the number of what still runs. */
  idle(ms: number): Promise<number>
  /** Nobody is waited for any more. */
  end(): void
}

export function createDrain(): Drain {
  const closing = new AbortController()
  let leaving = false
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
    get leaving() {
      return leaving
    },
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
    leave() {
      leaving = true
    },
    begin() {
      leaving = true
      closing.abort('closing')
    },
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
