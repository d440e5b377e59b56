import { isRefusal } from '../db/errors.ts'
import { together } from '../shared/together.ts'
import {
  type Arrival,
  type Arrived,
  insertAllStored,
  insertStored,
  shapeOf,
} from './insert-stored.ts'
import type { FileRecord, NewFile } from './record.ts'
import type { Executor } from './records.ts'

/** Writes the rows of files that came whole: of those that come at the same time in one statement. */
export interface Arrivals {
  /** As insertStored. */
  insert(file: NewFile, arrival: Arrival): Promise<FileRecord | null>
}

/** Most rows of one statement. */
const mostRows = 32
/**
 * How long others wait for a statement, in ms: its database may be far away, and it may wait
 * itself, for the same upload in another process.
 */
const patienceMs = 5

/**
 * A statement costs Postgres about 0.3 ms before it has written anything, and each row of it 0.1;
 * and there is one commit for all of them.
 */
export function createArrivals(db: Executor): Arrivals {
  const takers = new Map<string, (one: Waiting) => void>()
  const takerOf = (shape: string) => {
    const known = takers.get(shape)
    if (known) return known
    const taker = together<Waiting>((all) => insert(db, all), {
      most: mostRows,
      patienceMs,
    })
    takers.set(shape, taker)
    return taker
  }
  return {
    insert(file, arrival) {
      const shape = shapeOf({ file, arrival })
      if (shape === null) return insertStored(db, file, arrival)
      return new Promise((resolve, reject) => {
        takerOf(shape)({ file, arrival, resolve, reject })
      })
    },
  }
}

interface Waiting extends Arrived {
  resolve(record: FileRecord | null): void
  reject(error: unknown): void
}

/** Never rejects: each of `all` is told. */
async function insert(db: Executor, all: readonly Waiting[]): Promise<void> {
  if (all.length === 1) return insertEach(db, all)
  try {
    const records = await insertAllStored(db, all)
    for (const [i, { resolve }] of all.entries()) resolve(records[i] ?? null)
  } catch (error) {
    // One of them was refused, so none is there: the others need not know.
    if (isRefusal(error)) return insertEach(db, all)
    for (const { reject } of all) reject(error)
  }
}

async function insertEach(db: Executor, all: readonly Waiting[]): Promise<void> {
  await Promise.all(
    all.map(({ file, arrival, resolve, reject }) =>
      insertStored(db, file, arrival).then(resolve, reject),
    ),
  )
}
