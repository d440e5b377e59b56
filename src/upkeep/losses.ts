import type { Store } from '../../stores/store.ts'
import {
  type Expected,
  findExpected,
  lockWhole,
  moveToCopy,
  wholeStates,
} from '../files/claims.ts'
import { findCopies, forgetCopy, type Place } from '../files/copies.ts'
import { transition } from '../files/transition.ts'
import { oneByOne } from '../shared/batches.ts'
import { concurrently } from '../shared/concurrently.ts'
import { storeNamed } from '../uploads/admission.ts'
import type { Survey } from './orphans.ts'
import { addExample, type Missing } from './reconcile-report.ts'
import {
  attempt,
  batchSize,
  maxHeld,
  type StoreRun,
  step,
  tooMany,
  width,
} from './reconcile-run.ts'

/**
 * Finds files and copies whose object is not in the store, or has another size, and makes the
 * database say so: a file lives on as its copy in another store, or has failed.
 *
 * With a survey the store is only asked about objects that the survey did not see, so that a
 * million files cost a thousand requests; without one it is asked about each. Memory stays
 * within the survey's two bytes a file: the order in which a store lists does not matter.
 */
export async function findLosses(
  run: StoreRun,
  missing: Missing,
  survey: Survey | null,
): Promise<void> {
  const lost: Expected[] = []
  const complete = await step(run, 'looking for objects', () =>
    look(run, { missing, survey, lost }),
  )
  if (!complete) {
    missing.skipped = 'Not all objects could be asked for.'
    return
  }
  if (!mayRepair(run, missing)) return
  await step(run, 'repairing', async () => {
    for (const one of lost) {
      await attempt(run, `repairing ${one.fileId}`, () => repair(run, missing, one))
    }
  })
}

async function look(
  run: StoreRun,
  {
    missing,
    survey,
    lost,
  }: { missing: Missing; survey: Survey | null; lost: Expected[] },
): Promise<void> {
  const { deps, name, store, startedAt: before } = run
  let after = ''
  for (;;) {
    const page = { before, after, limit: batchSize }
    const expected = await findExpected(deps.db, name, page)
    const unseen = expected.filter((one) => !survey?.saw(one))
    missing.checked += expected.length
    await concurrently(oneByOne(unseen), width, async (one) => {
      await attempt(run, `asking for ${one.key}`, async () => {
        if (await isThere(store, one)) return
        missing.found++
        addExample(missing.examples, one.fileId)
        if (lost.length < maxHeld) lost.push(one)
      })
    })
    if (expected.length < batchSize) return
    after = expected.at(-1)?.fileId ?? ''
  }
}

function mayRepair({ force }: StoreRun, missing: Missing): boolean {
  const { found, checked } = missing
  const isAll = found === checked && found > 1
  if (force || !(isAll || tooMany(found, checked))) return true
  missing.brake = true
  missing.skipped = `${found} of ${checked} objects are not there. Are these the right bucket, prefix or directory, and credentials that may read them? If the objects are lost, repeat with force.`
  return false
}

async function repair(run: StoreRun, missing: Missing, one: Expected): Promise<void> {
  const { store, name, dryRun } = run
  const { fileId, key, isCopy } = one
  const place = { storeName: name, key }
  if (await isThere(store, one)) return
  if (isCopy) {
    if (dryRun || (await forget(run, fileId, place))) missing.forgotten++
    return
  }
  const copy = await copyOf(run, one)
  if (!dryRun && !(await settle(run, one, { place, copy }))) return
  if (copy) missing.restored++
  else missing.failed++
}

/** Together with the job that copies it again, if its route still wants that. */
function forget({ deps }: StoreRun, fileId: string, place: Place): Promise<boolean> {
  return deps.db.transaction(async (tx) => {
    if (!(await forgetCopy(tx, fileId, place))) return false
    await deps.jobs.enqueue(tx, 'file.mirror', { fileId })
    return true
  })
}

/** A copy whose store cannot be asked throws: the file is not lost as long as it may be there. */
async function copyOf({ deps }: StoreRun, one: Expected): Promise<Place | null> {
  for (const copy of await findCopies(deps.db, one.fileId)) {
    const store = storeNamed(deps, copy.storeName)
    if (await isThere(store, { key: copy.key, size: one.size })) return copy
  }
  return null
}

async function settle(
  { deps }: StoreRun,
  { fileId }: Expected,
  { place, copy }: { place: Place; copy: Place | null },
): Promise<boolean> {
  const settled = await deps.db.transaction(async (tx) => {
    const record = await lockWhole(tx, fileId, place)
    if (!record) return false
    if (copy) {
      await moveToCopy(tx, record, copy)
      return true
    }
    const failure = {
      code: 'STORAGE_CORRUPT',
      message: 'The store no longer has the bytes of this file.',
    }
    const data = { id: record.id, route: record.route, ...failure }
    return transition(tx, record, {
      to: 'failed',
      from: wholeStates,
      changes: { failure },
      events: [{ type: 'file.failed', data }],
    })
  })
  if (!settled) return false
  const about = { id: fileId, store: place.storeName, to: copy?.storeName }
  if (copy) deps.log.warn(about, 'a lost object: the file lives on as its copy')
  else deps.log.error(about, 'a lost object: the file has failed')
  deps.bus.publish(fileId)
  return true
}

async function isThere(
  store: Store,
  { key, size }: { key: string; size: number },
): Promise<boolean> {
  return (await store.stat(key))?.size === size
}
