export interface TogetherOptions {
  /** Most items of one batch. */
  most: number
  /** How long the next batch waits for one that is under way, in ms. Default: until its end. */
  patienceMs?: number
}

/**
 * For work that costs less when it is done together. Returns what takes an item: it is worked on
 * with all that came in the same turn of the event loop, and what comes while a batch is under way makes
 * the next one. So nobody waits for others to come, and the more there is to do the less each
 * costs. `work` must not reject.
 */
export function together<T>(
  work: (items: T[]) => Promise<void>,
  { most, patienceMs }: TogetherOptions,
): (item: T) => void {
  const waiting: T[] = []
  let isBusy = false

  const run = async () => {
    while (waiting.length > 0) {
      const done = work(waiting.splice(0, most))
      await (patienceMs === undefined ? done : within(patienceMs, done))
    }
    isBusy = false
  }

  return (item) => {
    waiting.push(item)
    if (isBusy) return
    isBusy = true
    setImmediate(run)
  }
}

/** Until `done`, or for that long. */
function within(ms: number, done: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, ms)
    void done.then(() => {
      clearTimeout(late)
      resolve()
    })
  })
}
