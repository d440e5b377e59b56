import { CarcosaError, type ErrorCode } from '../shared/errors.ts'

/** What went wrong with one file or object of many. */
export interface Failure {
  /** Of a file that has a record. */
  readonly id?: string
  /** Of an object that has none. */
  readonly key?: string
  readonly code: ErrorCode
  readonly message: string
}

/** Counts failures and keeps the first ones: a broken store must not fill the memory. */
export interface Failures {
  readonly count: number
  readonly list: Failure[]
  add(of: Pick<Failure, 'id' | 'key'>, error: unknown): void
}

const maxListed = 100

export function createFailures(): Failures {
  const list: Failure[] = []
  let count = 0
  return {
    list,
    get count() {
      return count
    },
    add(of, error) {
      count++
      if (list.length < maxListed) list.push({ ...of, ...describe(error) })
    },
  }
}

/** @throws {CarcosaError} BAD_REQUEST */
export function readConcurrency(value = 4): number {
  if (Number.isInteger(value) && value >= 1 && value <= 64) return value
  throw new CarcosaError('BAD_REQUEST', {
    message: `concurrency is 1 to 64, not ${value}.`,
  })
}

function describe(error: unknown): Pick<Failure, 'code' | 'message'> {
  if (error instanceof CarcosaError) return { code: error.code, message: error.message }
  return {
    code: 'INTERNAL',
    message: error instanceof Error ? error.message : String(error),
  }
}
