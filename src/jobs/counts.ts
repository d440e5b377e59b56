import type { Database, Statement } from '../db/database.ts'
import { schema } from './options.ts'

/** How many jobs of one kind there are, on all nodes. */
export interface JobCount {
  readonly queue: string
  /** Waiting for a first or another try, now or later. */
  readonly queued: number
  readonly active: number
  /** Given up, and not yet forgotten. */
  readonly failed: number
}

/** Counts the jobs of every queue, those without jobs included. */
export async function countJobs(db: Pick<Database, 'query'>): Promise<JobCount[]> {
  const rows = await db.query<JobCount>(countStatement)
  return rows.map(({ queue, queued, active, failed }) => ({
    queue,
    queued: Number(queued),
    active: Number(active),
    failed: Number(failed),
  }))
}

/** Queues whose names begin so are pg-boss's own. */
const internal = '\\_\\_%'

const countStatement: Statement = {
  name: 'jobs_count',
  sql: `SELECT q.name AS queue,
  count(j.id) FILTER (WHERE j.state < 'active') AS queued,
  count(j.id) FILTER (WHERE j.state = 'active') AS active,
  count(j.id) FILTER (WHERE j.state = 'failed') AS failed
FROM ${schema}.queue q
LEFT JOIN ${schema}.job j ON j.name = q.name AND j.state NOT IN ('completed', 'cancelled')
WHERE q.name NOT LIKE '${internal}'
GROUP BY q.name`,
}
