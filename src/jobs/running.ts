import type { Database, Statement } from '../db/database.ts'
import { CarcosaError } from '../shared/errors.ts'
import type { Logger } from '../shared/logger.ts'
import { type JobName, type JobPayloads, jobPolicies } from './definitions.ts'
import type { JobHandler } from './handler.ts'

/** The jobs that run in this process. */
export interface Running {
  /** Runs one job to its end; never rejects. A job that was given back counts as ended. */
  run<Name extends JobName>(
    job: StartedJob<Name>,
    handler: JobHandler<Name>,
  ): Promise<JobEnd>
  /**
   * Ends waiting for all that run: their signals are aborted, and each is ready at once for
   * another process, with no try used up. Never rejects.
   */
  giveBack(): Promise<void>
}

/** A job as the queue hands it out. */
export interface StartedJob<Name extends JobName = JobName> {
  readonly id: string
  readonly name: string
  readonly data: JobPayloads[Name]
  /** 0 for the first run. */
  readonly retryCount: number
  readonly signal: AbortSignal
}

/** What the queue is told of it. */
export interface JobEnd {
  readonly id: string
  readonly status: 'completed' | 'failed'
  readonly output?: object
}

export function createRunning(database: Database, log: Logger): Running {
  const stopping = new AbortController()
  const running = new Map<string, StartedJob>()
  const abandoned = new Promise<void>((resolve) => {
    stopping.signal.addEventListener('abort', () => resolve(), { once: true })
  })

  return {
    async run(job, handler) {
      const { id } = job
      running.set(id, job)
      const left = abandoned.then((): JobEnd => ({ id, status: 'failed' }))
      const end = await Promise.race([attempt(job, handler, stopping.signal), left])
      running.delete(id)
      if (end.status === 'failed' && !stopping.signal.aborted) report(job, end, log)
      return end
    },

    async giveBack() {
      const jobs = [...running.values()].map(({ id, name }) => ({ id, name }))
      if (jobs.length > 0) {
        log.warn({ jobs }, 'gives back jobs that did not end in time')
        await database
          .query(giveBackStatement, [jobs.map(({ id }) => id)])
          .catch((err) => log.warn({ err }, 'jobs could not be given back'))
      }
      stopping.abort('this process stops')
    },
  }
}

async function attempt<Name extends JobName>(
  { id, data, retryCount, signal }: StartedJob<Name>,
  handler: JobHandler<Name>,
  stopping: AbortSignal,
): Promise<JobEnd> {
  try {
    const signals = AbortSignal.any([signal, stopping])
    await handler(data, { id, attempt: retryCount + 1, signal: signals })
    return { id, status: 'completed' }
  } catch (error) {
    return { id, status: 'failed', output: describe(error) }
  }
}

/** What is kept of an error with the job; `stack` goes to the log as well. */
function describe(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) }
  const code = error instanceof CarcosaError ? { code: error.code } : {}
  return { message: error.message, ...code, stack: error.stack }
}

function report(
  { id, name, data, retryCount }: StartedJob,
  { output }: JobEnd,
  log: Logger,
) {
  const attempt = retryCount + 1
  const fields = { job: name, id, attempt, data, err: output }
  const { retryLimit, cron } = jobPolicies[name as JobName]
  if (attempt <= retryLimit) log.warn(fields, 'a job failed and is tried again')
  // Nothing else is told of it; of others, that they are dead is.
  else if (cron !== undefined) log.error(fields, 'a job failed')
  else log.warn(fields, 'a job failed for the last time')
}

/** Its count of tries goes up with their limit: what this process still says of it is too late. */
const giveBackStatement: Statement = {
  name: 'jobs_give_back',
  sql: `UPDATE carcosa_jobs.job
        SET state = 'retry', start_after = now(), started_on = NULL, heartbeat_on = NULL,
            output = NULL, retry_count = retry_count + 1, retry_limit = retry_limit + 1
        WHERE id = any($1::uuid[]) AND state = 'active'`,
}
