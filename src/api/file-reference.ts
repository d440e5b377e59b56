import { findByCustomId } from '../files/edit.ts'
import { maxCustomIdLength } from '../files/labels.ts'
import type { FileRecord } from '../files/record.ts'
import { findFile } from '../files/records.ts'
import { CarcosaError } from '../shared/errors.ts'
import { isId } from '../shared/ids.ts'
import type { UploadDeps } from '../uploads/deps.ts'

/**
 * A file by its id, in any state, or by the custom id it has until it ends, in the default
 * project unless another is named.
 */
export type FileReference = string | { customId: string; projectId?: string }

/** The file that is meant, or null. Any text may be given. */
export async function findReferred(
  { db, settings }: UploadDeps,
  reference: FileReference,
): Promise<FileRecord | null> {
  // Only what can be an id reaches the database.
  if (typeof reference === 'string')
    return isId(reference) ? findFile(db, reference) : null
  const { customId, projectId = settings.projectId } = Object(reference)
  if (typeof customId !== 'string' || customId.length > maxCustomIdLength) return null
  return findByCustomId(db, projectId, customId)
}

/** The refusal of what refers to no file that can be read. */
export function noFile(reference: FileReference): CarcosaError {
  const { customId } = Object(reference)
  const named = String(customId ?? reference).slice(0, 64)
  const what = customId === undefined ? '' : 'with the custom id '
  return new CarcosaError('FILE_NOT_FOUND', {
    message: `There is no readable file ${what}${JSON.stringify(named)}.`,
  })
}
