import type { Statement } from '../db/database.ts'
import { type FileRecord, readableStates } from './record.ts'
import type { Executor } from './records.ts'
import { type Row, rowColumns, storable, toRecord } from './row.ts'

/**
 * Where the bytes of a file are beside its own store: `carcosa.file_copy`, each row an object
 * that was verified when it was written. Copies belong to files that can be read; one that has
 * ended gets no new ones, and its purge removes those it has.
 */

/** An object of a store. */
export interface Place {
  readonly storeName: string
  readonly key: string
}

/** The own place of a file and those of its copies, the own one first. */
export async function findPlaces(db: Executor, fileId: string): Promise<Place[]> {
  return (await db.query<PlaceRow>(placesStatement, [fileId])).map(toPlace)
}

/** The copies of a file, the oldest first. */
export async function findCopies(db: Executor, fileId: string): Promise<Place[]> {
  return (await db.query<PlaceRow>(copiesStatement, [fileId])).map(toPlace)
}

/** The id of the file whose object or copy is at this place; null if nobody's is. */
export async function findHolder(db: Executor, place: Place): Promise<string | null> {
  const { storeName, key } = place
  const rows = await db.query<{ id: string }>(holderStatement, [storeName, key])
  return rows[0]?.id ?? null
}

/**
 * Records a verified copy, if the file can still be read, nobody else has the place, and the
 * claim on it still holds. False if not: the object is then nobody's.
 */
export async function addCopy(
  db: Executor,
  fileId: string,
  { storeName, key, holder }: Claim,
): Promise<boolean> {
  const claim = claimId({ storeName, key })
  const values = [fileId, storeName, key, readableStates, claim, holder]
  return (await db.query(addStatement, values)).length > 0
}

/** Forgets a copy whose object is gone or wrong. False if it was forgotten, or moved, before. */
export async function forgetCopy(
  db: Executor,
  fileId: string,
  { storeName, key }: Place,
): Promise<boolean> {
  return (await db.query(forgetStatement, [fileId, storeName, key])).length > 0
}

/**
 * Makes the copy in `storeName` the file's own object, and its own object a copy: one statement,
 * so that both are known at any time. Null if the file has ended, has moved meanwhile, or has
 * no copy there.
 */
export async function switchPrimary(
  db: Executor,
  { id, storeName: from, key }: FileRecord,
  storeName: string,
): Promise<FileRecord | null> {
  const values = [id, from, key, storeName, readableStates]
  const rows = await db.query<Row>(switchStatement, values)
  return rows[0] ? toRecord(rows[0]) : null
}

/** The sole right to write a copy to a place: two writers would damage each other's object. */
export interface Claim extends Place {
  /** Names the writer. */
  readonly holder: string
}

/** Takes a claim, or one whose writer died, for `ms`. False if another writer has it. */
export async function claimPlace(
  db: Executor,
  claim: Claim,
  ms: number,
): Promise<boolean> {
  const values = [claimId(claim), claim.holder, ms]
  return (await db.query(claimStatement, values)).length > 0
}

/** Whether somebody is writing a copy to a place, or died there. */
export async function isClaimed(db: Executor, place: Place): Promise<boolean> {
  return (await db.query(claimedStatement, [claimId(place)])).length > 0
}

/** Prolongs a claim; false if it was lost. */
export async function keepClaim(
  db: Executor,
  claim: Claim,
  ms: number,
): Promise<boolean> {
  const values = [claimId(claim), claim.holder, ms]
  return (await db.query(keepStatement, values)).length > 0
}

export async function releaseClaim(db: Executor, claim: Claim): Promise<void> {
  await db.query(releaseStatement, [claimId(claim), claim.holder])
}

/** Which files are meant: those of one store, and of a route if one is named. */
export interface Selection {
  readonly storeName: string
  readonly route: string | null
}

/** How many files that can be read there are, and their bytes. */
export async function countStored(
  db: Executor,
  { storeName, route }: Selection,
): Promise<{ files: number; bytes: number }> {
  const values = [storeName, route && storable(route), readableStates]
  const [row] = await db.query<{ files: number; bytes: number }>(countStatement, values)
  return { files: Number(row?.files ?? 0), bytes: Number(row?.bytes ?? 0) }
}

export interface StoredFile {
  readonly file: FileRecord
  /** Its copy in the other store; null if it has none there. */
  readonly copy: Place | null
}

/** Files that can be read, by id from behind `after` on, with their copies in store `to`. */
export async function findStored(
  db: Executor,
  { storeName, route }: Selection,
  { to, after, limit }: { to: string; after: string; limit: number },
): Promise<StoredFile[]> {
  const rows = await db.query<Row & { copy_key: string | null }>(storedStatement, [
    storeName,
    route && storable(route),
    readableStates,
    to,
    after,
    limit,
  ])
  return rows.map((row) => ({
    file: toRecord(row),
    copy: row.copy_key === null ? null : { storeName: to, key: row.copy_key },
  }))
}

