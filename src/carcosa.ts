import { setTimeout as wait } from 'node:timers/promises'
import { type Api, createApi } from './api.ts'
import { createKeyCheck, type KeyCheck } from './auth/key-check.ts'
import { createKeysApi } from './auth/keys.ts'
import { createAccess } from './auth/permissions.ts'
import type { AuthProvider } from './auth/principal.ts'
import { assertNotShutOut } from './auth/shut-out.ts'
import type { Channel } from './channel/channel.ts'
import { openChannel, openRedisChannel } from './channel/open.ts'
import { type CarcosaOptions, type Config, resolveConfig } from './config.ts'
import { migrate } from './db/migrate.ts'
import { openDatabase } from './db/open.ts'
import { createBus } from './events/bus.ts'
import { createFeed, type Feed } from './events/feed.ts'
import { createOutbox } from './events/outbox.ts'
import { createEventsApi } from './events/program.ts'
import { createSubscribers } from './events/subscribers.ts'
import { createSockets } from './events/ws.ts'
import { createDetector } from './files/detect.ts'
import { createSigner } from './files/sign.ts'
import { createApp } from './http/app.ts'
import { createClientAddress } from './http/client-address.ts'
import type { EventPaths } from './http/events.ts'
import { createNodeHandler, type NodeHandler, onCheckContinue } from './http/node.ts'
import { createUpgradeHandler, type UpgradeHandler } from './http/upgrade.ts'
import { createFetchHandler, type FetchHandler } from './http/web.ts'
import { assertJobName, type JobName, jobNames } from './jobs/definitions.ts'
import { createQueue } from './jobs/queue.ts'
import { countJobs } from './jobs/records.ts'
import { createLimiter } from './limits/limiter.ts'
import { type OpenCounts, openCounts } from './limits/open.ts'
import { requireMirrors, startStores, storesOf } from './open-stores.ts'
import { createDrain, type Drain } from './ops/drain.ts'
import { createHealth, type Readiness } from './ops/health.ts'
import { createMetrics, type Metrics, type MetricsText } from './ops/metrics.ts'
import { readinessChecks } from './readiness.ts'
import { keptSecrets } from './secret.ts'
import { silentLogger } from './shared/logger.ts'
import { createNetworks } from './shared/networks.ts'
import { withRequestFields } from './shared/request-context.ts'
import type { UploadDeps } from './uploads/deps.ts'
import { type Faults, noFaults } from './uploads/faults.ts'
import { createLeases, type LeaseLimits } from './uploads/lease.ts'
import { meteredLeases } from './uploads/metered-leases.ts'
import { createProgress } from './uploads/progress.ts'
import { createTails } from './uploads/tails.ts'
import { createTicketOffice } from './uploads/ticket.ts'
import { createTus } from './uploads/tus.ts'
import { startWorker } from './worker.ts'

/** A running Carcosa: four doors to one core. */
export interface Carcosa {
  /** For Hono, Next, Remix and anything else that speaks Request and Response. */
  readonly fetch: FetchHandler
  /** For node:http, Express, Connect, and Fastify's raw pair. */
  readonly handler: NodeHandler
  /**
   * For `server.on('checkContinue', …)`: refuses an upload before its body is sent. Without
   * it Node tells every client to go on.
   */
  readonly checkContinue: NodeHandler
  /**
   * For `server.on('upgrade', …)`: WebSocket connections to `/ws`. False if the request is none
   * of ours; then somebody else must answer it, or close the socket.
   */
  readonly upgrade: UpgradeHandler
  /** For programs: the same files without HTTP. */
  readonly api: Api
  /** What Prometheus reads: to be served where it may ask, not to everybody. */
  metrics(): Promise<MetricsText>
  /** Whether this process should be sent requests, as `GET /readyz` says it. Never rejects. */
  readiness(): Promise<Readiness>
  /**
   * Says by readiness that no more requests should come, and resolves after `drainDelay`. Until
   * then they are served as before, but no connection is kept. Idempotent; close() begins with it.
   */
  leave(): Promise<void>
  /**
   * Refuses new requests, lets running ones, callbacks and jobs end, then closes the database.
   * Takes at most `drainDelay` and then `shutdownTimeout`. Idempotent.
   */
  close(options?: CloseOptions): Promise<void>
}

export interface CloseOptions {
  /**
   * How long running uploads may go on, in ms. Then, by default at once, each is answered with
   * the offset it has reached, and its client goes on elsewhere or later.
   */
  grace?: number
}

/** What tests may change; not for programs. */
export interface Internals {
  /** See uploads/faults.ts. */
  faults?: Faults
  /** How long a dead process keeps the right to run a completion callback, in ms. */
  claimMs?: number
  leases?: LeaseLimits
  /** Shown the write path once it is put together. */
  inspect?(uploads: UploadDeps): void
}

