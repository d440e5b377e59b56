import { CarcosaError } from '../shared/errors.ts'
import type { Labels } from './record.ts'

/** Tags, custom id and the like: what an application says of a file, and how it is kept. */

export const maxTags = 32
export const maxTagLength = 100
export const maxCustomIdLength = 256

/** Whether a file has any; most have none, and their rows cost nothing for it. */
export function isLabelled({ customId, tags = [], pinned = [] }: Labels): boolean {
  return (customId ?? null) !== null || tags.length + pinned.length > 0
}

/**
 * The labels among `given` as they are kept: each tag once, in the order given.
 * @throws {CarcosaError} BAD_REQUEST for what is no tag or custom id
 */
export function readLabels(given: { customId?: unknown; tags?: unknown }): Labels {
  const { customId, tags } = given
  return {
    ...(customId !== undefined && { customId: readCustomId(customId) }),
    ...(tags !== undefined && { tags: readTags(tags) }),
  }
}

function readCustomId(value: unknown): string | null {
  if (value === null || isText(value, maxCustomIdLength)) return value
  throw new CarcosaError('BAD_REQUEST', {
    message: `A custom id is text of 1 to ${maxCustomIdLength} characters without NUL, or null for none.`,
  })
}

function readTags(value: unknown): string[] {
  const isList = Array.isArray(value) && value.length <= maxTags
  if (isList && value.every((tag) => isText(tag, maxTagLength)))
    return [...new Set(value)]
  throw new CarcosaError('BAD_REQUEST', {
    message: `Tags are a list of at most ${maxTags}, each text of 1 to ${maxTagLength} characters without NUL.`,
  })
}

/** @throws {CarcosaError} BAD_REQUEST */
export function assertAcl(value: unknown): void {
  if (value === 'private' || value === 'public-read') return
  throw new CarcosaError('BAD_REQUEST', { message: 'acl is private or public-read.' })
}

/** Text that can be found again: what Postgres cannot keep would be kept as something else. */
function isText(value: unknown, maxLength: number): value is string {
  if (typeof value !== 'string' || value === '' || value.length > maxLength) return false
  return value.isWellFormed() && !value.includes('\0')
}

/** The refusal of a custom id that another file of the project has. */
export function customIdTaken(customId: string | null | undefined): CarcosaError {
  return new CarcosaError('CUSTOM_ID_TAKEN', {
    message: `Another file of the project has the custom id ${JSON.stringify(customId)}. Delete that file, or give one of them another.`,
    details: { customId },
  })
}

/** Constraint that refuses a custom id a second time. */
export const customIdConstraint = 'file_custom_id_key'

/** Writes the rows of the tags `$n` of the file in CTE `f`. */
export const insertTagsSql = (n: number) => `lt AS (
  INSERT INTO carcosa.file_tag (file_id, tag, project_id, created_at)
  SELECT f.id, given.tag, f.project_id, f.created_at
  FROM f, unnest($${n}::text[]) AS given(tag)
  ON CONFLICT (file_id, tag) DO NOTHING
)`

/** Deletes the rows of all but the tags `$n` of the file in CTE `f`. */
export const dropTagsSql = (n: number) => `ld AS (
  DELETE FROM carcosa.file_tag t USING f
  WHERE t.file_id = f.id AND t.tag <> ALL($${n}::text[])
)`
