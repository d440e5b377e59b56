import { randomUUID } from 'node:crypto'
import type { ListedObject } from '../../stores/store.ts'
import { countExpected } from '../files/claims.ts'
import { claimPlace, releaseClaim } from '../files/copies.ts'
import { inBatches, oneByOne } from '../shared/batches.ts'
import { concurrently } from '../shared/concurrently.ts'
import { isKey } from '../shared/keys.ts'
import { createSeen } from '../shared/seen.ts'
import { addExample } from './reconcile-report.ts'
import {
  attempt,
  batchSize,
  claimsOf,
  maxHeld,
  type StoreRun,
  step,
  tooMany,
  width,
} from './reconcile-run.ts'

/** What walking through all objects of a store has shown. */
export interface Survey {
  readonly listed: number
  /** Whether the object was there, in that size. Sometimes wrong about one that was not. */
  saw(object: { key: string; size: number }): boolean
}

/**
 * Walks through the objects of a store once and removes those that no row claims and that are
 * older than the grace period. Null if the store cannot or must not be listed, or failed.
 */
export async function collectOrphans(run: StoreRun): Promise<Survey | null> {
  const { store, report } = run
  const { orphans } = report
  if (!store.list) return null
  if (store.exclusive === false) {
    orphans.skipped =
      'The store has no prefix of its own: what lies in its bucket may belong to others. Give it a prefix.'
    return null
  }
  const unclaimed: ListedObject[] = []
  let survey: Survey | null = null
  const listed = await step(run, 'listing objects', async () => {
    survey = await walk(run, unclaimed)
  })
  // What is half known is no ground for deleting anything.
  if (!listed || !survey) {
    orphans.skipped = 'The objects could not be listed to their end.'
    return null
  }
  if (mayRemove(run, survey)) await removeAll(run, unclaimed)
  return survey
}

/** Rows are asked for after an object was seen: who creates one writes its row before. */
async function walk(run: StoreRun, unclaimed: ListedObject[]): Promise<Survey> {
  const { deps, store, report, cutoff } = run
  const { orphans } = report
  const seen = createSeen(await countExpected(deps.db, run.name))
  let listed = 0
  for await (const batch of inBatches(store.list?.() ?? [], batchSize)) {
    run.signal?.throwIfAborted()
    listed += batch.length
    const claims = await claimsOf(run, batch)
    for (const object of batch) {
      if (claims.has(object.key)) seen.add(nameOf(object))
      // What no upload could be called was put there by somebody else.
      else if (object.modifiedAt < cutoff && isKey(object.key)) {
        orphans.found++
        orphans.bytes += object.size
        addExample(orphans.examples, object.key)
        if (unclaimed.length < maxHeld) unclaimed.push(object)
      }
    }
  }
  return { listed, saw: (object) => seen.has(nameOf(object)) }
}

function nameOf({ key, size }: { key: string; size: number }): string {
  return `${size} ${key}`
}

function mayRemove({ report, names, name, force }: StoreRun, survey: Survey): boolean {
  const { orphans } = report
  if (orphans.found === 0 || force) return true
  const isStranger = !names.includes(name)
  if (!isStranger && !tooMany(orphans.found, survey.listed)) return true
  const numbers = `${orphans.found} of ${survey.listed} objects belong to no file`
  const why = isStranger ? `, and no file was ever in the store "${name}"` : ''
  orphans.brake = true
  orphans.skipped = `${numbers}${why}. Is this the right database, and the bucket, prefix or directory its own? If so, repeat with force.`
  return false
}

async function removeAll(run: StoreRun, unclaimed: ListedObject[]): Promise<void> {
  const { report, dryRun } = run
  await step(run, 'removing objects', async () => {
    await concurrently(oneByOne(unclaimed), width, async ({ key }) => {
      await attempt(run, `removing ${key}`, async () => {
        if (dryRun || (await removeOne(run, key))) report.orphans.removed++
      })
    })
  })
}

/**
 * False if the object has found its use since it was listed. Until it is gone nobody can write
 * a copy there, or adopt it.
 */
async function removeOne(run: StoreRun, key: string): Promise<boolean> {
  const { deps, name, store } = run
  const claim = { storeName: name, key, holder: randomUUID() }
  if (!(await claimPlace(deps.db, claim, claimMs))) return false
  try {
    if ((await claimsOf(run, [{ key }])).has(key)) return false
    await store.remove(key)
    return true
  } finally {
    await releaseClaim(deps.db, claim)
  }
}

/** Longer than a request to a store takes with all its retries. */
const claimMs = 5 * 60_000
