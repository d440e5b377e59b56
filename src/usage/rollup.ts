import type { Database, Statement } from '../db/database.ts'

/**
 * Adds up the events of a project by days (UTC), once by route and once by owner. An event is taken
 * by its number, which it has from behind its commit, and how far it got is changed by the same
 * statement: each event counts once, however late it comes and however often this runs.
 */

type Db = Pick<Database, 'query'>

/** Of all projects that have events which are numbered and not added up. */
export async function rollUpAll(db: Db): Promise<void> {
  for (;;) {
    const behind = await db.query<{ id: string }>(behindStatement)
    for (const { id } of behind) await rollUp(db, id)
    if (behind.length === 0) return
  }
}

/** Of one project. */
export async function rollUp(db: Db, projectId: string): Promise<void> {
  for (;;) {
    const [row] = await db.query<{ count: number }>(rollUpStatement, [projectId])
    if (!row) await db.query(beginStatement, [projectId])
    else if (row.count < batchSize) return
  }
}

const batchSize = 5_000

const behindStatement: Statement = {
  name: 'usage_behind',
  sql: `SELECT s.project_id AS id FROM carcosa.event_sequence s
LEFT JOIN carcosa.usage_cursor c USING (project_id)
WHERE c.number IS NULL OR s.last > c.number
ORDER BY s.project_id LIMIT 500`,
}

/** Inserts the sums of `x` (day, route, owner, stored, deleted, bytes). */
const addSql = `r AS (
  SELECT 'route' AS dimension, day, route AS name, stored, deleted, bytes FROM x
  UNION ALL
  SELECT 'owner', day, owner, stored, deleted, bytes FROM x
), u AS (
  INSERT INTO carcosa.usage_day AS d
    (project_id, dimension, day, name, stored_files, stored_bytes, deleted_files, deleted_bytes)
  SELECT $1, dimension, day, name, count(*) FILTER (WHERE stored),
    coalesce(sum(bytes) FILTER (WHERE stored), 0), count(*) FILTER (WHERE deleted),
    coalesce(sum(bytes) FILTER (WHERE deleted), 0)
  FROM r WHERE stored OR deleted
  GROUP BY dimension, day, name ORDER BY dimension, day, name
  ON CONFLICT (project_id, dimension, day, name) DO UPDATE
  SET stored_files = d.stored_files + excluded.stored_files,
    stored_bytes = d.stored_bytes + excluded.stored_bytes,
    deleted_files = d.deleted_files + excluded.deleted_files,
    deleted_bytes = d.deleted_bytes + excluded.deleted_bytes
)`

// A file that was stored ends once: what is removed after it was rejected or failed was not there.
const rollUpStatement: Statement = {
  name: 'usage_roll_up',
  sql: `WITH c AS (
  SELECT number FROM carcosa.usage_cursor WHERE project_id = $1 FOR UPDATE
), x AS (
  SELECT e.number, (e.created_at AT TIME ZONE 'UTC')::date AS day,
    coalesce(f.route, '') AS route, coalesce(f.owner_id, '') AS owner,
    coalesce(f.size, 0) AS bytes, e.type IN ('file.stored', 'file.undeleted') AS stored,
    f.stored_at IS NOT NULL AND (e.type IN ('file.rejected', 'file.failed')
      OR e.type = 'file.removed' AND f.failure IS NULL) AS deleted
  FROM c, carcosa.event e LEFT JOIN carcosa.file f ON f.id = e.file_id
  WHERE e.project_id = $1 AND e.number > c.number AND e.number <= c.number + ${batchSize}
), ${addSql}, m AS (
  UPDATE carcosa.usage_cursor g SET number = s.number
  FROM (SELECT max(number) AS number FROM x) s
  WHERE g.project_id = $1 AND s.number IS NOT NULL
)
SELECT (SELECT count(*) FROM x)::int4 AS count FROM c`,
}

// The first time: events may have been dropped for their age, so what they told is read from the
// files. What is told and not numbered yet will come as an event.
const beginStatement: Statement = {
  name: 'usage_begin',
  sql: `WITH c AS (
  INSERT INTO carcosa.usage_cursor (project_id, number)
  VALUES ($1, coalesce((SELECT last FROM carcosa.event_sequence WHERE project_id = $1), 0))
  ON CONFLICT (project_id) DO NOTHING
  RETURNING number
), f AS (
  SELECT f.route, coalesce(f.owner_id, '') AS owner, coalesce(f.size, 0) AS bytes, f.state,
    (f.stored_at AT TIME ZONE 'UTC')::date AS stored_on,
    (coalesce(f.purged_at, f.updated_at) AT TIME ZONE 'UTC')::date AS ended_on,
    ARRAY(SELECT e.type FROM carcosa.event e WHERE e.file_id = f.id AND e.number IS NULL) AS coming
  FROM c, carcosa.file f WHERE f.project_id = $1 AND f.stored_at IS NOT NULL
), x AS (
  SELECT stored_on AS day, route, owner, bytes, true AS stored, false AS deleted
  FROM f WHERE NOT 'file.stored' = ANY(coming)
  UNION ALL
  SELECT ended_on, route, owner, bytes, false, true
  FROM f WHERE (state IN ('removed', 'rejected', 'failed') OR 'file.undeleted' = ANY(coming))
    AND NOT coming && ARRAY['file.removed', 'file.rejected', 'file.failed']
), ${addSql}
SELECT number FROM c`,
}
