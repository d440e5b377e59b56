import type { FileRecord } from '../files/record.ts'
import { CarcosaError, toCarcosaError } from '../shared/errors.ts'

/** What became of one of several: the file, or why there is none. */
export type UploadOutcome =
  | { data: FileRecord; error: null }
  | { data: null; error: CarcosaError }

export const defaultConcurrency = 6
export const maxConcurrency = 25

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

/** How many at once were asked for. @throws {CarcosaError} BAD_REQUEST */
export function readConcurrency(given: unknown): number {
  if (given === undefined) return defaultConcurrency
  const isNumber = typeof given === 'number' && Number.isInteger(given)
  if (isNumber && given >= 1 && given <= maxConcurrency) return given
  throw new CarcosaError('BAD_REQUEST', {
    message: `concurrency is a whole number from 1 to ${maxConcurrency}.`,
  })
}

export function toOutcome(result: FileRecord | CarcosaError): UploadOutcome {
  return result instanceof CarcosaError
    ? { data: null, error: result }
    : { data: result, error: null }
}
