import { type Edit, editFile } from '../files/edit.ts'
import { assertAcl, readLabels } from '../files/labels.ts'
import { type FileRecord, livingStates } from '../files/record.ts'
import { findFile } from '../files/records.ts'
import { CarcosaError } from '../shared/errors.ts'
import { assertFew, atOnce, each, toOutcome } from '../shared/many.ts'
import type { ApiDeps } from './deps.ts'
import { type FileReference, findReferred, noFile } from './file-reference.ts'
import type { UploadOutcome } from './upload-files.ts'
import { withoutMemo } from './without-memo.ts'

/** What may be changed about a file. What is absent stays as it is. */
export interface FileEdit {
  /** The name readers see: text of 1 to 4096 characters. */
  filename?: string
  /** All of its tags from now on: at most 32, each of 1 to 100 characters. */
  tags?: readonly string[]
  /** Who may read it, from the next request on; of files that are complete. */
  acl?: FileRecord['acl']
  /** Text of 1 to 256 characters, or null for none. */
  customId?: string | null
}

export interface EditCondition {
  /** The `revision` it must still have. Default any. */
  ifMatch?: number
}

export interface EditFiles {
  /**
   * Changes name, tags, acl or custom id, all or nothing.
   * @throws {CarcosaError} FILE_NOT_FOUND, BAD_REQUEST, CUSTOM_ID_TAKEN, PRECONDITION_FAILED if
   *   it has another revision than `ifMatch`, UPLOAD_INCOMPLETE for the acl of an upload
   */
  update(
    file: FileReference,
    edit: FileEdit,
    condition?: EditCondition,
  ): Promise<FileRecord>
  /** At most 500, each for itself: what fails keeps none of the others. */
  updateMany(
    updates: readonly (FileEdit & EditCondition & { file: FileReference })[],
  ): Promise<UploadOutcome[]>
  /** `update(file, { filename })`. @throws as update */
  rename(
    file: FileReference,
    filename: string,
    condition?: EditCondition,
  ): Promise<FileRecord>
}

export function createEditFiles({ uploads, run }: ApiDeps): EditFiles {
  const change = async (
    reference: FileReference,
    given: FileEdit,
    { ifMatch }: EditCondition = {},
  ) => {
    const edit = readEdit(given)
    const revision = readRevision(ifMatch)
    const file = await findReferred(uploads, reference)
    if (!file) throw noFile(reference)
    const edited = await editFile(uploads.db, file.id, edit, { revision })
    if (!edited) {
      const now = await findFile(uploads.db, file.id)
      throw refusal(now, { reference, edit, revision })
    }
    uploads.feed.hint()
    uploads.bus.publish(file.id)
    return withoutMemo(edited)
  }
  return {
    update: (reference, edit, condition) => run(() => change(reference, edit, condition)),
    rename: (reference, filename, condition) =>
      run(() => change(reference, { filename }, condition)),
    updateMany: (updates) =>
      run(async () => {
        assertFew(updates)
        const edited = await each(updates, atOnce, ({ file, ifMatch, ...edit }) =>
          change(file, edit, ifMatch === undefined ? {} : { ifMatch }),
        )
        return edited.map(toOutcome)
      }),
  }
}

const maxNameLength = 4096

/** @throws {CarcosaError} BAD_REQUEST if it changes nothing, or to what cannot be */
function readEdit(given: FileEdit): Edit {
  const { filename, acl, tags, customId } = Object(given)
  if (filename !== undefined) assertName(filename)
  if (acl !== undefined) assertAcl(acl)
  const edit = {
    ...(filename !== undefined && { filename }),
    ...(acl !== undefined && { acl }),
    ...readLabels({ tags, customId }),
  }
  if (Object.keys(edit).length > 0) return edit
  throw new CarcosaError('BAD_REQUEST', {
    message: 'Give at least one of filename, tags, acl and customId.',
  })
}

function assertName(filename: unknown): void {
  if (typeof filename === 'string' && filename && filename.length <= maxNameLength) return
  throw new CarcosaError('BAD_REQUEST', {
    message: `A name is text of 1 to ${maxNameLength} characters.`,
  })
}

/** @throws {CarcosaError} BAD_REQUEST */
export function readRevision(ifMatch: unknown): number | null {
  if (ifMatch === undefined) return null
  const isNumber = typeof ifMatch === 'number' && Number.isInteger(ifMatch)
  if (isNumber && ifMatch >= 0 && ifMatch < 2 ** 31) return ifMatch
  throw new CarcosaError('BAD_REQUEST', { message: 'ifMatch is the revision of a file.' })
}

interface Refused {
  reference: FileReference
  edit: Edit
  revision: number | null
}

/** Why a file was not changed, by what it is now. */
function refusal(
  file: FileRecord | null,
  { reference, edit, revision }: Refused,
): CarcosaError {
  if (!file || !livingStates.includes(file.state)) return noFile(reference)
  if (revision !== null && file.revision !== revision)
    return changedMeanwhile(file, revision)
  if (edit.acl === undefined) return noFile(reference)
  return new CarcosaError('UPLOAD_INCOMPLETE', {
    message:
      'Who may read a file is decided by its route when it is complete. Change its acl then.',
  })
}

export function changedMeanwhile(
  { id, revision }: FileRecord,
  expected: number | null,
): CarcosaError {
  return new CarcosaError('PRECONDITION_FAILED', {
    message: `The file was changed meanwhile: it has revision ${revision}, not ${expected}. Read it again.`,
    details: { id, revision },
  })
}
