import type { Database, Statement } from '../db/database.ts'
import type { QuotaLimits } from '../shared/quota.ts'

/** The rows of `carcosa.quota` and `carcosa.owner_usage`. */

/** Anything that runs one statement. */
type Db = Pick<Database, 'query'>

/** What a project may store, and what it has stored or reserved. */
export interface Quota extends QuotaLimits {
  readonly usedBytes: number
  readonly usedFiles: number
}

/** Null if the project never had one. */
export async function findQuota(db: Db, projectId: string): Promise<Quota | null> {
  const [row] = await db.query<Row>(findStatement, [projectId])
  if (!row) return null
  const { ownerBytes, ownerFiles, ...project } = row
  return { ...project, perOwner: { bytes: ownerBytes, files: ownerFiles } }
}

type Row = Omit<Quota, 'perOwner'> & {
  ownerBytes: number | null
  ownerFiles: number | null
}

/** What one owner has stored or reserved. */
export async function findOwnerUsage(
  db: Db,
  projectId: string,
  ownerId: string,
): Promise<Pick<Quota, 'usedBytes' | 'usedFiles'>> {
  const [row] = await db.query<Quota>(ownerStatement, [projectId, ownerId])
  return row ?? { usedBytes: 0, usedFiles: 0 }
}

/** Sets the limits; the counters stay. False if they were so already. */
export async function writeLimits(
  db: Db,
  projectId: string,
  { bytes, files, perOwner }: QuotaLimits,
): Promise<boolean> {
  const values = [projectId, bytes, files, perOwner.bytes, perOwner.files]
  return (await db.query(writeStatement, values)).length > 0
}

/** The projects that have limits, by id from behind `after` on. */
export async function findLimited(db: Db, after: string): Promise<string[]> {
  const rows = await db.query<{ id: string }>(limitedStatement, [after])
  return rows.map(({ id }) => id)
}

const findStatement: Statement = {
  name: 'quota_find',
  sql: `SELECT max_bytes AS bytes, max_files AS files, owner_max_bytes AS "ownerBytes",
  owner_max_files AS "ownerFiles", used_bytes AS "usedBytes", used_files AS "usedFiles"
FROM carcosa.quota WHERE project_id = $1`,
}

const ownerStatement: Statement = {
  name: 'quota_owner',
  sql: `SELECT used_bytes AS "usedBytes", used_files AS "usedFiles" FROM carcosa.owner_usage
WHERE project_id = $1 AND owner_id = $2`,
}

const writeStatement: Statement = {
  name: 'quota_write',
  sql: `INSERT INTO carcosa.quota AS q
  (project_id, max_bytes, max_files, owner_max_bytes, owner_max_files)
VALUES ($1, $2::int8, $3::int8, $4::int8, $5::int8)
ON CONFLICT (project_id) DO UPDATE
SET max_bytes = excluded.max_bytes, max_files = excluded.max_files,
  owner_max_bytes = excluded.owner_max_bytes, owner_max_files = excluded.owner_max_files
WHERE (q.max_bytes, q.max_files, q.owner_max_bytes, q.owner_max_files) IS DISTINCT FROM
  (excluded.max_bytes, excluded.max_files, excluded.owner_max_bytes, excluded.owner_max_files)
RETURNING project_id`,
}

const limitedStatement: Statement = {
  name: 'quota_limited',
  sql: `SELECT project_id AS id FROM carcosa.quota
WHERE num_nonnulls(max_bytes, max_files, owner_max_bytes, owner_max_files) > 0
  AND project_id > $1
ORDER BY project_id LIMIT 500`,
}
