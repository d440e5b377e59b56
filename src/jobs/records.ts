import type { Database, Statement } from '../db/database.ts'
import { CarcosaError } from '../shared/errors.ts'
import { assertJobName, deadQueue, type JobName, jobNames } from './definitions.ts'

/**
 * `waiting` for its time or a worker, `running`, `failed` and to be tried again (of jobs that
 * come by the clock: until then), `dead` when all tries are used up.
 */
export const jobStates = ['waiting', 'running', 'failed', 'dead'] as const
export type JobState = (typeof jobStates)[number]

/** One job that is not done. */
export interface JobRecord {
  readonly id: string
  readonly queue: JobName
  readonly state: JobState
  /** How often it was begun. */
  readonly attempts: number
  readonly createdAt: Date
  /** When it is tried next; null if it runs, or nobody will. */
  readonly nextAt: Date | null
  /** When its last try was used up; null unless it is dead. */
  readonly diedAt: Date | null
  /** What the last try that failed said; null if none has. */
  readonly lastError: string | null
  /** The ids it carries. */
  readonly data: Readonly<Record<string, unknown>>
}

export interface JobFilter {
  /** Only jobs of this queue. */
  queue?: string
  /** Only jobs in this state. */
  state?: string
  /** Only jobs about a file of this project. */
  projectId?: string
  /** Most jobs returned, 1 to 1,000. Default 100. */
  limit?: number
}

export type JobCounts = Record<JobName, Record<JobState, number>>

/**
 * Jobs that are not done, newest first.
 * @throws {CarcosaError} QUEUE_UNKNOWN, BAD_REQUEST
 */
export function listJobs(db: Database, filter: JobFilter = {}): Promise<JobRecord[]> {
  const { queue = null, state = null, projectId = null, limit = 100 } = filter
  if (queue !== null) assertJobName(queue)
  if (state !== null) assertState(state)
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
    throw new CarcosaError('BAD_REQUEST', {
      message: `limit is a whole number from 1 to 1000, not ${limit}.`,
    })
  }
  return db.query(listStatement, [deadQueue, jobNames, queue, state, limit, projectId])
}

/** How many jobs of each queue are not done, by state. */
export async function countJobs(db: Database): Promise<JobCounts> {
  const rows = await db.query<{ queue: JobName; state: JobState; count: number }>(
    countStatement,
    [deadQueue, jobNames],
  )
  const none = () => ({ waiting: 0, running: 0, failed: 0, dead: 0 })
  const entries = jobNames.map((name) => [name, none()])
  const counts: JobCounts = Object.fromEntries(entries)
  for (const { queue, state, count } of rows) counts[queue][state] = count
  return counts
}

function assertState(state: string): asserts state is JobState {
  if ((jobStates as readonly string[]).includes(state)) return
  throw new CarcosaError('BAD_REQUEST', {
    message: `There is no state ${JSON.stringify(state.slice(0, 64))} of jobs. States are ${jobStates.join(', ')}.`,
    details: { given: state, allowed: jobStates },
  })
}

/** A job that failed for good has a row in the dead-letter queue, which stands for it. */
const jobs = `SELECT * FROM (
  SELECT id,
    CASE name WHEN $1 THEN source_name ELSE name END AS queue,
    CASE WHEN name = $1 THEN 'dead'
         WHEN state = 'active' THEN 'running'
         WHEN state = 'created' OR output IS NULL THEN 'waiting'
         ELSE 'failed' END AS state,
    CASE WHEN name = $1 THEN source_retry_count + 1
         WHEN started_on IS NULL THEN retry_count
         ELSE retry_count + 1 END AS attempts,
    coalesce(source_created_on, created_on) AS "createdAt",
    CASE WHEN name <> $1 AND state IN ('created', 'retry') THEN start_after END AS "nextAt",
    CASE WHEN name = $1 THEN created_on END AS "diedAt",
    coalesce(source_output, output)->>'message' AS "lastError",
    coalesce(data, '{}') - 'request' AS data
  FROM carcosa_jobs.job
  WHERE state NOT IN ('completed', 'cancelled')
    AND (state <> 'failed' OR dead_letter IS NULL)
) jobs WHERE queue = any($2::text[])`

const listStatement: Statement = {
  name: 'jobs_list',
  sql: `${jobs} AND ($3::text IS NULL OR queue = $3) AND ($4::text IS NULL OR state = $4)
        AND ($6::text IS NULL OR EXISTS (
          SELECT FROM carcosa.file f WHERE f.id = data->>'fileId' AND f.project_id = $6))
        ORDER BY coalesce("diedAt", "createdAt") DESC, id LIMIT $5::int`,
}

const countStatement: Statement = {
  name: 'jobs_count',
  sql: `SELECT queue, state, count(*)::int AS count FROM (${jobs}) jobs GROUP BY 1, 2`,
}
