import type { FileRecord } from '../files/record.ts'
import { markPurged } from '../files/records.ts'
import { storeNamed } from './admission.ts'
import type { UploadDeps } from './deps.ts'

/**
 * Deletes the bytes of a file that has ended. If the store cannot do it now, the sweep finds
 * the row again: a row without `purgedAt` in an ended state is a promise to delete.
 */
export async function purge(deps: UploadDeps, record: FileRecord): Promise<boolean> {
  try {
    await storeNamed(deps, record.storeName).remove(record.key)
    await markPurged(deps.db, record.id)
    return true
  } catch (error) {
    deps.log.warn({ err: error, id: record.id }, 'could not delete bytes; the sweep will')
    return false
  }
}
