import type { Database, Statement } from '../db/database.ts'
import type { Topic } from './topic.ts'

/**
 * The events of all projects, read by number.
 *
 * A state change inserts its events without a number: numbers taken there would become visible
 * out of order, and a reader who has seen 7 would never look for the 6 that was committed after
 * it. They are numbered behind their commits, by one writer at a time, so whatever is numbered
 * later has a higher number.
 */
export interface Outbox {
  /** Numbers all that is committed. Whoever reads afterwards misses nothing. */
  number(): Promise<void>
  /** How far the events of a project are numbered, and up to where they may be deleted. */
  extent(projectId: string): Promise<Extent>
  /** Numbered events in order, `limit` at most. */
  read(selection: Selection): Promise<StoredEvent[]>
  /** Deletes those older than `before`; resolves with their number. */
  drop(before: Date): Promise<number>
  /** Deletes those older than their project says; resolves with their number. */
  dropBySettings(): Promise<number>
}

export interface Extent {
  /** The highest number given; 0 if there is none. */
  last: number
  /** Of the events up to this number some were deleted for their age; 0 if none were. */
  dropped: number
}

export interface Selection {
  projectId: string
  /** Events of any of them; `null` for all. All must belong to the project. */
  topics: readonly Topic[] | null
  /** From behind this number on. */
  after: number
  /** Up to this number; default all. */
  upTo?: number
  limit: number
}

/** A state change that was told, as it is kept. */
export interface StoredEvent {
  /** Its place among the events of its project, from 1 on, in the order of commits. */
  readonly number: number
  readonly type: string
  readonly at: Date
  readonly data: Record<string, unknown>
  readonly fileId: string | null
  readonly route: string | null
  readonly batchId: string | null
}

/** Most rows numbered or deleted by one statement. */
const batchSize = 10_000

export function createOutbox(db: Pick<Database, 'query' | 'executeSql'>): Outbox {
  return {
    async number() {
      for (;;) {
        const { rows } = await db.executeSql(numberScript)
        const count = rows.find((row) => 'numbered' in row)?.numbered
        if (Number(count) < batchSize) return
      }
    },
    async extent(projectId) {
      const [row] = await db.query<Extent>(extentStatement, [projectId])
      return row ?? { last: 0, dropped: 0 }
    },
    read({ projectId, topics, after, upTo = Number.MAX_SAFE_INTEGER, limit }) {
      const range = [projectId, after, upTo, limit]
      if (!topics || topics.some(({ kind }) => kind === 'project'))
        return db.query<StoredEvent>(readAll, range)
      const named = (kind: Topic['kind']) =>
        topics.filter((topic) => topic.kind === kind).map(({ id }) => id)
      const files = [...range, named('file'), named('batch')]
      const routes = named('route')
      if (routes.length === 0) return db.query<StoredEvent>(readFiles, files)
      return db.query<StoredEvent>(readRoutes, [...files, routes])
    },
    drop: (before) => dropAll(dropStatement, [before]),
    dropBySettings: () => dropAll(dropBySettingsStatement, []),
  }

  async function dropAll(statement: Statement, values: unknown[]): Promise<number> {
    let dropped = 0
    for (;;) {
      const [row] = await db.query<{ count: number }>(statement, values)
      const count = Number(row?.count ?? 0)
      dropped += count
      if (count < batchSize) return dropped
    }
  }
}

/** Any number; whoever numbers events of this database holds it. */
const lockKey = 72707370

/**
 * One transaction in one round trip. Each statement has a snapshot of its own, whatever the
 * default of the server is, so the second one sees all that was committed when the lock was had.
 */
const numberScript = `BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT pg_advisory_xact_lock(${lockKey});
WITH waiting AS (
  SELECT seq, project_id FROM carcosa.event
  WHERE number IS NULL ORDER BY seq LIMIT ${batchSize}
), placed AS (
  SELECT seq, project_id,
    row_number() OVER (PARTITION BY project_id ORDER BY seq) AS place,
    count(*) OVER (PARTITION BY project_id) AS count
  FROM waiting
), sequence AS (
  INSERT INTO carcosa.event_sequence AS s (project_id, last)
  SELECT project_id, count(*) FROM waiting GROUP BY project_id
  ON CONFLICT (project_id) DO UPDATE SET last = s.last + excluded.last
  RETURNING project_id, last
), numbered AS (
  UPDATE carcosa.event e SET number = s.last - p.count + p.place
  FROM placed p JOIN sequence s USING (project_id)
  WHERE e.seq = p.seq
  RETURNING 1
)
SELECT count(*)::int4 AS numbered FROM numbered;
COMMIT`

const extentStatement: Statement = {
  name: 'event_extent',
  sql: 'SELECT last, dropped FROM carcosa.event_sequence WHERE project_id = $1',
}

const selected = `SELECT e.number, e.type, e.created_at AS at, e.data, e.file_id AS "fileId",
  coalesce(f.route, e.data->>'route') AS route, f.batch_id AS "batchId"
FROM carcosa.event e LEFT JOIN carcosa.file f ON f.id = e.file_id
WHERE e.project_id = $1 AND e.number > $2::int8 AND e.number <= $3::int8`

const inOrder = 'ORDER BY e.number LIMIT $4::int4'

const ofFiles = `e.file_id = ANY(array(
  SELECT unnest($5::text[]) UNION SELECT id FROM carcosa.file WHERE batch_id = ANY($6::text[])
))`

const readAll: Statement = { name: 'event_read_all', sql: `${selected} ${inOrder}` }

const readFiles: Statement = {
  name: 'event_read_files',
  sql: `${selected} AND ${ofFiles} ${inOrder}`,
}

const readRoutes: Statement = {
  name: 'event_read_routes',
  sql: `${selected} AND (${ofFiles} OR f.route = ANY($7::text[])) ${inOrder}`,
}

const noted = `noted AS (
  UPDATE carcosa.event_sequence s SET dropped = greatest(s.dropped, g.number)
  FROM (SELECT project_id, max(number) AS number FROM gone GROUP BY project_id) g
  WHERE s.project_id = g.project_id
)
SELECT count(*)::int4 AS count FROM gone`

const dropStatement: Statement = {
  name: 'event_drop',
  sql: `WITH oldest AS (
  SELECT seq FROM carcosa.event ORDER BY seq LIMIT ${batchSize}
), gone AS (
  DELETE FROM carcosa.event e USING oldest o
  WHERE e.seq = o.seq AND e.created_at < $1 AND e.number IS NOT NULL
  RETURNING e.project_id, e.number
), ${noted}`,
}

// The index has them in the order of numbers: it is left where a project's oldest one may stay.
const dropBySettingsStatement: Statement = {
  name: 'event_drop_by_settings',
  sql: `WITH brief AS (
  SELECT id, now() - (settings->>'eventRetention')::float8 * interval '1 millisecond' AS before
  FROM carcosa.project WHERE settings->>'eventRetention' IS NOT NULL
), oldest AS (
  SELECT e.seq, p.before FROM brief p CROSS JOIN LATERAL (
    SELECT seq FROM carcosa.event WHERE project_id = p.id AND number IS NOT NULL
    ORDER BY number LIMIT ${batchSize}
  ) e
), gone AS (
  DELETE FROM carcosa.event e USING oldest o
  WHERE e.seq = o.seq AND e.created_at < o.before
  RETURNING e.project_id, e.number
), ${noted}`,
}
