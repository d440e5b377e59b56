import { CarcosaError, toCarcosaError } from './errors.ts'

/** What became of one of several: what was wanted, or why there is none. */
export type Outcome<Data> =
  | { data: Data; error: null }
  | { data: null; error: CarcosaError }

const defaultConcurrency = 6
const maxConcurrency = 25
const maxMany = 500

/** How many of several are worked at: a statement or a request each. */
export const atOnce = 8

/**
 * The outcome of `work` for each of `items`, in their order, at most `limit` of them at once. What
 * fails keeps none of the others.
 */
export async function each<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<(Result | CarcosaError)[]> {
  const results: (Result | CarcosaError)[] = []
  let next = 0
  const worker = async () => {
    for (let i = next++; i < items.length; i = next++) {
      // Within the length of the list.
      const item = items[i] as Item
      results[i] = await work(item).catch(toCarcosaError)
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  return results
}

export function toOutcome<Data>(result: Data | CarcosaError): Outcome<Data> {
  return result instanceof CarcosaError
    ? { data: null, error: result }
    : { data: result, error: null }
}

/** How many at once were asked for. @throws {CarcosaError} BAD_REQUEST */
export function readConcurrency(given: unknown): number {
  if (given === undefined) return defaultConcurrency
  const isNumber = typeof given === 'number' && Number.isInteger(given)
  if (isNumber && given >= 1 && given <= maxConcurrency) return given
  throw new CarcosaError('BAD_REQUEST', {
    message: `concurrency is a whole number from 1 to ${maxConcurrency}.`,
  })
}

/** @throws {CarcosaError} BAD_REQUEST for what is no list, or too long a one */
export function assertFew(given: unknown): void {
  if (Array.isArray(given) && given.length <= maxMany) return
  throw new CarcosaError('BAD_REQUEST', {
    message: `At most ${maxMany} files are taken at once, as a list.`,
  })
}
