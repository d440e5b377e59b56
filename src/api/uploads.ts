import { type FileList, type ListOptions, listFiles } from '../files/list.ts'
import type { FileRecord } from '../files/record.ts'
import { findFile } from '../files/records.ts'
import { isId } from '../shared/ids.ts'
import { remove } from '../uploads/lifecycle.ts'
import {
  type PreparedUpload,
  prepareUpload,
  type UploadToPrepare,
} from '../uploads/prepare-program.ts'
import { isUnfinished, unfinishedStates } from '../uploads/state.ts'
import type { ApiDeps } from './deps.ts'
import { withoutMemo } from './without-memo.ts'

export type ListUploads = Pick<
  ListOptions,
  'projectId' | 'route' | 'ownerId' | 'within' | 'limit' | 'cursor'
>

export interface UploadList {
  uploads: FileRecord[]
  /** Give it to the next call; null on the last page. */
  nextCursor: string | null
}

/** Uploads that are not finished. */
export interface UploadsApi {
  /**
   * Allows an upload as `files.upload` does, but for its bytes: these come by tus from whoever has
   * the ticket, e.g. from a device to which you gave it. They send it as `Upload-Ticket` with the
   * creation and all that follows, and say the size that was said here (none if none was).
   * @throws {CarcosaError} what the route refuses, ROUTE_NOT_FOUND, PROJECT_NOT_FOUND, BAD_REQUEST
   */
  prepare(upload: UploadToPrepare): Promise<PreparedUpload>
  /** Newest first, in pages. @throws {CarcosaError} CURSOR_INVALID, BAD_REQUEST */
  list(options?: ListUploads): Promise<UploadList>
  /** Null if there is none, or it is finished. */
  get(id: string): Promise<FileRecord | null>
  /**
   * Ends an unfinished upload and deletes what has arrived. A request that brings bytes of it, to
   * whatever node, ends within a second. False if it is finished or there is none.
   */
  cancel(id: string): Promise<boolean>
}

export function createUploadsApi({ uploads, run }: ApiDeps): UploadsApi {
  const { db, settings } = uploads
  return {
    prepare: (upload) => run(() => prepareUpload(uploads, upload)),
    async list(options = {}) {
      const wanted = { ...options, states: unfinishedStates }
      const page: FileList = await run(() => listFiles(db, settings.projectId, wanted))
      return { uploads: page.files.map(withoutMemo), nextCursor: page.nextCursor }
    },
    async get(id) {
      const found = isId(id) ? await run(() => findFile(db, id)) : null
      return found && isUnfinished(found.state) ? withoutMemo(found) : null
    },
    cancel: (id) =>
      run(async () => {
        // Any text may be asked for; only what can be an id reaches the database.
        const upload = isId(id) ? await findFile(uploads.db, id) : null
        return upload !== null && remove(uploads, upload, { from: unfinishedStates })
      }),
  }
}
