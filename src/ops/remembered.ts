export interface RememberedOptions<T> {
  find(): Promise<T>
  /** How long an outcome is good for, in ms. */
  keepMs(outcome: 'found' | 'failed'): number
  /** How long one caller waits, in ms. */
  timeoutMs: number
}

/**
 * Finds something out at most once at a time, and again only when the last outcome is old: it
 * does not matter how many ask how often. While an answer is overdue nobody asks again, so
 * nothing piles up behind what hangs.
 *
 * The function rejects with what `find` fails with, or with a plain Error when that takes too
 * long.
 */
export function createRemembered<T>(options: RememberedOptions<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  let last: { outcome: Promise<T>; until: number } | undefined

  const begin = (): Promise<T> => {
    const asked = options.find()
    running = asked
    const keep = (outcome: 'found' | 'failed') => {
      running = undefined
      last = { outcome: asked, until: Date.now() + options.keepMs(outcome) }
    }
    asked.then(
      () => keep('found'),
      () => keep('failed'),
    )
    return asked
  }

  return () => {
    if (last && last.until > Date.now()) return last.outcome
    return withTimeout(running ?? begin(), options.timeoutMs)
  }
}

function withTimeout<T>(work: Promise<T>, ms: number): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
  work.then(resolve, reject).finally(() => clearTimeout(timer))
  return promise
}
