import type { Database, Statement } from '../db/database.ts'
import { CarcosaError } from '../shared/errors.ts'
import { assertJobName, deadQueue } from './definitions.ts'

/** Which jobs are to be tried again. */
export type RetrySelection =
  | { readonly ids: readonly string[] }
  | { readonly all: true; readonly queue?: string }

/** Moves dead jobs back to their queues, by their ids there; returns how many it moved. */
export type Redrive = (ids: string[]) => Promise<number>

const batchSize = 500

/**
 * Gives dead jobs all of their tries again, and lets failed ones that wait for their next try
 * run now. Safe to repeat: what is neither is left alone. Returns how many were put back.
 *
 * @throws {CarcosaError} QUEUE_UNKNOWN, BAD_REQUEST
 */
export async function retryJobs(
  db: Database,
  redrive: Redrive,
  selection: RetrySelection,
): Promise<number> {
  const ids = 'ids' in selection ? checked(selection.ids) : null
  const queue = 'ids' in selection ? null : (selection.queue ?? null)
  if (queue !== null) assertJobName(queue)
  let count = (await db.query(hastenStatement, [ids, queue])).length
  for (;;) {
    const found = await db.query<{ id: string }>(deadStatement, [
      ...[deadQueue, ids, queue, batchSize],
    ])
    if (found.length === 0) return count
    const moved = await redrive(found.map(({ id }) => id))
    // Somebody else is at them.
    if (moved === 0) return count
    count += moved
  }
}

function checked(ids: readonly string[]): string[] {
  const wrong = ids.find((id) => !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id))
  if (wrong === undefined) return [...ids]
  throw new CarcosaError('BAD_REQUEST', {
    message: `${JSON.stringify(wrong.slice(0, 64))} is not the id of a job. carcosa jobs list shows them.`,
  })
}

/** Under the id the log gave it while it was tried, or the one it has now. */
const deadStatement: Statement = {
  name: 'jobs_dead',
  sql: `SELECT id FROM carcosa_jobs.job
        WHERE name = $1 AND state = 'created'
          AND ($2::uuid[] IS NULL OR id = any($2::uuid[]) OR source_id = any($2::uuid[]))
          AND ($3::text IS NULL OR source_name = $3)
        ORDER BY created_on LIMIT $4::int`,
}

const hastenStatement: Statement = {
  name: 'jobs_hasten',
  sql: `UPDATE carcosa_jobs.job SET start_after = now()
        WHERE state = 'retry' AND start_after > now()
          AND ($1::uuid[] IS NULL OR id = any($1::uuid[]))
          AND ($2::text IS NULL OR name = $2)
        RETURNING id`,
}