const defaultProject = 'default'

/**
 * Starts Carcosa: opens and migrates the database, prepares the stores, starts the jobs.
 * Options not given come from `CARCOSA_*` and `DATABASE_URL`, then from defaults.
 *
 * @throws {CarcosaError} CONFIG_INVALID, DATABASE_UNAVAILABLE, DATABASE_LOCKED,
 *   MIGRATION_UNKNOWN, STORAGE_UNAVAILABLE …, each saying what to do
 *
 * @example
 * const carcosa = await createCarcosa({ router })
 * app.use('/media', carcosa.handler)
 */
export async function createCarcosa(
  options: CarcosaOptions,
  internals: Internals = {},
): Promise<Carcosa> {
  const { config } = resolveConfig({ object: options, embedded: true })
  // Before anything is opened.
  queuesOf(config)
  const stores = await storesOf(config)
  requireMirrors(config, stores)
  const log = withRequestFields(config.logger ?? silentLogger)
  const db = await openDatabase(config.database, {
    ...(config.directDatabase && { directUrl: config.directDatabase }),
    onBackgroundError: (err) => log.warn({ err }, 'the database had an error'),
  })
  const jobs = createQueue(db, { worker: config.worker, log })
  let channel: Channel | undefined
  let counts: OpenCounts | undefined
  try {
    await startStores(stores, config)
    await migrate(db)
    const secrets = config.secret ?? (await keptSecrets(db, config.dataDir))
    await jobs.start()
    channel = config.redis
      ? await openRedisChannel(db, config.redis, log)
      : openChannel(db, log)
    const { rateLimits: limits, redis } = config
    counts = await openCounts(db, { limits, redis, log })
    const parts = { config, internals, secrets, stores, db, channel, counts, jobs, log }
    return await assemble(parts)
  } catch (error) {
    counts?.close()
    await channel?.close()
    await jobs.stop(0)
    await db.close()
    throw error
  }
}

type Parts = Pick<UploadDeps, 'stores' | 'db' | 'jobs' | 'log'> & {
  config: Config
  internals: Internals
  secrets: readonly string[]
  channel: Channel
  counts: OpenCounts
}

async function assemble(parts: Parts): Promise<Carcosa> {
  const { config, secrets, stores, db, jobs, log } = parts
  const drain = createDrain()
  const { metrics, readiness } = watch(parts, drain)
  const outbox = createOutbox(db)
  const feed = createFeed({ outbox, channel: parts.channel, log })
  const keyCheck = createKeyCheck({ db, channel: parts.channel, log })
  const auth = config.auth.map((provider) => provider.connect?.(keyCheck) ?? provider)
  const uploads = uploadDeps(parts, { drain, feed, metrics, auth })
  parts.internals.inspect?.(uploads)
  const origin = config.publicUrl ?? ''
  const signer = createSigner({ secrets, maxAge: config.maxSignedUrlAge })
  const keys = createKeysApi({
    db,
    channel: parts.channel,
    defaultProject,
    rules: { roles: uploads.access.roles, routes: Object.keys(config.router.routes) },
  })
  const { projectId } = uploads.settings
  const events = createEventsApi({ outbox, feed, projectId, closing: drain.closing })
  const api = createApi({ uploads, signer, drain, events, keys })
  const subscribers = createSubscribers({
    total: config.maxSubscribers,
    perClient: config.maxSubscribersPerClient,
    heartbeat: config.eventHeartbeat,
    maxPending: config.subscriberBuffer,
    log,
    meter: metrics.meter,
  })
  drain.closing.addEventListener('abort', () => subscribers.close())
  const watching: EventPaths = {
    feed,
    subscribers,
    tickets: uploads.tickets,
    access: {
      db,
      access: uploads.access,
      permission: config.events,
      projectId,
      hasRoute: (name) => uploads.route(name) !== null,
    },
  }
  const limiter = createLimiter({
    limits: config.rateLimits,
    counts: parts.counts.counts,
    meter: metrics.meter,
    log,
  })
  const clientAddress = createClientAddress(config.trustedProxies, log)
  const app = createApp({
    router: config.router,
    auth,
    cors: config.cors,
    basePath: config.basePath,
    log,
    meter: metrics.meter,
    drain,
    readiness,
    uploads: {
      uploads,
      drain,
      tus: createTus(uploads),
      origin,
      limits: { limiter, projectId },
      linkOf: (record, base) => api.files.link(record, base),
    },
    files: { db, signer, stores, access: uploads.access, log },
    events: watching,
    limiter,
    clientAddress,
  })
  if (config.worker) await startWorker(jobs, uploads, queuesOf(config))

  const { trustedProxies } = config
  const believed = trustedProxies.length > 0 ? createNetworks(trustedProxies) : null
  const isTrustedProxy = believed ?? nobody
  const handler = createNodeHandler(app, {
    isTrustedProxy,
    body: { idleMs: config.idleTimeout, minRate: config.minUploadRate },
    onGivenUp: metrics.meter.bodyGivenUp,
    leaving: () => drain.leaving,
  })
  let leaving: Promise<void> | undefined
  const leave = () => {
    drain.leave()
    leaving ??= config.drainDelay > 0 ? wait(config.drainDelay) : Promise.resolve()
    return leaving
  }
  const upgrade = createUpgradeHandler({
    auth,
    cors: config.cors,
    basePath: config.basePath,
    drain,
    log,
    events: watching,
    accept: createSockets({ feed, subscribers, log }),
    isTrustedProxy,
    limiter,
    clientAddress,
  })
  let closing: Promise<void> | undefined
  return {
    fetch: createFetchHandler(app, believed),
    handler,
    checkContinue: onCheckContinue(handler),
    upgrade,
    api,
    metrics: metrics.text,
    readiness,
    leave,
    close(options = {}) {
      closing ??= leave().then(() =>
        close(parts, { uploads, drain, feed, keyCheck }, options),
      )
      return closing
    },
  }
}

