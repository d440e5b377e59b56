import { countJobs } from './jobs/records.ts'
import type { Drain } from './ops/drain.ts'
import { createHealth, type Readiness } from './ops/health.ts'
import { createMetrics, type Metrics } from './ops/metrics.ts'
import type { Parts } from './parts.ts'
import { readinessChecks } from './readiness.ts'

/** What operators are told. */
export interface Operations {
  readonly metrics: Metrics
  readonly readiness: () => Promise<Readiness>
}

export function watch(
  { config, stores, db, jobs, log }: Parts,
  drain: Drain,
): Operations {
  const metrics = createMetrics({
    routes: Object.keys(config.router.routes),
    stores: [...stores.keys()],
    log,
    countJobs: async () =>
      Object.entries(await countJobs(db)).map(([queue, counts]) => ({
        queue,
        queued: counts.waiting + counts.failed,
        active: counts.running,
        failed: counts.dead,
      })),
    pool: db.pool,
  })
  const readiness = createHealth({
    checks: readinessChecks({ db, jobs, stores, worker: config.worker }),
    isDraining: () => drain.leaving,
    log,
  })
  return { metrics, readiness }
}
