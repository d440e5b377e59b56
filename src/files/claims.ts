import type { Memo } from '../../stores/store.ts'
import type { Statement, Transaction } from '../db/database.ts'
import type { Place } from './copies.ts'
import { type FileRecord, type FileState, readableStates } from './record.ts'
import type { Executor } from './records.ts'
import { type Row, rowColumns, toJson, toRecord } from './row.ts'

/**
 * Which objects the database has a use for, and which it counts on. A row whose bytes were
 * deleted (`purgedAt`) claims nothing.
 */

/** The states in which a file's object must be there. */
export const wholeStates: readonly FileState[] = [...readableStates, 'quarantined']

/** A row that names an object of this key. */
export interface Claim {
  readonly key: string
  readonly state: FileState
  /** Of an unfinished upload whose object is one in the making. */
  readonly memo: Memo | null
}

/** An object that must be there for the sake of a file. */
export interface Expected {
  readonly fileId: string
  readonly key: string
  readonly size: number
  /** Whether it is a copy, and the file itself in another store. */
  readonly isCopy: boolean
}

/**
 * The names of all stores that rows name, configured or not. Few, and found without reading
 * the table.
 */
export async function storeNames(db: Executor): Promise<string[]> {
  const rows = await db.query<{ name: string }>(storeNamesStatement)
  return rows.map(({ name }) => name)
}

/**
 * Who claims an object of one of these keys, under any of `names`: a store that was renamed,
 * or is configured under two names, still has its objects claimed. The price: what a copy that
 * died left in another store stays until it is copied again, or the file is deleted.
 */
export async function findClaims(
  db: Executor,
  names: readonly string[],
  keys: readonly string[],
): Promise<Claim[]> {
  return db.query<Claim>(claimsStatement, [names, keys])
}

/** How many objects the store must have, not counting copies. */
export async function countExpected(db: Executor, storeName: string): Promise<number> {
  const [row] = await db.query<{ count: number }>(countStatement, [
    storeName,
    wholeStates,
  ])
  return Number(row?.count ?? 0)
}

/** What the store must have since `before`, by file from behind `after` on. */
export async function findExpected(
  db: Executor,
  storeName: string,
  page: { before: Date; after: string; limit: number },
): Promise<Expected[]> {
  const { before, after, limit } = page
  const values = [storeName, wholeStates, before, after, limit]
  const rows = await db.query<Expected>(expectedStatement, values)
  return rows.map((row) => ({ ...row, size: Number(row.size) }))
}

/**
 * The row, locked, if it still counts on an object at `place`; null if another process was
 * first. Without the lock a file that was moved meanwhile could be given up for an object that
 * it no longer uses.
 */
export async function lockWhole(
  tx: Transaction,
  id: string,
  { storeName, key }: Place,
): Promise<FileRecord | null> {
  const rows = await tx.query<Row>(lockStatement, [id, storeName, key, wholeStates])
  return rows[0] ? toRecord(rows[0]) : null
}

/** Makes the copy at `to` the file itself, with `file.restored`. Of a row that is locked. */
export async function moveToCopy(
  tx: Transaction,
  { id, route, storeName }: FileRecord,
  to: Place,
): Promise<void> {
  const data = { id, route, from: storeName, to: to.storeName }
  await tx.query(moveStatement, [id, to.storeName, to.key, toJson(data)])
}

const storeNamesStatement: Statement = {
  name: 'claims_store_names',
  sql: `WITH RECURSIVE names AS (
  SELECT min(store_name) AS name FROM carcosa.file
  UNION ALL
  SELECT (SELECT min(f.store_name) FROM carcosa.file f WHERE f.store_name > names.name)
  FROM names WHERE names.name IS NOT NULL
)
SELECT name FROM names WHERE name IS NOT NULL
UNION SELECT DISTINCT store_name FROM carcosa.file_copy`,
}

const claimsStatement: Statement = {
  name: 'claims_by_key',
  sql: `SELECT key, state, store_memo AS memo FROM carcosa.file
WHERE store_name = ANY($1::text[]) AND key = ANY($2::text[]) AND purged_at IS NULL
UNION ALL
SELECT c.key, f.state, NULL FROM carcosa.file_copy c
JOIN carcosa.file f ON f.id = c.file_id
WHERE c.store_name = ANY($1::text[]) AND c.key = ANY($2::text[]) AND f.purged_at IS NULL`,
}

const countStatement: Statement = {
  name: 'claims_count',
  sql: `SELECT count(*) FROM carcosa.file
WHERE store_name = $1 AND state = ANY($2::text[]) AND purged_at IS NULL`,
}

const expectedStatement: Statement = {
  name: 'claims_expected',
  sql: `(SELECT id AS "fileId", key, size, false AS "isCopy" FROM carcosa.file
  WHERE store_name = $1 AND state = ANY($2::text[]) AND purged_at IS NULL
    AND coalesce(stored_at, created_at) < $3::timestamptz AND id > $4
  ORDER BY id LIMIT $5)
UNION ALL
(SELECT f.id, c.key, f.size, true FROM carcosa.file_copy c
  JOIN carcosa.file f ON f.id = c.file_id
  WHERE c.store_name = $1 AND f.state = ANY($2::text[]) AND f.purged_at IS NULL
    AND c.created_at < $3::timestamptz AND c.file_id > $4
  ORDER BY c.file_id LIMIT $5)
ORDER BY "fileId" LIMIT $5`,
}

const lockStatement: Statement = {
  name: 'claims_lock',
  sql: `SELECT ${rowColumns()} FROM carcosa.file
WHERE id = $1 AND store_name = $2 AND key = $3 AND state = ANY($4::text[])
FOR UPDATE`,
}

const moveStatement: Statement = {
  name: 'claims_move',
  sql: `WITH f AS (
  UPDATE carcosa.file SET store_name = $2, key = $3, updated_at = now()
  WHERE id = $1 RETURNING id, project_id
), c AS (
  DELETE FROM carcosa.file_copy WHERE file_id = $1 AND store_name = $2
)
INSERT INTO carcosa.event (project_id, file_id, type, data)
SELECT project_id, id, 'file.restored', $4::jsonb FROM f`,
}
