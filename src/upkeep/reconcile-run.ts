import type { Store } from '../../stores/store.ts'
import { type Claim, findClaims } from '../files/claims.ts'
import { CarcosaError } from '../shared/errors.ts'
import type { UploadDeps } from '../uploads/deps.ts'
import { addExample, type StoreReport } from './reconcile-report.ts'

/** What the steps of reconciling one store share. */
export interface StoreRun {
  readonly deps: UploadDeps
  readonly name: string
  readonly store: Store
  readonly report: StoreReport
  /** The names of all stores that rows name. */
  readonly names: readonly string[]
  readonly startedAt: Date
  /** What nobody knows is collected if it is from before. */
  readonly cutoff: Date
  readonly dryRun: boolean
  readonly force: boolean
  readonly signal: AbortSignal | null
}

/** Keys and rows that are looked up, or held, at once. */
export const batchSize = 500

/** Requests to a store at the same time; what clients do goes first. */
export const width = 8

/** Findings acted upon in one run; the next one goes on. Bounds memory. */
export const maxHeld = 10_000

/** With more errors than this in a run the store is left in peace until the next. */
const maxErrors = 20

/** Whether the store can list its objects, and only its own. */
export function isListed({ list, exclusive = true }: Store): boolean {
  return list !== undefined && exclusive
}

/** Who claims each of these keys. */
export async function claimsOf(
  { deps, names }: StoreRun,
  objects: readonly { readonly key: string }[],
): Promise<Map<string, Claim[]>> {
  if (objects.length === 0) return new Map()
  const keys = [...new Set(objects.map(({ key }) => key))]
  const claims = await findClaims(deps.db, names, keys)
  return Map.groupBy(claims, ({ key }) => key)
}

/**
 * Whether there are so many that a mistake is likelier than that many losses: the wrong bucket,
 * prefix or database.
 */
export function tooMany(found: number, of: number): boolean {
  return found > Math.max(10, of * 0.05)
}

/** One step for a store; false if it, or anything in it, ended early. No other step minds. */
export async function step(
  run: StoreRun,
  what: string,
  work: () => Promise<void>,
): Promise<boolean> {
  return isExhausted(run) ? false : attempt(run, what, work)
}

/**
 * One request within a step: what goes wrong is noted and false. After too many errors it
 * throws, which ends the step.
 */
export async function attempt(
  run: StoreRun,
  what: string,
  work: () => Promise<void>,
): Promise<boolean> {
  run.signal?.throwIfAborted()
  if (isExhausted(run)) throw new TooManyErrors()
  try {
    await work()
    return true
  } catch (error) {
    run.signal?.throwIfAborted()
    if (!(error instanceof TooManyErrors)) note(run, what, error)
    return false
  }
}

function isExhausted({ report }: StoreRun): boolean {
  return report.errors.count > maxErrors
}

function note({ deps, name, report }: StoreRun, what: string, error: unknown): void {
  deps.log.warn({ err: error, store: name }, `reconciling: ${what} failed`)
  report.errors.count++
  const why = error instanceof CarcosaError ? `${error.code}: ${error.message}` : error
  addExample(report.errors.examples, `${what}: ${why}`)
}

class TooManyErrors extends Error {
  override readonly name = 'TooManyErrors'
}
