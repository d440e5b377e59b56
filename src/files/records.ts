import type { Statement } from '../db/database.ts'
import type { FileRecord } from './record.ts'
import { type Row, rowColumns, toRecord } from './row.ts'

/**
 * How rows of `carcosa.file` are found, and small things noted in them. They begin in insert.ts and
 * change their state in transition.ts. Each statement there is one round trip and one atomic step:
 * the row and its events change together or not at all (promise P3).
 */

/** Anything that runs one statement: the database, or a transaction on it. */
export interface Executor {
  query<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>
}

/** The row of an upload, or null. */
export async function findFile(db: Executor, id: string): Promise<FileRecord | null> {
  const rows = await db.query<Row>(findStatement, [id])
  return rows[0] ? toRecord(rows[0]) : null
}

/** The upload a ticket already created, or null. */
export async function findByBatch(
  db: Executor,
  batchId: string,
  batchIndex: number,
): Promise<FileRecord | null> {
  const rows = await db.query<Row>(findByBatchStatement, [batchId, batchIndex])
  return rows[0] ? toRecord(rows[0]) : null
}

/**
 * Takes the sole right to run the completion callback until `until`. Null if the file is not
 * `stored` any more or another process holds the right.
 */
export async function claimCompletion(
  db: Executor,
  id: string,
  until: Date,
): Promise<FileRecord | null> {
  const rows = await db.query<Row>(claimStatement, [id, until])
  return rows[0] ? toRecord(rows[0]) : null
}

/** Keeps or gives back (`null`) the right to run the completion callback. */
export async function extendClaim(
  db: Executor,
  id: string,
  until: Date | null,
): Promise<void> {
  await db.query(extendStatement, [id, until])
}

/** Records the digest of a finished file unless one is known. */
export async function setDigest(db: Executor, id: string, sha256: string): Promise<void> {
  await db.query(digestStatement, [id, sha256])
}

/** Notes that the bytes of a file are gone from its store, and forgets its pieces and copies. */
export async function markPurged(db: Executor, id: string): Promise<void> {
  await db.query(purgedStatement, [id])
}

/** Unfinished uploads whose time is over, oldest first. */
export async function findExpired(db: Executor, limit: number): Promise<FileRecord[]> {
  return (await db.query<Row>(expiredStatement, [limit])).map(toRecord)
}

/** Files that ended without their bytes having been deleted, by id from behind `after` on. */
export async function findUnpurged(
  db: Executor,
  { after, limit }: { after: string; limit: number },
): Promise<FileRecord[]> {
  return (await db.query<Row>(unpurgedStatement, [after, limit])).map(toRecord)
}

/** What a project still has bytes of or promised to delete, newest first, behind `after`. */
export async function findHeld(
  db: Executor,
  { projectId, after, limit }: HeldBehind,
): Promise<FileRecord[]> {
  const place = [after?.createdAt ?? null, after?.id ?? null]
  const rows = await db.query<Row>(heldStatement, [projectId, ...place, limit])
  return rows.map(toRecord)
}

export interface HeldBehind {
  projectId: string
  after: Pick<FileRecord, 'createdAt' | 'id'> | null
  limit: number
}

/** How many rows there are of either: what will have expired is yet to be purged. */
export async function countDue(
  db: Executor,
): Promise<{ expired: number; purged: number }> {
  const [row] = await db.query<{ expired: number; unpurged: number }>(dueStatement)
  const expired = Number(row?.expired ?? 0)
  return { expired, purged: expired + Number(row?.unpurged ?? 0) }
}

// SQL below.

const findStatement: Statement = {
  name: 'file_find',
  sql: `SELECT ${rowColumns()} FROM carcosa.file WHERE id = $1`,
}

const findByBatchStatement: Statement = {
  name: 'file_find_by_batch',
  sql: `SELECT ${rowColumns()} FROM carcosa.file
WHERE batch_id = $1 AND batch_index = $2`,
}

const claimStatement: Statement = {
  name: 'file_claim',
  sql: `UPDATE carcosa.file
SET claimed_until = $2::timestamptz, attempts = attempts + 1, updated_at = now()
WHERE id = $1 AND state = 'stored' AND (claimed_until IS NULL OR claimed_until < now())
RETURNING ${rowColumns()}`,
}

const extendStatement: Statement = {
  name: 'file_extend_claim',
  sql: `UPDATE carcosa.file SET claimed_until = $2::timestamptz
WHERE id = $1 AND state = 'stored'`,
}

const digestStatement: Statement = {
  name: 'file_set_digest',
  sql: `UPDATE carcosa.file SET sha256 = $2, updated_at = now()
WHERE id = $1 AND sha256 IS NULL`,
}

const purgedStatement: Statement = {
  name: 'file_purged',
  sql: `WITH p AS (DELETE FROM carcosa.upload_part WHERE file_id = $1),
s AS (DELETE FROM carcosa.staged_bytes WHERE file_id = $1),
c AS (DELETE FROM carcosa.file_copy WHERE file_id = $1),
t AS (DELETE FROM carcosa.file_tag WHERE file_id = $1)
UPDATE carcosa.file SET purged_at = now(), updated_at = now(), store_memo = NULL
WHERE id = $1`,
}

const expiredStatement: Statement = {
  name: 'file_expired',
  sql: `SELECT ${rowColumns()} FROM carcosa.file
WHERE state IN ('created', 'receiving') AND expires_at < now()
ORDER BY expires_at LIMIT $1`,
}

/** What ended with its bytes still there, and keeps them for nobody (any more). */
const unpurgedSql = `state IN ('removed', 'expired', 'rejected') AND purged_at IS NULL
  AND (purge_after IS NULL OR purge_after <= now())`

/** What failed and could not be rescued in time. Each of the two has an index of its own. */
const failedSql = `state = 'failed' AND purged_at IS NULL AND purge_after <= now()`

const unpurgedStatement: Statement = {
  name: 'file_unpurged',
  sql: `(SELECT ${rowColumns()} FROM carcosa.file
WHERE ${unpurgedSql} AND id > $1 ORDER BY id LIMIT $2)
UNION ALL
(SELECT ${rowColumns()} FROM carcosa.file
WHERE ${failedSql} AND id > $1 ORDER BY id LIMIT $2)
ORDER BY id LIMIT $2`,
}

const heldStatement: Statement = {
  name: 'file_held',
  sql: `SELECT ${rowColumns()} FROM carcosa.file
WHERE project_id = $1 AND purged_at IS NULL
  AND ($2::timestamptz IS NULL OR (created_at, id) < ($2::timestamptz, $3::text))
ORDER BY created_at DESC, id DESC LIMIT $4`,
}

const dueStatement: Statement = {
  name: 'file_due',
  sql: `SELECT
  (SELECT count(*) FROM carcosa.file
    WHERE state IN ('created', 'receiving') AND expires_at < now()) AS expired,
  (SELECT count(*) FROM carcosa.file
    WHERE ${unpurgedSql}) +
  (SELECT count(*) FROM carcosa.file
    WHERE ${failedSql}) AS unpurged`,
}
