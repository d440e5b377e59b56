import { findFile } from '../files/records.ts'
import { isId } from '../shared/ids.ts'
import { remove } from '../uploads/lifecycle.ts'
import { unfinishedStates } from '../uploads/state.ts'
import type { ApiDeps } from './deps.ts'

/** Uploads that are not finished. */
export interface UploadsApi {
  /**
   * Ends an unfinished upload and deletes what has arrived. A request that brings bytes of it, to
   * whatever node, ends within a second. False if it is finished or there is none.
   */
  cancel(id: string): Promise<boolean>
}

export function createUploadsApi({ uploads, run }: ApiDeps): UploadsApi {
  return {
    cancel: (id) =>
      run(async () => {
        // Any text may be asked for; only what can be an id reaches the database.
        const upload = isId(id) ? await findFile(uploads.db, id) : null
        return upload !== null && remove(uploads, upload, unfinishedStates)
      }),
  }
}
