import type { Database, Statement } from '../db/database.ts'
import { createOutbox } from '../events/outbox.ts'
import { CarcosaError } from '../shared/errors.ts'
import { findQuota, type Quota } from './quota-rows.ts'
import { rollUp } from './rollup.ts'

/** What is asked of the usage of a project. */
export interface UsageQuery {
  /** First day, as `2026-11-30` (UTC). Default 29 days before `to`. */
  from?: string
  /** Last day. Default today. */
  to?: string
  /** What the rows are for. Default `day`. */
  by?: 'day' | 'route' | 'owner'
}

/** What was stored and deleted in the time asked for. */
export interface UsageRow {
  /** The day, the name of the route, or the id of the owner; null for files of nobody. */
  readonly name: string | null
  readonly storedFiles: number
  readonly storedBytes: number
  readonly deletedFiles: number
  readonly deletedBytes: number
}

export interface UsageReport {
  readonly projectId: string
  /** What is stored now, without uploads under way. */
  readonly bytes: number
  readonly files: number
  /** What may be stored, and what counts for it: also what uploads have reserved. Null if there is none. */
  readonly quota: Quota | null
  readonly from: string
  readonly to: string
  readonly by: 'day' | 'route' | 'owner'
  /** By day in order, without days on which nothing happened; else the most bytes first, at most 1,000. */
  readonly rows: readonly UsageRow[]
}

type Db = Pick<Database, 'query' | 'executeSql'>

/**
 * Takes along all that was committed before. The events since the last time are read, and no file.
 * @throws {CarcosaError} BAD_REQUEST
 */
export async function reportUsage(
  db: Db,
  projectId: string,
  query: UsageQuery = {},
): Promise<UsageReport> {
  const range = rangeOf(query)
  const by = byOf(query)
  await createOutbox(db).number()
  await rollUp(db, projectId)
  const [totals] = await db.query<Totals>(totalsStatement, [projectId])
  const values = [projectId, range.from, range.to]
  const rows = await db.query<UsageRow>(statements[by], values)
  const { bytes = 0, files = 0 } = totals ?? {}
  const quota = await findQuota(db, projectId)
  return { projectId, bytes, files, quota, ...range, by, rows: rows.map(toRow) }
}

interface Totals {
  bytes: number
  files: number
}

/** Files of nobody are under the empty name. */
function toRow(row: UsageRow): UsageRow {
  return row.name === '' ? { ...row, name: null } : row
}

const dayMs = 24 * 3_600_000

function rangeOf({ from, to }: UsageQuery): { from: string; to: string } {
  const last = to === undefined ? Date.now() : parseDay(to)
  const first = from === undefined ? last - 29 * dayMs : parseDay(from)
  if (first > last) throw badDays()
  return { from: dayOf(first), to: dayOf(last) }
}

function byOf({ by = 'day' }: UsageQuery): 'day' | 'route' | 'owner' {
  if (by === 'day' || by === 'route' || by === 'owner') return by
  throw new CarcosaError('BAD_REQUEST', {
    message: 'Usage is by "day", "route" or "owner".',
  })
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

function parseDay(text: string): number {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN
  // 2026-02-30 is a date to the parser of some engines.
  if (Number.isNaN(ms) || dayOf(ms) !== text || text < '0001') throw badDays()
  return ms
}

function badDays(): CarcosaError {
  return new CarcosaError('BAD_REQUEST', {
    message: 'Days are written as 2026-11-30, and "from" is not after "to".',
  })
}

const totalsStatement: Statement = {
  name: 'usage_totals',
  sql: `SELECT coalesce(sum(stored_bytes - deleted_bytes), 0)::int8 AS bytes,
  coalesce(sum(stored_files - deleted_files), 0)::int8 AS files
FROM carcosa.usage_day WHERE project_id = $1 AND dimension = 'route'`,
}

const sums = `sum(stored_files)::int8 AS "storedFiles", sum(stored_bytes)::int8 AS "storedBytes",
  sum(deleted_files)::int8 AS "deletedFiles", sum(deleted_bytes)::int8 AS "deletedBytes"`

const statements = {
  day: statementOf('route', 'day::text', 'ORDER BY 1'),
  route: statementOf('route', 'name', 'ORDER BY 3 DESC, 1 LIMIT 1000'),
  owner: statementOf('owner', 'name', 'ORDER BY 3 DESC, 1 LIMIT 1000'),
} as const

function statementOf(dimension: string, name: string, order: string): Statement {
  return {
    name: `usage_${dimension}_${order.length}`,
    sql: `SELECT ${name} AS name, ${sums} FROM carcosa.usage_day
WHERE project_id = $1 AND dimension = '${dimension}' AND day BETWEEN $2::date AND $3::date
GROUP BY 1 ${order}`,
  }
}
