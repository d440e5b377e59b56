import { restoreFile } from '../files/edit.ts'
import { readLabels } from '../files/labels.ts'
import { type FileRecord, livingStates } from '../files/record.ts'
import { findFile } from '../files/records.ts'
import { CarcosaError } from '../shared/errors.ts'
import { isId } from '../shared/ids.ts'
import { assertFew, atOnce, each } from '../shared/many.ts'
import { remove } from '../uploads/lifecycle.ts'
import type { ApiDeps } from './deps.ts'
import { changedMeanwhile, type EditCondition, readRevision } from './edit-files.ts'
import { type FileReference, findReferred, noFile } from './file-reference.ts'
import { withoutMemo } from './without-memo.ts'

/** What became of one of several that were to be deleted. */
export interface DeleteOutcome {
  file: FileReference
  /** False if there was nothing left to delete, or it failed. */
  deleted: boolean
  error: CarcosaError | null
}

export interface DeleteFiles {
  /**
   * Deletes record and bytes; false if there was nothing left to delete. With `deleteGrace` the
   * bytes of a file that is `ready` stay for so long, and `purgeAfter` says until when.
   * @throws {CarcosaError} PRECONDITION_FAILED if it has another revision than `ifMatch`
   */
  delete(file: FileReference, condition?: EditCondition): Promise<boolean>
  /**
   * The same for at most 500, each for itself: what fails keeps none of the others.
   * @throws {CarcosaError} BAD_REQUEST for more
   */
  deleteMany(files: readonly FileReference[]): Promise<DeleteOutcome[]>
  /**
   * Brings back a file that was deleted, while its bytes are kept; one that is there is left as
   * it is. `customId` gives it another, for where its own was taken meanwhile.
   * @throws {CarcosaError} FILE_NOT_FOUND, RESTORE_TOO_LATE, CUSTOM_ID_TAKEN, BAD_REQUEST,
   *   QUOTA_EXCEEDED
   */
  restore(id: string, options?: { customId?: string | null }): Promise<FileRecord>
}

export function createDeleteFiles({ uploads, run }: ApiDeps): DeleteFiles {
  const { bus, db, feed, quotas } = uploads
  const removeOne = async (reference: FileReference, { ifMatch }: EditCondition = {}) => {
    const revision = readRevision(ifMatch)
    const file = await findReferred(uploads, reference)
    if (file === null || file.state === 'removed') return false
    const removed = await remove(uploads, file, { revision })
    const now = removed || revision === null ? null : await findFile(db, file.id)
    if (now && now.revision !== revision) throw changedMeanwhile(now, revision)
    return removed
  }
  const isRestorable = async (id: string) => {
    const { state, purgedAt, purgeAfter } = (await findFile(db, id)) ?? {}
    const isKept = !purgedAt && purgeAfter && purgeAfter.getTime() > Date.now()
    return state === 'removed' && Boolean(isKept)
  }
  return {
    delete: (reference, condition) => run(() => removeOne(reference, condition)),
    deleteMany: (references) =>
      run(async () => {
        assertFew(references)
        const results = await each(references, atOnce, async (file) => ({
          file,
          deleted: await removeOne(file),
          error: null,
        }))
        return results.map((result, i) => {
          if (!(result instanceof CarcosaError)) return result
          // One result for each reference.
          const file = references[i] as FileReference
          return { file, deleted: false, error: result }
        })
      }),
    restore: (id, { customId } = {}) =>
      run(async () => {
        const labels = readLabels({ customId })
        const file = isId(id) ? await findFile(db, id) : null
        if (!file) throw noFile(id)
        const restored = await quotas.within({
          file,
          write: (counted) => restoreFile(db, file, { ...labels, counted }),
          isMoot: async () => !(await isRestorable(id)),
        })
        if (restored) {
          feed.hint()
          bus.publish(id)
        }
        const now = restored ?? (await findFile(db, id))
        if (now && livingStates.includes(now.state)) return withoutMemo(now)
        throw tooLate()
      }),
  }
}

function tooLate(): CarcosaError {
  return new CarcosaError('RESTORE_TOO_LATE', {
    message:
      'The bytes of this file are not kept any more. What is deleted can be restored for as long as the option deleteGrace says.',
  })
}
