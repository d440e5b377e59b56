import { findPlaces, type Place } from '../files/copies.ts'
import type { FileRecord } from '../files/record.ts'
import { markPurged } from '../files/records.ts'
import { storeNamed } from './admission.ts'
import type { UploadDeps } from './deps.ts'

/**
 * Deletes the bytes of a file that has ended, its copies' too. If one of the stores cannot do it
 * now, the sweep finds the row again: a row without `purgedAt` in an ended state is a promise
 * to delete.
 */
export async function purge(deps: UploadDeps, record: FileRecord): Promise<boolean> {
  const { id, storeMemo } = record
  try {
    // As they are now that it has ended: it may have moved since it was read.
    const [own, ...copies] = await findPlaces(deps.db, id)
    const removals = await Promise.allSettled([
      own && removeObject(deps, own, storeMemo),
      ...copies.map((copy) => removeObject(deps, copy, null)),
    ])
    const failed = removals.find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
    await markPurged(deps.db, id)
    return true
  } catch (error) {
    deps.log.warn({ err: error, id }, 'could not delete bytes; the sweep will')
    return false
  }
}

/** An unknown store is a failure: its name may come back, and with it the bytes. */
async function removeObject(
  deps: UploadDeps,
  { storeName, key }: Place,
  memo: FileRecord['storeMemo'],
): Promise<void> {
  await storeNamed(deps, storeName).remove(key, memo)
}
