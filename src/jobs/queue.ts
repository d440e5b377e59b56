import { PgBoss, type QueueResult } from 'pg-boss'
import type { Database, Statement, Transaction } from '../db/database.ts'
import { ensureSchema, explainRefusal } from '../db/schema.ts'
import { type Logger, silentLogger } from '../shared/logger.ts'
import { type DeadJobWatch, watchDeadJobs } from './dead.ts'
import {
  deadQueue,
  type JobName,
  type JobPayloads,
  jobNames,
  jobPolicies,
} from './definitions.ts'
import type { JobHandler } from './handler.ts'
import { bossOptions, deadQueueOptions, queueOptions, schema } from './options.ts'
import { type RetrySelection, retryJobs } from './retry.ts'
import { createRunning, type JobEnd, type StartedJob } from './running.ts'

/**
 * Work that has to happen even if this process dies: kept in Postgres (schema
 * `carcosa_jobs`), run at least once, tried again with growing delays.
 */
export interface Jobs {
  /** Creates or updates what the queue needs in the database. Once, before anything else. */
  start(): Promise<void>
  /**
   * Takes no new jobs and waits at most `timeout` ms (default 30,000) for running ones. What has
   * not ended by then is given back: another process may begin it at once.
   */
  stop(timeout?: number): Promise<void>
  /**
   * Adds a job: with `tx` the job exists if and only if that transaction commits. One round
   * trip. A job that is `exclusive` and already there is not added again.
   */
  enqueue<Name extends JobName>(
    tx: Pick<Transaction, 'query'> | null,
    name: Name,
    data: JobPayloads[Name],
    options?: EnqueueOptions,
  ): Promise<void>
  /**
   * The SQL that adds one job per row of `source`, a query with a column `data` (jsonb) and
   * optionally `start_after` (interval): to be put into a `WITH` of the statement that is the
   * reason for the jobs, which then costs no round trip of its own and needs no transaction.
   *
   * @example
   * `WITH done AS (UPDATE … RETURNING id),
   *       job AS (${jobs.enqueueSql('upload.digest', `
   *         SELECT jsonb_build_object('fileId', id) AS data FROM done`)})
   *  SELECT * FROM done`
   */
  enqueueSql(name: JobName, source: string): string
  /** Proves that jobs can be added. @throws if the database or a queue in it is missing */
  probe(): Promise<void>
  /** Runs `handler` for jobs of this kind in this process, several at once (see JobPolicy). */
  work<Name extends JobName>(name: Name, handler: JobHandler<Name>): Promise<void>
  /**
   * Gives dead jobs all of their tries again, and lets failed ones run now. Returns how many.
   * @throws {CarcosaError} QUEUE_UNKNOWN, BAD_REQUEST
   */
  retry(selection: RetrySelection): Promise<number>
}

export interface EnqueueOptions {
  /** Milliseconds before the job may run. Default 0. */
  startAfterMs?: number
}

export interface QueueSettings {
  /** Whether this process schedules and looks after jobs. Default true. */
  worker?: boolean
  log?: Logger
}

