/** Who tells the caller of a store how far its bytes are safe. */
export interface Teller {
  /** Bytes up to `position` were written. */
  wrote(position: number): void
  /** Resolves when all that was written is told. @throws what a sync failed with */
  end(): Promise<void>
}

export interface Telling {
  /** Resolves when all that was written before the call is on disk. */
  sync(): Promise<void>
  tell(position: number): void
  /** Called at once if a sync fails; `end` will throw. */
  onFailure(): void
}

/**
 * Syncs are this far apart while bytes come in. What was told is committed to the database
 * twice a second; more syncs would make nothing safer that anybody remembers.
 */
const intervalMs = 250

/** For who believes the kernel: what is written is told. */
export function tellWritten(tell: (position: number) => void): Teller {
  return { wrote: tell, async end() {} }
}

/**
 * Tells what is on disk. One sync covers every batch written before it began, writing goes on
 * while it runs, and the end of the request does not wait for the next one.
 */
export function tellSynced({ sync, tell, onFailure }: Telling): Teller {
  let written: number | null = null
  let running: Promise<void> | null = null
  let timer: NodeJS.Timeout | undefined
  let failure: { error: unknown } | null = null
  let ending = false

  const run = async (position: number) => {
    try {
      await sync()
      tell(position)
    } catch (error) {
      failure ??= { error }
      onFailure()
    }
    running = null
    arm()
  }
  const start = () => {
    clearTimeout(timer)
    timer = undefined
    if (written === null || failure) return
    const position = written
    written = null
    running = run(position)
  }
  const arm = () => {
    if (!running && !ending && written !== null) timer ??= setTimeout(start, intervalMs)
  }

  return {
    wrote(position) {
      written = position
      arm()
    },
    async end() {
      ending = true
      await running
      start()
      await running
      if (failure) throw failure.error
    },
  }
}
