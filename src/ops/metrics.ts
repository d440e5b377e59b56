import { Gauge, Registry } from 'prom-client'
import type { PoolCounts } from '../db/database.ts'
import type { Logger } from '../shared/logger.ts'
import type { Meter } from '../shared/meter.ts'
import { createMeter } from './metrics-meter.ts'
import { createRemembered } from './remembered.ts'

/** What Prometheus reads. */
export interface MetricsText {
  readonly body: string
  /** For the header of that name. */
  readonly contentType: string
}

export interface Metrics {
  /** Counts into these metrics. */
  readonly meter: Meter
  /** All of them as text. Never rejects: what cannot be found out is left out. */
  text(): Promise<MetricsText>
}

/** How many jobs of one kind there are. */
export interface JobCount {
  readonly queue: string
  readonly queued: number
  readonly active: number
  readonly failed: number
}

export interface MetricsSources {
  /** What labels may say. Any other name becomes `other`, so that their number stays bounded. */
  readonly routes: readonly string[]
  readonly stores: readonly string[]
  readonly log: Logger
  /** Asks the database; done at most every {@link jobsKeptMs}. */
  countJobs(): Promise<readonly JobCount[]>
  /** The connections to the database; undefined where there is no pool. */
  pool?: (() => PoolCounts) | undefined
}

/** However many scrape how often, the database counts no more often than this. */
const jobsKeptMs = 15_000
/** A scrape does not wait longer for the database. */
const jobsTimeoutMs = 3_000

/** Metrics of one Carcosa, in a registry of its own: several may share a process. */
export function createMetrics(sources: MetricsSources): Metrics {
  const registry = new Registry()
  const meter = createMeter(registry, sources)
  if (sources.pool) measurePool(registry, sources.pool)
  measureJobs(registry, sources)
  return {
    meter,
    text: async () => ({
      body: await registry.metrics(),
      contentType: registry.contentType,
    }),
  }
}

function measurePool(registry: Registry, pool: () => PoolCounts): void {
  const gauges: [name: keyof PoolCounts, help: string][] = [
    ['size', 'Connections to the database that are open.'],
    ['idle', 'Connections to the database that nobody uses.'],
    ['waiting', 'Statements that wait for a connection to the database.'],
  ]
  for (const [name, help] of gauges) {
    new Gauge({
      name: `carcosa_database_pool_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(pool()[name])
      },
    })
  }
}

function measureJobs(registry: Registry, { countJobs, log }: MetricsSources): void {
  const counts = createRemembered({
    find: countJobs,
    keepMs: () => jobsKeptMs,
    timeoutMs: jobsTimeoutMs,
  })
  const gauges: [name: Exclude<keyof JobCount, 'queue'>, help: string][] = [
    ['queued', 'Jobs that wait, for a first or another try.'],
    ['active', 'Jobs that run, on any node.'],
    ['failed', 'Jobs that were given up.'],
  ]
  for (const [name, help] of gauges) {
    new Gauge({
      name: `carcosa_jobs_${name}`,
      help,
      labelNames: ['queue'],
      registers: [registry],
      async collect() {
        this.reset()
        const found = await counts().catch((err: unknown) => {
          log.debug({ err }, 'jobs could not be counted')
          return []
        })
        for (const one of found) this.set({ queue: one.queue }, one[name])
      },
    })
  }
}
