import type { Statement } from '../db/database.ts'

/**
 * SQL that keeps the counters of `carcosa.quota` and `carcosa.owner_usage` true: each is the sum of
 * `reserved` over the files it is about, and no statement changes one without the other.
 *
 * What a file reserves is given back by moving it to `released`, in the statement that ends the
 * file: there is nothing left to give back a second time. Locks are taken in the order file,
 * quota, owner.
 */

/** Parameters of a statement, as it writes them. */
export interface Asked {
  readonly project: string
  readonly owner: string
  /** An expression: how many bytes one more file takes. */
  readonly bytes: string
  /** What else must hold. */
  readonly unless?: string
}

/**
 * CTE `room`: one row if one more file fits, none if not. The row of the project is then locked, and
 * the owner's counter raised: who inserts nothing after it must fail.
 */
export function roomSql({ project, owner, bytes, unless }: Asked): string {
  const also = unless === undefined ? '' : ` AND NOT (${unless})`
  return `q AS (
  SELECT project_id, owner_max_bytes, owner_max_files FROM carcosa.quota
  WHERE project_id = ${project}
    AND (max_bytes IS NULL OR used_bytes + ${bytes} <= max_bytes)
    AND (max_files IS NULL OR used_files < max_files)${also}
  FOR UPDATE
), o AS (
  INSERT INTO carcosa.owner_usage AS u (project_id, owner_id, used_bytes, used_files)
  SELECT project_id, ${owner}, ${bytes}, 1 FROM q
  WHERE ${owner} IS NOT NULL AND (owner_max_bytes IS NULL OR ${bytes} <= owner_max_bytes)
    AND (owner_max_files IS NULL OR 1 <= owner_max_files)
  ON CONFLICT (project_id, owner_id) DO UPDATE
  SET used_bytes = u.used_bytes + excluded.used_bytes, used_files = u.used_files + 1
  WHERE (SELECT (owner_max_bytes IS NULL OR u.used_bytes + excluded.used_bytes <= owner_max_bytes)
    AND (owner_max_files IS NULL OR u.used_files < owner_max_files) FROM q)
  RETURNING u.project_id
), room AS (
  SELECT project_id FROM q WHERE ${owner} IS NULL UNION ALL SELECT project_id FROM o
)`
}

/** CTE `t`: counts the new row `f` (project_id, reserved) in its project. */
export const countSql = `t AS (
  UPDATE carcosa.quota q
  SET used_bytes = q.used_bytes + f.reserved, used_files = q.used_files + 1
  FROM f WHERE q.project_id = f.project_id
)`

/** For SET, where a file ends. */
export const releasing = 'released = reserved, reserved = NULL'

/** CTEs that give back what the row `f` (project_id, owner_id, released) had reserved. */
export const releaseSql = `r AS (
  UPDATE carcosa.quota q
  SET used_bytes = q.used_bytes - f.released, used_files = q.used_files - 1
  FROM f WHERE q.project_id = f.project_id AND f.released IS NOT NULL
  RETURNING q.project_id
), ro AS (
  UPDATE carcosa.owner_usage u
  SET used_bytes = u.used_bytes - f.released, used_files = u.used_files - 1
  FROM f, r WHERE u.project_id = r.project_id AND u.owner_id = f.owner_id
)`

/** For SET, where a file that had ended comes back. */
export const takingBack = 'reserved = released, released = NULL'

/** CTEs that count again what the row `f` (project_id, owner_id, reserved) had given back. */
export const takeBackSql = `r AS (
  UPDATE carcosa.quota q
  SET used_bytes = q.used_bytes + f.reserved, used_files = q.used_files + 1
  FROM f WHERE q.project_id = f.project_id AND f.reserved IS NOT NULL
  RETURNING q.project_id
), ro AS (
  UPDATE carcosa.owner_usage u
  SET used_bytes = u.used_bytes + f.reserved, used_files = u.used_files + 1
  FROM f, r WHERE u.project_id = r.project_id AND u.owner_id = f.owner_id
)`

/**
 * `$1` the file, `$2` the bytes it is to have reserved, `$3` whether exactly so many (or at
 * least). One that was not counted yet is from now on.
 */
export const reserveStatement: Statement = {
  name: 'quota_reserve',
  sql: `WITH f AS (
  SELECT id, project_id, owner_id, coalesce(reserved, 0) AS had, (reserved IS NULL)::int4 AS more,
    CASE WHEN $3::bool THEN $2::int8 ELSE greatest($2::int8, coalesce(reserved, 0)) END AS wanted
  FROM carcosa.file WHERE id = $1 AND state IN ('created', 'receiving')
  FOR UPDATE
), q AS (
  SELECT q.project_id, q.owner_max_bytes FROM carcosa.quota q, f
  WHERE q.project_id = f.project_id AND (q.max_bytes IS NULL OR f.wanted <= f.had
    OR q.used_bytes + f.wanted - f.had <= q.max_bytes)
  FOR UPDATE OF q
), o AS (
  INSERT INTO carcosa.owner_usage AS u (project_id, owner_id, used_bytes, used_files)
  SELECT q.project_id, f.owner_id, f.wanted - f.had, f.more FROM f, q
  WHERE f.owner_id IS NOT NULL
    AND (q.owner_max_bytes IS NULL OR f.wanted - f.had <= greatest(q.owner_max_bytes, 0))
  ON CONFLICT (project_id, owner_id) DO UPDATE
  SET used_bytes = u.used_bytes + excluded.used_bytes,
    used_files = u.used_files + excluded.used_files
  WHERE (SELECT q.owner_max_bytes IS NULL OR f.wanted <= f.had
    OR u.used_bytes + f.wanted - f.had <= q.owner_max_bytes FROM f, q)
  RETURNING u.project_id
), room AS (
  SELECT q.project_id FROM q, f WHERE f.owner_id IS NULL UNION ALL SELECT project_id FROM o
), g AS (
  UPDATE carcosa.file x SET reserved = f.wanted FROM f, room WHERE x.id = f.id
), t AS (
  UPDATE carcosa.quota q
  SET used_bytes = q.used_bytes + f.wanted - f.had, used_files = q.used_files + f.more
  FROM f, room WHERE q.project_id = room.project_id
)
SELECT f.wanted - f.had AS more, EXISTS (SELECT 1 FROM room) AS granted FROM f`,
}