interface PlaceRow {
  store_name: string
  key: string
}

function toPlace(row: PlaceRow): Place {
  return { storeName: row.store_name, key: row.key }
}

/**
 * A claim belongs to a place and not to a file, so that an import cannot adopt what is being
 * written there, see adopt.ts.
 */
function claimId({ storeName, key }: Place): string {
  return `copy ${storeName} ${key}`
}

/** The same in SQL, of columns or values that are text. */
export function claimIdSql(storeName: string, key: string): string {
  return `'copy ' || ${storeName} || ' ' || ${key}`
}

const placesStatement: Statement = {
  name: 'copy_places',
  sql: `SELECT store_name, key FROM (
  SELECT store_name, key, 0 AS rank, created_at FROM carcosa.file WHERE id = $1
  UNION ALL
  SELECT store_name, key, 1, created_at FROM carcosa.file_copy WHERE file_id = $1
) places ORDER BY rank, created_at, store_name`,
}

const copiesStatement: Statement = {
  name: 'copy_find',
  sql: `SELECT store_name, key FROM carcosa.file_copy
WHERE file_id = $1 ORDER BY created_at, store_name`,
}

const holderStatement: Statement = {
  name: 'copy_holder',
  sql: `SELECT id FROM carcosa.file WHERE store_name = $1 AND key = $2
UNION ALL
SELECT file_id FROM carcosa.file_copy WHERE store_name = $1 AND key = $2`,
}

// The row is locked against its end: a purge that comes next sees the copy and removes it.
const addStatement: Statement = {
  name: 'copy_add',
  sql: `WITH f AS (
  SELECT id FROM carcosa.file
  WHERE id = $1 AND state = ANY($4::text[]) AND store_name <> $2
  FOR SHARE
)
INSERT INTO carcosa.file_copy (file_id, store_name, key)
SELECT f.id, $2::text, $3::text FROM f
WHERE EXISTS (
  SELECT 1 FROM carcosa.copy_lease WHERE place = $5 AND holder = $6
) AND NOT EXISTS (
  SELECT 1 FROM carcosa.file o WHERE o.store_name = $2 AND o.key = $3
)
ON CONFLICT (file_id, store_name) DO UPDATE SET key = excluded.key, created_at = now()
RETURNING file_id`,
}

const forgetStatement: Statement = {
  name: 'copy_forget',
  sql: `DELETE FROM carcosa.file_copy
WHERE file_id = $1 AND store_name = $2 AND key = $3 RETURNING file_id`,
}

const switchStatement: Statement = {
  name: 'copy_switch',
  sql: `WITH f AS (
  UPDATE carcosa.file f
  SET store_name = c.store_name, key = c.key, updated_at = now()
  FROM carcosa.file_copy c
  WHERE f.id = $1 AND f.store_name = $2 AND f.key = $3 AND f.state = ANY($5::text[])
    AND c.file_id = f.id AND c.store_name = $4
  RETURNING ${rowColumns('f')}
), d AS (
  UPDATE carcosa.file_copy c SET store_name = $2, key = $3, created_at = now()
  FROM f WHERE c.file_id = f.id AND c.store_name = $4
)
SELECT * FROM f`,
}

const claimStatement: Statement = {
  name: 'copy_claim',
  sql: `INSERT INTO carcosa.copy_lease AS l (place, holder, expires_at)
VALUES ($1, $2, now() + $3::int8 * interval '1 millisecond')
ON CONFLICT (place) DO UPDATE
SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE l.expires_at < now()
RETURNING place`,
}

const claimedStatement: Statement = {
  name: 'copy_claimed',
  sql: 'SELECT place FROM carcosa.copy_lease WHERE place = $1',
}

const keepStatement: Statement = {
  name: 'copy_keep_claim',
  sql: `UPDATE carcosa.copy_lease SET expires_at = now() + $3::int8 * interval '1 millisecond'
WHERE place = $1 AND holder = $2 RETURNING place`,
}

const releaseStatement: Statement = {
  name: 'copy_release_claim',
  sql: 'DELETE FROM carcosa.copy_lease WHERE place = $1 AND holder = $2',
}

const countStatement: Statement = {
  name: 'copy_count',
  sql: `SELECT count(*) AS files, coalesce(sum(size), 0)::int8 AS bytes FROM carcosa.file
WHERE store_name = $1 AND ($2::text IS NULL OR route = $2) AND state = ANY($3::text[])`,
}

const storedStatement: Statement = {
  name: 'copy_stored',
  sql: `SELECT ${rowColumns('f')}, c.key AS copy_key FROM carcosa.file f
LEFT JOIN carcosa.file_copy c ON c.file_id = f.id AND c.store_name = $4
WHERE f.store_name = $1 AND ($2::text IS NULL OR f.route = $2)
  AND f.state = ANY($3::text[]) AND f.id > $5
ORDER BY f.id LIMIT $6`,
}
