/**
 * The faults of @tus/s3-store 2.0 (rows S), each shown by what it does on the fake. A row that
 * throws is one that the library has no more.
 */
import { completionRows } from './bare-rows-completion.ts'
import { costRows } from './bare-rows-cost.ts'
import { removalRows } from './bare-rows-removal.ts'
import { writeRows } from './bare-rows-write.ts'

export interface BareRow {
  /** What is wrong, to go on with after "the bare library". */
  readonly fault: string
  /** Passes if the library has the fault. */
  bites(): Promise<void>
}

export const bareRows = {
  ...writeRows,
  ...completionRows,
  ...removalRows,
  ...costRows,
} satisfies Record<string, BareRow>
