import type { AddressInfo } from 'node:net'
import type { Config } from '../config.ts'
import { createServerMetrics } from '../ops/metrics-server.ts'
import { CarcosaError } from '../shared/errors.ts'
import { openAdmin } from './server/admin.ts'
import { describeDatabase, describeStores, isPostgres } from './server/describe.ts'
import { localUrl } from './server/http.ts'
import { runService, type Service } from './server/service.ts'
import { carcosaOptions, type Loaded } from './server/settings.ts'
import type { Verb } from './verb.ts'

/** `carcosa worker`: a process that runs jobs and takes no uploads. */
export const verb: Verb = {
  name: 'worker',
  summary: 'run jobs without taking uploads, beside servers on the same Postgres',
  usage: `carcosa worker [--queues <name,…>] [flags]

Runs the jobs of the servers that share its database: those of all queues, or of the ones
that --queues names. Configuration, flags and variables are those of carcosa start (see carcosa
help start); what is about listening is not used but for --admin-port, and "worker: false" does not count here.

As many as are useful may run, beside servers with and without --no-worker: each job is given
to one of them. This needs Postgres: the embedded database admits one process.

SIGINT or SIGTERM lets running jobs end for --shutdown-timeout; what has not ended by then is
given back, and another worker begins it at once. A second signal stops at once.`,
  longRunning: true,
  run: (args, io) =>
    runService(args, io, async (service) => {
      requirePostgres(service.config)
      await work(service, (admin) => io.stdout.write(banner(service.loaded, admin)))
    }),
}

/** `working` is called once jobs are taken, with where operators find out about it, if they can. */
async function work(
  { config, log, stopped }: Service,
  working: (admin: AddressInfo | null) => void,
): Promise<void> {
  // Loaded here so that other verbs start without it.
  const { createCarcosa } = await import('../carcosa.ts')
  const carcosa = await createCarcosa({
    ...carcosaOptions(config),
    logger: log,
    worker: true,
    // No load balancer leads here.
    drainDelay: 0,
  })
  let closeAdmin = () => {}
  try {
    const metrics = createServerMetrics(() => 0)
    const admin = await openAdmin({ carcosa, metrics, log }, config)
    closeAdmin = admin.close
    working(admin.address)
    log.info({ reason: await stopped }, 'Stopping: running jobs may end')
  } finally {
    await carcosa.close()
    closeAdmin()
  }
  log.info({}, 'Stopped')
}

function requirePostgres({ database }: Config): void {
  if (isPostgres(database)) return
  throw new CarcosaError('CONFIG_INVALID', {
    message:
      `A worker needs Postgres: the embedded database (${describeDatabase(database)}) admits one process, ` +
      'the server. Give both --database postgres://…, or let carcosa start run the jobs itself, as it does by default.',
  })
}

function banner({ config, origins }: Loaded, admin: AddressInfo | null): string {
  const lines = [
    `Carcosa is working on ${config.queues?.join(', ') ?? 'all jobs'}`,
    `  database    ${describeDatabase(config.database)} (${origins.database})`,
    `  files       ${describeStores(config)}`,
    ...(admin ? [`  admin       ${localUrl(admin)}/metrics`] : []),
  ]
  return `${lines.join('\n')}\n`
}
