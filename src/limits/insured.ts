import type { Logger } from '../shared/logger.ts'
import type { Count, Counts } from './counts.ts'

/** How long counters may take to answer, in ms: a request waits for them. */
const patienceMs = 1_000
/** How long counters that failed are not asked again, in ms. */
const pauseMs = 5_000

/**
 * Counts in `counts`, and in `insurance` while those cannot be reached: no request fails for a
 * counter. The log is told once when that begins, and once when it is over.
 */
export function insuredCounts(
  counts: Counts,
  { insurance, log }: { insurance: Counts; log: Logger },
): Counts {
  let isFailing = false
  let pausedUntil = 0
  return {
    async add(key, addition) {
      if (performance.now() < pausedUntil) return insurance.add(key, addition)
      try {
        const count = await inTime(counts.add(key, addition))
        if (isFailing) log.info({}, 'rate limits are counted for all processes again')
        isFailing = false
        return count
      } catch (err) {
        pausedUntil = performance.now() + pauseMs
        if (!isFailing) {
          log.warn(
            { err },
            'rate limits are counted by each process alone: the counters cannot be reached',
          )
        }
        isFailing = true
        return insurance.add(key, addition)
      }
    },
  }
}

function inTime(answer: Promise<Count>): Promise<Count> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`no answer within ${patienceMs} ms`)),
      patienceMs,
    )
    answer.then(resolve, reject).finally(() => clearTimeout(late))
  })
}
