import type { Database } from '../db/database.ts'
import type { JobPolicy } from './definitions.ts'

const schema = 'carcosa_jobs'

/** How pg-boss runs on `database`; only a worker schedules and cleans up. */
export async function bossOptions(database: Database, worker: boolean) {
  const { rows } = await database.executeSql(
    `SELECT to_regnamespace('${schema}') AS found`,
  )
  return {
    db: { executeSql: database.executeSql },
    backend: database.kind,
    schema,
    // Even `IF NOT EXISTS` asks for the right to create schemas, which the user may lack
    // where an administrator made ours.
    createSchema: !rows[0]?.found,
    supervise: worker,
    schedule: worker,
    // What an idle process does: the defaults are made for busier ones.
    cronWorkerIntervalSeconds: 20,
    flowIntervalSeconds: 3600,
    maintenanceIntervalSeconds: 3600,
  }
}

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
    deleteAfterSeconds: 3600,
  }
}
