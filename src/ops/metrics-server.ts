import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { MetricsText } from './metrics.ts'

/** What a server of our own can tell beside what {@link createMetrics} counts. */
export interface ServerMetrics {
  /** A connection was refused because there were too many: of all, or of one client. */
  connectionRefused(limit: 'total' | 'client'): void
  /** The text of `metrics` with that of the server and the process behind. */
  append(metrics: MetricsText): Promise<MetricsText>
}

/**
 * Metrics of the process and its connections. Only for a process that is ours: a host has its
 * own, under the same names.
 */
export function createServerMetrics(connectionsOpen: () => number): ServerMetrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  new Gauge({
    name: 'carcosa_connections_open',
    help: 'Connections that clients have open.',
    registers,
    collect() {
      this.set(connectionsOpen())
    },
  })
  const refused = new Counter({
    name: 'carcosa_connections_refused_total',
    help: 'Connections and requests beyond maxConnections or maxConnectionsPerClient.',
    labelNames: ['limit'],
    registers,
  })
  for (const limit of ['total', 'client']) refused.inc({ limit }, 0)
  return {
    connectionRefused: (limit) => refused.inc({ limit }),
    append: async ({ body, contentType }) => ({
      body: `${body}${await registry.metrics()}`,
      contentType,
    }),
  }
}
