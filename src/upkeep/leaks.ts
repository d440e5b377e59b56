import { isDeepStrictEqual } from 'node:util'
import type { Memo, UnfinishedObject } from '../../stores/store.ts'
import type { Claim } from '../files/claims.ts'
import { inBatches, oneByOne } from '../shared/batches.ts'
import { concurrently } from '../shared/concurrently.ts'
import { isUnfinished } from '../uploads/state.ts'
import { addExample } from './reconcile-report.ts'
import {
  attempt,
  batchSize,
  claimsOf,
  type StoreRun,
  step,
  width,
} from './reconcile-run.ts'

/**
 * Gives up what was begun in a store longer than the grace period ago and belongs to no upload,
 * such as a multipart upload whose id never reached the database. It may lie beside a finished
 * object of the same key, which stays.
 */
export async function collectLeaks(run: StoreRun): Promise<void> {
  const { store, report } = run
  if (!store.listUnfinished) return
  if (store.exclusive === false) {
    report.unfinished.skipped = report.orphans.skipped
    return
  }
  await step(run, 'listing unfinished objects', async () => {
    for await (const batch of inBatches(store.listUnfinished?.() ?? [], batchSize)) {
      run.signal?.throwIfAborted()
      await giveUp(run, await leakedOf(run, batch))
    }
  })
}

async function leakedOf(
  run: StoreRun,
  batch: UnfinishedObject[],
): Promise<UnfinishedObject[]> {
  const old = batch.filter(({ startedAt }) => startedAt < run.cutoff)
  const claims = await claimsOf(run, old)
  return old.filter(
    ({ key, memo }) => !claims.get(key)?.some((claim) => isOf(claim, memo)),
  )
}

function isOf({ state, memo }: Claim, begun: Memo): boolean {
  if (!isUnfinished(state)) return false
  return Object.entries(begun).every(([name, value]) =>
    isDeepStrictEqual(memo?.[name], value),
  )
}

async function giveUp(run: StoreRun, leaked: UnfinishedObject[]): Promise<void> {
  const { store, report, dryRun } = run
  const { unfinished, orphans } = report
  for (const { key } of leaked) addExample(unfinished.examples, key)
  unfinished.found += leaked.length
  if (leaked.length === 0) return
  if (orphans.brake) {
    unfinished.skipped = orphans.skipped
    return
  }
  if (!store.abort) {
    unfinished.skipped = `A store of kind ${store.kind} cannot give up what was begun; clean up with the tools of its service.`
    return
  }
  await concurrently(oneByOne(leaked), width, async (one) => {
    const aborted = await attempt(run, `aborting ${one.key}`, async () => {
      if (!dryRun) await store.abort?.(one)
    })
    if (aborted) unfinished.removed++
  })
}