const nobody = () => false

/** What operators are told. */
function watch({ config, stores, db, jobs, log }: Parts, drain: Drain) {
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

/** What closing ends. */
interface Running {
  uploads: UploadDeps
  drain: Drain
  feed: Feed
  keyCheck: KeyCheck
}

async function close(
  { config: { shutdownTimeout }, jobs, db, channel, counts, log }: Parts,
  { uploads, drain, feed, keyCheck }: Running,
  { grace = 0 }: CloseOptions,
): Promise<void> {
  const until = Date.now() + shutdownTimeout
  drain.begin()
  // What jobs leave is given back before the time is over, and the database closed.
  const jobsEnded = jobs.stop(until - Date.now() - Math.min(1_000, shutdownTimeout / 2))
  await drain.idle(grace)
  uploads.leases.end()
  const left = await drain.idle(Math.max(until - Date.now(), 0))
  if (left > 0) log.warn({ left }, 'closed before requests and callbacks ended')
  await jobsEnded
  drain.end()
  await uploads.leases.close()
  feed.close()
  await uploads.detector.close()
  await keyCheck.close()
  await channel.close()
  counts.close()
  await db.close()
}

/** What the write path is put together with, but not part of. */
interface Beside {
  drain: Drain
  feed: Feed
  metrics: Metrics
  auth: readonly AuthProvider[]
}

function uploadDeps(parts: Parts, { drain, feed, metrics, auth }: Beside): UploadDeps {
  const { config, internals, secrets, stores, db, channel, jobs, log } = parts
  const digest = config.digest !== 'none'
  const base = `${config.publicUrl ?? ''}${config.basePath}`
  const bus = createBus(channel)
  return {
    db,
    jobs,
    stores,
    log,
    meter: metrics.meter,
    bus,
    feed,
    progress: createProgress(feed),
    channel,
    access: createAccess({
      roles: config.roles,
      defaultProject,
      explainDenials: config.explainDenials,
    }),
    defaultStore: [...stores.keys()][0] ?? 'default',
    leases: meteredLeases(
      createLeases({ db, channel, bus, log }, internals.leases),
      metrics.meter,
    ),
    tails: createTails(digest),
    tickets: createTicketOffice(secrets, (id) => assertNotShutOut(auth, id)),
    detector: createDetector(),
    faults: internals.faults ?? noFaults,
    settings: {
      projectId: defaultProject,
      digest,
      expiresIn: config.expiresIn,
      orphanGrace: config.orphanGrace,
      eventRetention: config.eventRetention,
      longestLife: longestLife(config),
      claimMs: internals.claimMs ?? 30_000,
      fileUrl: (id, prefix) => `${prefix ?? base}/files/${id}`,
    },
    route: (name) => config.router.routes[name] ?? null,
    background(work) {
      drain.run(() => work).catch((err) => log.error({ err }, 'background work failed'))
    },
  }
}

/** @throws {CarcosaError} QUEUE_UNKNOWN */
function queuesOf({ queues = jobNames }: Config): readonly JobName[] {
  return queues.map((name) => {
    assertJobName(name)
    return name
  })
}

function longestLife({ router, expiresIn }: Config): number {
  const lives = Object.values(router.routes).map((route) => route.expiresIn ?? expiresIn)
  return Math.max(expiresIn, ...lives)
}
