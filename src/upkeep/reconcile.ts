import { storeNames } from '../files/claims.ts'
import { parseDuration } from '../shared/durations.ts'
import { storeNamed } from '../uploads/admission.ts'
import type { UploadDeps } from '../uploads/deps.ts'
import { previewSweep, sweep } from '../uploads/sweep.ts'
import { collectLeaks } from './leaks.ts'
import { findLosses } from './losses.ts'
import { collectOrphans } from './orphans.ts'
import {
  emptyReport,
  needsAttention,
  type ReconcileReport,
  type StoreReport,
} from './reconcile-report.ts'
import { isListed, type StoreRun } from './reconcile-run.ts'

/** Keeps database and stores the same, in both directions: always on, as a daily job. */

export interface ReconcileOptions {
  /** Only this store. Default: all. */
  store?: string
  /** Reports what would be done, and changes nothing. Default false. */
  dryRun?: boolean
  /** Goes on where so much is wrong that it looks like a mistake of configuration. Default false. */
  force?: boolean
  /**
   * How old something that nobody knows must be to be collected: milliseconds or `3 days`. Never
   * less than the longest life of an unfinished upload and an hour. Default: `orphanGrace`.
   */
  grace?: number | string
  /** Ends the run early, with its reason as an error. */
  signal?: AbortSignal
}

/**
 * Ends what is over (as the sweep does), then removes from the stores what belongs to nobody.
 * Safe on several nodes at once and beside uploads: what may still grow is younger than the
 * grace period or has a row.
 *
 * @throws {CarcosaError} STORE_UNKNOWN, DATABASE_UNAVAILABLE; what a store fails with is in the
 *   report
 */
export function collect(
  deps: UploadDeps,
  options: ReconcileOptions = {},
): Promise<ReconcileReport> {
  return run(deps, options, { missing: false })
}

/**
 * Does what {@link collect} does, then finds the files whose objects are lost: they live on as
 * their copy in another store, or become `failed`.
 *
 * @throws as collect
 */
export function reconcile(
  deps: UploadDeps,
  options: ReconcileOptions = {},
): Promise<ReconcileReport> {
  return run(deps, options, { missing: true })
}

async function run(
  deps: UploadDeps,
  options: ReconcileOptions,
  what: { missing: boolean },
): Promise<ReconcileReport> {
  const { dryRun = false, store } = options
  const grace = graceOf(deps, options)
  if (store !== undefined) storeNamed(deps, store)
  const swept = store === undefined ? await sweepOr(deps, dryRun) : null
  const stores: StoreReport[] = []
  for (const name of store === undefined ? deps.stores.keys() : [store]) {
    const report = emptyReport(name, storeNamed(deps, name).kind, what)
    await reconcileStore(await runOf(deps, { options, grace, report }))
    stores.push(report)
  }
  return { dryRun, grace, swept, stores, needsAttention: stores.some(needsAttention) }
}

function sweepOr(deps: UploadDeps, dryRun: boolean) {
  return dryRun ? previewSweep(deps) : sweep(deps)
}

/** Objects first: they show whether this is the right place at all. */
async function reconcileStore(run: StoreRun): Promise<void> {
  const survey = await collectOrphans(run)
  await collectLeaks(run)
  const { missing, orphans } = run.report
  if (!missing) return
  // A store that cannot be listed to its end just now had better not be asked a million times.
  if (!survey && isListed(run.store)) missing.skipped = orphans.skipped
  else await findLosses(run, missing, survey)
}

async function runOf(
  deps: UploadDeps,
  given: { options: ReconcileOptions; grace: number; report: StoreReport },
): Promise<StoreRun> {
  const { options, grace, report } = given
  const { dryRun = false, force = false, signal = null } = options
  const name = report.store
  const store = storeNamed(deps, name)
  const names = await storeNames(deps.db)
  const startedAt = new Date()
  const cutoff = new Date(startedAt.getTime() - grace)
  return { deps, name, store, report, names, startedAt, cutoff, dryRun, force, signal }
}

function graceOf({ settings }: UploadDeps, { grace }: ReconcileOptions): number {
  const wanted = grace === undefined ? settings.orphanGrace : parseDuration(grace)
  return Math.max(wanted, settings.longestLife + 3_600_000)
}
