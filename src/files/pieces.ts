import type { Memo, Part } from '../../stores/store.ts'
import type { Statement } from '../db/database.ts'
import { type Fence, fenceSql, fenceValues } from './fence.ts'
import type { Executor } from './records.ts'
import { toJson } from './row.ts'

/**
 * What is remembered of an upload for a store that takes objects in parts: its memo, the
 * receipts of the parts, and the bytes that were too few for one. They are committed together
 * with the offset they stand for, so that any process can go on from them.
 */

export interface PiecesCommit {
  readonly id: string
  /** Where the upload stood when this writer looked last. */
  readonly from: number
  /** Where it stands now. */
  readonly offset: number
  readonly memo: Memo | null
  readonly parts: readonly Part[]
  /** Staged bytes before this position are in a part now. */
  readonly settled: number
  /** Bytes that end at `offset`, to be kept. */
  readonly staged: Buffer | null
  readonly expiresAt: Date
  /** The lease under which it was written; null where one process is alone. */
  readonly fence: Fence | null
}

/**
 * One statement and so one step: offset, memo, receipts and staged bytes. False if the upload
 * has ended, does not stand at `from`, or is not under this lease: then another writer went on,
 * and nothing was changed.
 */
export async function commitPieces(db: Executor, commit: PiecesCommit): Promise<boolean> {
  const { id, from, offset, memo, parts, settled, staged, expiresAt, fence } = commit
  const rows = await db.query(fence ? fencedCommitStatement : commitStatement, [
    id,
    from,
    offset,
    memo && toJson(memo),
    expiresAt,
    toJson(parts),
    settled,
    staged && offset - staged.length,
    staged,
    ...fenceValues(fence),
  ])
  return rows.length > 0
}

/** Receipts in the order of their parts. */
export async function findParts(db: Executor, id: string): Promise<Part[]> {
  return db.query<Part>(partsStatement, [id])
}

/** Staged bytes in order. */
export async function findStaged(db: Executor, id: string): Promise<Buffer[]> {
  const rows = await db.query<{ bytes: Uint8Array }>(stagedStatement, [id])
  return rows.map(({ bytes }) =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
  )
}

/** Forgets the pieces of the upload in `f`: more SQL for the statement that ends it. */
export const dropPiecesSql = [
  {
    name: 'drop_parts',
    sql: 'DELETE FROM carcosa.upload_part p USING f WHERE p.file_id = f.id',
  },
  {
    name: 'drop_staged',
    sql: 'DELETE FROM carcosa.staged_bytes s USING f WHERE s.file_id = f.id',
  },
] as const

/** A part that was committed has a number that no overtaken writer uses any more. */
const commitSql = (condition: string) => `WITH f AS (
  UPDATE carcosa.file
  SET state = 'receiving', "offset" = $3::int8, expires_at = $5::timestamptz,
    store_memo = coalesce($4::jsonb, store_memo), updated_at = now(),
    lease_contested = lease_contested AND $6::jsonb = '[]'
  WHERE id = $1 AND state IN ('created', 'receiving') AND "offset" = $2::int8${condition}
  RETURNING id
), p AS (
  INSERT INTO carcosa.upload_part (file_id, number, size, receipt)
  SELECT f.id, x.number, x.size, x.receipt
  FROM f, jsonb_to_recordset($6::jsonb) AS x(number int4, size int8, receipt text)
  ON CONFLICT (file_id, number) DO UPDATE
  SET size = excluded.size, receipt = excluded.receipt
), d AS (
  DELETE FROM carcosa.staged_bytes s USING f
  WHERE s.file_id = f.id AND s.position < $7::int8
), s AS (
  INSERT INTO carcosa.staged_bytes (file_id, position, bytes)
  SELECT f.id, $8::int8, $9::bytea FROM f WHERE $9::bytea IS NOT NULL
)
SELECT id FROM f`

const commitStatement: Statement = { name: 'pieces_commit', sql: commitSql('') }

const fencedCommitStatement: Statement = {
  name: 'pieces_commit_fenced',
  sql: commitSql(` AND ${fenceSql(10)}`),
}

const partsStatement: Statement = {
  name: 'pieces_parts',
  sql: `SELECT number, size, receipt FROM carcosa.upload_part
WHERE file_id = $1 ORDER BY number`,
}

const stagedStatement: Statement = {
  name: 'pieces_staged',
  sql: `SELECT bytes FROM carcosa.staged_bytes WHERE file_id = $1 ORDER BY position`,
}
