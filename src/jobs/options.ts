import type { Database } from '../db/database.ts'
import { deadQueue, type JobPolicy } from './definitions.ts'

/** The Postgres schema that belongs to pg-boss. */
export const schema = 'carcosa_jobs'

/** How pg-boss runs on `database`; only a worker schedules and cleans up. */
export function bossOptions(database: Database, worker: boolean) {
  return {
    db: { executeSql: database.executeSql },
    backend: database.kind,
    schema,
    // We make it: two instances that start at once on an empty database fail otherwise.
    createSchema: false,
    supervise: worker,
    schedule: worker,
    // What an idle process does: the defaults are made for busier ones.
    cronWorkerIntervalSeconds: 20,
    flowIntervalSeconds: 3600,
    maintenanceIntervalSeconds: 3600,
  }
}

const day = 24 * 3600

/** How a queue keeps its jobs. */
export function queueOptions(policy: JobPolicy) {
  return {
    policy: policy.exclusive ? 'exclusive' : 'standard',
    retryLimit: policy.retryLimit,
    retryDelay: policy.retryDelay,
    retryBackoff: policy.retryDelay > 0,
    ...(policy.retryDelay > 0 && { retryDelayMax: policy.retryDelayMax }),
    expireInSeconds: policy.expireIn,
    // A job whose process died is given to another one after this long, not after `expireIn`.
    heartbeatSeconds: 60,
    // How long a job waits for a worker, should none run.
    retentionSeconds: 30 * day,
    deleteAfterSeconds: 3600,
    // What comes again by the clock needs nobody to bring it back.
    ...(policy.cron === undefined && { deadLetter: deadQueue }),
  } as const
}

/** How dead jobs are kept: long enough for a person to notice, and not for ever. */
export const deadQueueOptions = {
  policy: 'standard',
  retryLimit: 0,
  retentionSeconds: 30 * day,
  deleteAfterSeconds: 30 * day,
} as const
