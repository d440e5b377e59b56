import type { Store } from '../stores/store.ts'
import type { Database } from './db/database.ts'
import type { Jobs } from './jobs/queue.ts'
import type { Check } from './ops/health.ts'

export interface ReadinessParts {
  readonly db: Database
  readonly jobs: Jobs
  readonly stores: ReadonlyMap<string, Store>
  /** Whether this process works jobs. */
  readonly worker: boolean
}

/** What must be well for this process to be sent requests. */
export function readinessChecks({ db, jobs, stores, worker }: ReadinessParts): Check[] {
  const inDatabase = { timeoutMs: 3_000, keepMs: 1_000 }
  return [
    {
      name: 'database',
      ...inDatabase,
      async probe() {
        await db.query({ name: 'ready', sql: 'SELECT 1' })
        return {}
      },
    },
    {
      name: 'queue',
      ...inDatabase,
      async probe() {
        await jobs.probe()
        return { worker }
      },
    },
    ...[...stores].map(([name, store]) => ({
      name: `store:${name}`,
      timeoutMs: 5_000,
      // A request to a cloud, which costs money and time.
      keepMs: 15_000,
      async probe() {
        await store.probe?.()
        return {}
      },
    })),
  ]
}
