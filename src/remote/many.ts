import { CarcosaError, toCarcosaError } from '../shared/errors.ts'

/** Several at once, as `carcosa.api` has it: src/uploads/many.ts and src/api/file-reference.ts. */

type Outcome<Data> = { data: Data; error: null } | { data: null; error: CarcosaError }

/** What became of each of `items`, at most `limit` of them at a time. */
export async function outcomesOf<Item, Data>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Data>,
): Promise<Outcome<Data>[]> {
  const outcomes: Outcome<Data>[] = []
  const waiting = items.entries()
  const worker = async () => {
    for (const [i, item] of waiting) {
      outcomes[i] = await work(item).then(
        (data) => ({ data, error: null }),
        (error: unknown) => ({ data: null, error: toCarcosaError(error) }),
      )
    }
  }
  await Promise.all(Array.from({ length: limit }, worker))
  return outcomes
}

/** The result for each of `items`, at most 8 at a time. @throws what `work` throws first */
export async function mapFew<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const waiting = items.entries()
  const worker = async () => {
    for (const [i, item] of waiting) results[i] = await work(item)
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  return results
}

/** @throws {CarcosaError} BAD_REQUEST */
export function readConcurrency(given: number | undefined): number {
  if (given === undefined) return 6
  if (Number.isInteger(given) && given >= 1 && given <= 25) return given
  throw new CarcosaError('BAD_REQUEST', {
    message: 'concurrency is a whole number from 1 to 25.',
  })
}

/** @throws {CarcosaError} BAD_REQUEST */
export function assertFew(given: unknown): void {
  if (Array.isArray(given) && given.length <= 500) return
  throw new CarcosaError('BAD_REQUEST', {
    message: 'At most 500 files are taken at once, as a list.',
  })
}
