import type { Statement } from '../db/database.ts'
import { isUniqueViolation } from '../db/errors.ts'
import { countSql, roomSql, takeBackSql, takingBack } from '../usage/reserve.ts'
import {
  customIdConstraint,
  customIdTaken,
  dropTagsSql,
  insertTagsSql,
} from './labels.ts'
import type { FileRecord } from './record.ts'
import type { Executor } from './records.ts'
import { encode, type Row, rowColumns, toJson, toRecord } from './row.ts'

/** What may be changed about a file after it was created, and how a deleted one comes back. */

/** What is absent stays as it is. */
export type Edit = Partial<Pick<FileRecord, 'filename' | 'tags' | 'acl' | 'customId'>>

export interface EditOptions {
  /** The revision that must still be the current one. Default: any. */
  revision?: number | null
}

/**
 * Changes a file that has not ended, and counts its revision up: one statement, with its event,
 * `file.renamed` where only the name is given and else `file.updated`. The acl of an upload is
 * its route's to say until it is complete, so with `acl` only complete files are changed. Null if
 * there is no such file, or it is of another revision.
 *
 * @throws {CarcosaError} CUSTOM_ID_TAKEN
 */
export async function editFile(
  db: Executor,
  id: string,
  edit: Edit,
  { revision = null }: EditOptions = {},
): Promise<FileRecord | null> {
  const columns = editColumns.filter(([property]) => edit[property] !== undefined)
  const values = columns.map(([property]) => encode(property, edit[property]))
  const changed = columns.map(([property]) => property)
  const parameters = [id, revision, toJson(changed), ...values]
  const rows = await db
    .query<Row>(editStatement(columns), parameters)
    .catch((error) => refuseTaken(error, edit.customId))
  return rows[0] ? toRecord(rows[0]) : null
}

/**
 * Brings back a file that was deleted, while it keeps its bytes, under another custom id if one
 * is given. Null if its time is over, it was not deleted, or it is `counted` and finds no room.
 *
 * @throws {CarcosaError} CUSTOM_ID_TAKEN
 */
export async function restoreFile(
  db: Executor,
  file: FileRecord,
  {
    customId = file.customId,
    counted = false,
  }: Pick<Edit, 'customId'> & { counted?: boolean } = {},
): Promise<FileRecord | null> {
  const statement = counted ? restoreWithinStatement : restoreStatement
  const rows = await db
    .query<Row>(statement, [file.id, encode('customId', customId)])
    .catch((error) => refuseTaken(error, customId))
  return rows[0] ? toRecord(rows[0]) : null
}

/**
 * Takes the right to delete the bytes of a removed or failed file whose grace is over, so that nobody can
 * restore it any more. False if it was restored, or another process was first. After a crash
 * the row is one of those that keep their bytes for nobody.
 */
export async function endGrace(db: Executor, id: string): Promise<boolean> {
  return (await db.query(endGraceStatement, [id])).length > 0
}

/** The file that has this custom id in the project; null if none has, or its file has ended. */
export async function findByCustomId(
  db: Executor,
  projectId: string,
  customId: string,
): Promise<FileRecord | null> {
  const values = [projectId, encode('customId', customId)]
  const rows = await db.query<Row>(findByCustomIdStatement, values)
  return rows[0] ? toRecord(rows[0]) : null
}

function refuseTaken(error: unknown, customId: string | null | undefined): never {
  throw isUniqueViolation(error, customIdConstraint) ? customIdTaken(customId) : error
}

type EditColumn = readonly [property: keyof Edit, column: string, cast: string]

const editColumns: readonly EditColumn[] = [
  ['filename', 'filename', 'text'],
  ['tags', 'tags', 'text[]'],
  ['acl', 'acl', 'text'],
  ['customId', 'custom_id', 'text'],
]

const living = `state IN ('created', 'receiving', 'stored', 'processing', 'ready', 'quarantined')`
const complete = `state IN ('stored', 'processing', 'ready', 'quarantined')`

const editStatements = new Map<string, Statement>()

/** One prepared statement for each set of columns; there are fifteen. */
function editStatement(columns: readonly EditColumn[]): Statement {
  const names = columns.map(([property]) => property)
  const name = `file_edit_${names.join('_')}`
  const known = editStatements.get(name)
  if (known) return known
  const sets = columns.map(([, column, cast], i) => `${column} = $${i + 4}::${cast}`)
  const tags = names.indexOf('tags') + 4
  const type = names.join() === 'filename' ? 'file.renamed' : 'file.updated'
  const statement = {
    name,
    sql: `WITH f AS (
  UPDATE carcosa.file
  SET ${[...sets, 'revision = revision + 1', 'updated_at = now()'].join(', ')}
  WHERE id = $1 AND ($2::int4 IS NULL OR revision = $2)
    AND ${names.includes('acl') ? complete : living}
  RETURNING ${rowColumns()}
)${names.includes('tags') ? `, ${insertTagsSql(tags)}, ${dropTagsSql(tags)}` : ''}, e AS (
  INSERT INTO carcosa.event (project_id, file_id, type, data)
  SELECT project_id, id, '${type}', jsonb_build_object('id', id, 'route', route,
    'filename', filename, 'tags', tags, 'acl', acl, 'customId', custom_id, 'changed', $3::jsonb)
  FROM f
)
SELECT ${rowColumns()} FROM f`,
  }
  editStatements.set(name, statement)
  return statement
}

const restorable = `id = $1 AND state = 'removed' AND purged_at IS NULL AND purge_after > now()`
const restoring = `state = 'ready', purge_after = NULL, custom_id = $2,
    revision = revision + 1, updated_at = now()`
const restoredSql = `e AS (
  INSERT INTO carcosa.event (project_id, file_id, type, data)
  SELECT project_id, id, 'file.undeleted', jsonb_build_object('id', id, 'route', route)
  FROM f
)
SELECT ${rowColumns()} FROM f`

const restoreStatement: Statement = {
  name: 'file_restore',
  sql: `WITH f AS (
  UPDATE carcosa.file SET ${restoring}, ${takingBack}
  WHERE ${restorable}
  RETURNING ${rowColumns()}, reserved
), ${takeBackSql}, ${restoredSql}`,
}

/** In the order of locks: the file, its quota, its owner. */
const restoreWithinStatement: Statement = {
  name: 'file_restore_within',
  sql: `WITH g AS (
  SELECT id, project_id, owner_id, coalesce(size, 0) AS bytes FROM carcosa.file
  WHERE ${restorable} FOR UPDATE
), ${roomSql({
    project: '(SELECT project_id FROM g)',
    owner: '(SELECT owner_id FROM g)',
    bytes: '(SELECT bytes FROM g)',
  })}, f AS (
  UPDATE carcosa.file SET ${restoring}, reserved = coalesce(size, 0), released = NULL
  WHERE id = (SELECT g.id FROM g, room)
  RETURNING ${rowColumns()}, reserved
), ${countSql}, ${restoredSql}`,
}

const endGraceStatement: Statement = {
  name: 'file_end_grace',
  sql: `UPDATE carcosa.file SET purge_after = NULL
WHERE id = $1 AND state IN ('removed', 'failed') AND purge_after <= now() RETURNING id`,
}

const findByCustomIdStatement: Statement = {
  name: 'file_find_by_custom_id',
  sql: `SELECT ${rowColumns()} FROM carcosa.file
WHERE project_id = $1 AND custom_id = $2 AND ${living}`,
}