/** A queue on `database`. It neither opens nor closes the database. */
export function createQueue(database: Database, settings: QueueSettings = {}): Jobs {
  const log = settings.log ?? silentLogger
  const inserts = new Map<JobName, string>()
  const running = createRunning(database, log)
  let boss: PgBoss | undefined
  let deadJobs: DeadJobWatch | undefined

  return {
    async start() {
      await ensureSchema(database, schema)
      boss = new PgBoss(bossOptions(database, settings.worker ?? true))
      // Without a listener an error while polling would end the process.
      boss.on('error', (err) => log.error({ err }, 'the job queue had an error'))
      boss.on('warning', (warning) => log.warn({ warning }, warning.message))
      await boss.start().catch(async (error) => {
        throw await explainRefusal(database, error)
      })
      await createQueues(boss)
      // Also fills pg-boss's cache of queues. It would be filled on first use otherwise, which
      // inside a transaction on PGlite waits for the connection this transaction holds.
      for (const name of jobNames) inserts.set(name, await captureInsert(boss, name))
      if (settings.worker ?? true) deadJobs = watchDeadJobs(database, log)
    },

    async stop(timeout = 30_000) {
      deadJobs?.stop()
      const late = setTimeout(() => void running.giveBack(), timeout)
      // What is given back ends for pg-boss, too, which looks every half second.
      await boss?.stop({ graceful: true, close: false, timeout: timeout + 1_000 })
      clearTimeout(late)
    },

    async enqueue(tx, name, data, options = {}) {
      const { startAfterMs = 0 } = options
      const executeSql = async (sql: string, values?: unknown[]) => ({
        rows: await (tx ?? database).query({ name: `enqueue ${name}`, sql }, values),
      })
      const id = await started(boss).send(name, data, {
        ...(startAfterMs > 0 && { startAfter: `${startAfterMs} milliseconds` }),
        db: { executeSql },
      })
      if (id === null && !jobPolicies[name].exclusive) {
        throw new Error(`The queue ${name} is gone from the database: no job was added.`)
      }
    },

    enqueueSql(name, source) {
      started(boss)
      const jobs = `SELECT coalesce(json_agg(json_build_object(
        'data', source.row->'data', 'startAfter', source.row->>'start_after')), '[]')
        FROM (SELECT to_jsonb(rows) AS row FROM (${source}) rows) source`
      return (inserts.get(name) ?? '').replace('$1', () => `(${jobs})`)
    },

    async probe() {
      const [row] = await database.query<{ there: number }>(probeStatement, [jobNames])
      if (Number(row?.there) === jobNames.length) return
      throw new Error(
        'Queues of Carcosa are missing in the database: restart to make them.',
      )
    },

    async work(name, handler) {
      const { concurrency, pollInterval } = jobPolicies[name]
      const options = {
        batchSize: concurrency,
        burstWhenBatchFull: concurrency > 1,
        pollingIntervalSeconds: pollInterval,
        perJobResults: true,
      } as const
      await started(boss).work<JobPayloads[typeof name], void, typeof options>(
        name,
        options,
        async (jobs) => {
          const ends = await Promise.all(jobs.map((job) => running.run(job, handler)))
          if (isLast(jobs, ends)) setTimeout(() => void deadJobs?.look(), 1_000).unref()
          return ends
        },
      )
    },

    async retry(selection) {
      const redrive = (ids: string[]) => started(boss).redrive(deadQueue, { ids })
      return await retryJobs(database, redrive, selection)
    },
  }
}

const probeStatement: Statement = {
  name: 'jobs_probe',
  sql: `SELECT count(*) AS there FROM ${schema}.queue WHERE name = ANY($1::text[])`,
}

function started(boss: PgBoss | undefined): PgBoss {
  if (boss) return boss
  throw new TypeError('The job queue is used before start().')
}

async function createQueues(boss: PgBoss): Promise<void> {
  const present = new Map((await boss.getQueues()).map((queue) => [queue.name, queue]))
  const keep = async (name: string, { policy, ...options }: QueueOptions) => {
    const queue = present.get(name)
    if (!queue) await boss.createQueue(name, { policy, ...options })
    else if (differs(queue, options)) await boss.updateQueue(name, options)
  }
  // First: the others name it.
  await keep(deadQueue, deadQueueOptions)
  for (const name of jobNames) {
    await keep(name, queueOptions(jobPolicies[name]))
    const { cron } = jobPolicies[name]
    if (cron) await boss.schedule(name, cron)
  }
}

type QueueOptions = ReturnType<typeof queueOptions> | typeof deadQueueOptions

function differs(queue: QueueResult, options: Partial<QueueResult>): boolean {
  const keys = Object.keys(options) as (keyof QueueResult)[]
  return keys.some((key) => queue[key] !== options[key])
}

/** The statement with which pg-boss inserts jobs of this kind; `$1` is a JSON array of them. */
async function captureInsert(boss: PgBoss, name: JobName): Promise<string> {
  let captured = ''
  const executeSql = async (sql: string) => {
    captured = sql
    return { rows: [{ id: '' }] }
  }
  await boss.send(name, {}, { db: { executeSql } })
  if (captured.split('$1').length === 2 && !captured.includes('$2')) return captured
  throw new TypeError('pg-boss inserts jobs in another way now: adapt src/jobs/queue.ts.')
}

/** Whether one of these jobs has just used up its tries. */
function isLast(jobs: readonly StartedJob[], ends: readonly JobEnd[]): boolean {
  return jobs.some(({ name, retryCount }, at) => {
    const { retryLimit } = jobPolicies[name as JobName]
    return ends[at]?.status === 'failed' && retryCount >= retryLimit
  })
}
