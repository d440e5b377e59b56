import type { Database, Statement } from '../db/database.ts'

/**
 * Makes the counters of quotas what they should be. Two things can be wrong: a file may reserve
 * something else than it takes (it was there before the quota was, or was made by a process that had
 * not heard of it), and a counter may be something else than the sum of what is reserved.
 */

export interface Recount {
  /** Files whose reservation was set right. */
  readonly files: number
  /** By how much the counters were wrong: bytes too many (or, below 0, too few), and files. */
  readonly drift: { readonly bytes: number; readonly files: number }
  /** Owners whose counters were wrong. */
  readonly owners: number
}

/** May run at any time and twice at once, while files come and go. */
export async function recount(db: Db, projectId: string): Promise<Recount> {
  const files = await settleFiles(db, projectId)
  const drift = await settleCounters(db, projectId)
  return { files, ...drift }
}

type Db = Pick<Database, 'query'>

async function settleFiles(db: Db, projectId: string): Promise<number> {
  let settled = 0
  let after: Settled | null = null
  for (;;) {
    const values: unknown[] = [projectId, after?.at ?? null, after?.id ?? null]
    const rows: Settled[] = await db.query<Settled>(settleStatement, values)
    settled += rows.length
    after = rows.at(-1) ?? null
    if (after === null) return settled
  }
}

interface Settled {
  id: string
  at: Date
}

async function settleCounters(db: Db, projectId: string) {
  const [found] = await db.query<Drift>(driftStatement, [projectId])
  const none = { drift: { bytes: 0, files: 0 }, owners: 0 }
  if (!found) return none
  const { corrections, owners } = found
  const drift = { bytes: Number(found.bytes), files: Number(found.files) }
  if (drift.bytes === 0 && drift.files === 0 && owners.length === 0) return none
  const values = [
    projectId,
    corrections,
    drift.bytes,
    drift.files,
    JSON.stringify(owners),
  ]
  const corrected = await db.query(correctStatement, values)
  return corrected.length > 0 ? { drift, owners: owners.length } : none
}

interface Drift {
  corrections: number
  bytes: number
  files: number
  owners: { owner: string; bytes: number; files: number }[]
}

const truth = `CASE WHEN state IN ('removed', 'expired', 'rejected', 'failed') THEN NULL
    ELSE coalesce(size, greatest("offset", reserved)) END`

// What another statement is just changing is left out: that one counts it, or the next time does.
const settleStatement: Statement = {
  name: 'quota_settle',
  sql: `WITH n AS (
  SELECT id, created_at, reserved AS had, ${truth} AS wanted FROM carcosa.file
  WHERE project_id = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::text))
    AND reserved IS DISTINCT FROM ${truth}
  ORDER BY created_at DESC, id DESC LIMIT 500
  FOR UPDATE SKIP LOCKED
), f AS (
  UPDATE carcosa.file x SET reserved = n.wanted FROM n WHERE x.id = n.id
  RETURNING x.owner_id, coalesce(n.wanted, 0) - coalesce(n.had, 0) AS bytes,
    (n.wanted IS NOT NULL)::int4 - (n.had IS NOT NULL)::int4 AS files
), q AS (
  UPDATE carcosa.quota q
  SET used_bytes = q.used_bytes + d.bytes, used_files = q.used_files + d.files
  FROM (SELECT sum(bytes)::int8 AS bytes, sum(files)::int8 AS files FROM f) d
  WHERE q.project_id = $1 AND d.bytes IS NOT NULL
  RETURNING q.project_id
), o AS (
  INSERT INTO carcosa.owner_usage AS u (project_id, owner_id, used_bytes, used_files)
  SELECT q.project_id, f.owner_id, sum(f.bytes)::int8, sum(f.files)::int8
  FROM f, q WHERE f.owner_id IS NOT NULL GROUP BY q.project_id, f.owner_id
  ON CONFLICT (project_id, owner_id) DO UPDATE
  SET used_bytes = u.used_bytes + excluded.used_bytes,
    used_files = u.used_files + excluded.used_files
)
SELECT id, created_at AS at FROM n ORDER BY created_at DESC, id DESC`,
}

// One snapshot: a statement that is under way has changed both sides in it, or neither.
const driftStatement: Statement = {
  name: 'quota_drift',
  sql: `WITH f AS (
  SELECT owner_id, sum(reserved)::int8 AS bytes, count(*)::int8 AS files FROM carcosa.file
  WHERE project_id = $1 AND reserved IS NOT NULL GROUP BY owner_id
), d AS (
  SELECT owner_id AS owner, coalesce(u.used_bytes, 0) - coalesce(f.bytes, 0) AS bytes,
    coalesce(u.used_files, 0) - coalesce(f.files, 0) AS files
  FROM (SELECT owner_id, bytes, files FROM f WHERE owner_id IS NOT NULL) f FULL JOIN
    (SELECT owner_id, used_bytes, used_files FROM carcosa.owner_usage WHERE project_id = $1) u
    USING (owner_id)
)
SELECT corrections, used_bytes - (SELECT coalesce(sum(bytes), 0)::int8 FROM f) AS bytes,
  used_files - (SELECT coalesce(sum(files), 0)::int8 FROM f) AS files,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('owner', owner, 'bytes', bytes, 'files', files)), '[]')
    FROM d WHERE bytes <> 0 OR files <> 0) AS owners
FROM carcosa.quota WHERE project_id = $1`,
}

// By how much it was wrong is taken away from what it is by now; of two that measured the same, one.
const correctStatement: Statement = {
  name: 'quota_correct',
  sql: `WITH q AS (
  UPDATE carcosa.quota
  SET used_bytes = used_bytes - $3::int8, used_files = used_files - $4::int8,
    corrections = corrections + 1
  WHERE project_id = $1 AND corrections = $2::int4
  RETURNING project_id
), o AS (
  INSERT INTO carcosa.owner_usage AS u (project_id, owner_id, used_bytes, used_files)
  SELECT q.project_id, x.owner, -x.bytes, -x.files
  FROM q, jsonb_to_recordset($5::jsonb) AS x(owner text, bytes int8, files int8)
  ON CONFLICT (project_id, owner_id) DO UPDATE
  SET used_bytes = u.used_bytes + excluded.used_bytes,
    used_files = u.used_files + excluded.used_files
)
SELECT project_id FROM q`,
}
