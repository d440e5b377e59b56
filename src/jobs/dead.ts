import type { Database, Statement } from '../db/database.ts'
import type { Logger } from '../shared/logger.ts'
import { deadQueue } from './definitions.ts'

/** Milliseconds between two looks for jobs that died with their process. */
const lookMs = 60_000

/** Tells the log of jobs that failed for good. */
export interface DeadJobWatch {
  /** Looks now. Never rejects. */
  look(): Promise<void>
  stop(): void
}

/**
 * Each dead job is told as an error once, by whichever process notices it first: also one whose
 * processes were killed or hung at every try, of which no handler can tell.
 */
export function watchDeadJobs(database: Database, log: Logger): DeadJobWatch {
  const look = async () => {
    try {
      const died = await database.query<Died>(claimStatement, [deadQueue])
      for (const job of died) {
        log.error(
          { ...job },
          'a job is dead: it failed as often as it may. See: carcosa jobs list',
        )
      }
    } catch (err) {
      log.warn({ err }, 'could not look for dead jobs')
    }
  }
  const timer = setInterval(() => void look(), lookMs)
  timer.unref()
  void look()
  return { look, stop: () => clearInterval(timer) }
}

interface Died {
  id: string
  job: string
  attempts: number
  data: unknown
  error: string | null
}

/** Of a job that waits in the dead-letter queue pg-boss leaves `output` free. */
const claimStatement: Statement = {
  name: 'jobs_tell_dead',
  sql: `UPDATE carcosa_jobs.job SET output = '{"told": true}'
        WHERE name = $1 AND state = 'created' AND output IS NULL
        RETURNING id, source_name AS job, source_retry_count + 1 AS attempts, data,
                  source_output->>'message' AS error`,
}
