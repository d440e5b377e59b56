import { setTimeout as wait } from 'node:timers/promises'
import { createUsersApi } from './accounts/users.ts'
import { type Api, createApi } from './api/api.ts'
import { setLimits } from './api/usage.ts'
import { createRequestLog, type RequestLog } from './audit/request-log.ts'
import { createTrail } from './audit/trail.ts'
import { createKeyCheck, type KeyCheck } from './auth/key-check.ts'
import { createKeysApi } from './auth/keys.ts'
import type { Channel } from './channel/channel.ts'
import { openChannel, openRedisChannel } from './channel/open.ts'
import { type CarcosaOptions, type Config, resolveConfig } from './config.ts'
import { migrate } from './db/migrate.ts'
import { openDatabase } from './db/open.ts'
import { openDoors } from './doors.ts'
import { createFeed, type Feed } from './events/feed.ts'
import { createOutbox } from './events/outbox.ts'
import { createEventsApi } from './events/program.ts'
import { createSigner } from './files/sign.ts'
import type { NodeHandler } from './http/node.ts'
import type { UpgradeHandler } from './http/upgrade.ts'
import type { FetchHandler } from './http/web.ts'
import { assertJobName, type JobName, jobNames } from './jobs/definitions.ts'
import { createQueue } from './jobs/queue.ts'
import { type OpenCounts, openCounts } from './limits/open.ts'
import { requireMirrors, startStores, storesOf } from './open-stores.ts'
import { watch } from './operations.ts'
import { createDrain, type Drain } from './ops/drain.ts'
import type { Readiness } from './ops/health.ts'
import type { MetricsText } from './ops/metrics.ts'
import { defaultProject, type Internals, type Parts } from './parts.ts'
import { connected, peopleOf } from './people.ts'
import { keptSecrets } from './secret.ts'
import { silentLogger } from './shared/logger.ts'
import { withRequestFields } from './shared/request-context.ts'
import type { UploadDeps } from './uploads/deps.ts'
import { startWorker } from './worker.ts'
import { mayUpload, uploadDeps } from './write-path.ts'

export type { Internals } from './parts.ts'

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

async function assemble(parts: Parts): Promise<Carcosa> {
  const { config, secrets, db, channel, jobs, log } = parts
  const drain = createDrain()
  const operations = watch(parts, drain)
  const outbox = createOutbox(db)
  const feed = createFeed({ outbox, channel, log })
  const keyCheck = createKeyCheck({ db, channel, log })
  const people = peopleOf(parts, {
    drain,
    // Asked only when requests come.
    mayUpload: (principal, route) => mayUpload(uploads, principal, route),
  })
  const auth = connected(config, {
    ...keyCheck,
    ...(people && { sessions: people.services }),
  })
  const uploads = uploadDeps(parts, { drain, feed, metrics: operations.metrics, auth })
  parts.internals.inspect?.(uploads)
  const signer = createSigner({ secrets, maxAge: config.maxSignedUrlAge })
  const { meter } = operations.metrics
  const trail = createTrail({ db, log, meter, defaultProject })
  const requestLog = createRequestLog({ db, log, meter })
  const api = createApi({
    uploads,
    signer,
    drain,
    trail,
    events: createEventsApi({ outbox, feed, defaultProject, closing: drain.closing }),
    keys: createKeysApi({
      db,
      channel,
      projects: uploads.projects,
      defaultProject,
      rules: { roles: uploads.access.roles, routes: Object.keys(config.router.routes) },
    }),
    invite: people?.invite,
    users: createUsersApi({
      ...{ db, channel, defaultProject, roles: uploads.access.roles },
      base: `${config.publicUrl ?? ''}${config.basePath}`,
    }),
  })
  if (config.quota) await setLimits(uploads, defaultProject, config.quota)
  const accounts = (await people?.open()) ?? null
  const behind = {
    uploads,
    feed,
    drain,
    signer,
    auth,
    accounts,
    operations,
    api,
    trail,
    requestLog,
  }
  const doors = openDoors(parts, behind)
  if (config.worker) await startWorker(jobs, uploads, queuesOf(config))
  const ends = endings(parts, { uploads, drain, feed, keyCheck, requestLog })
  const { metrics, readiness } = operations
  return { ...doors, api, metrics: metrics.text, readiness, ...ends }
}

/** What closing ends. */
interface Running {
  uploads: UploadDeps
  drain: Drain
  feed: Feed
  keyCheck: KeyCheck
  requestLog: RequestLog
}

/** The two ways to an end, each gone once. */
function endings(parts: Parts, running: Running): Pick<Carcosa, 'leave' | 'close'> {
  const { drainDelay } = parts.config
  let leaving: Promise<void> | undefined
  let closing: Promise<void> | undefined
  const leave = () => {
    running.drain.leave()
    leaving ??= drainDelay > 0 ? wait(drainDelay) : Promise.resolve()
    return leaving
  }
  return {
    leave,
    close(options = {}) {
      closing ??= leave().then(() => close(parts, running, options))
      return closing
    },
  }
}

async function close(
  { config: { shutdownTimeout }, jobs, db, channel, counts, log }: Parts,
  { uploads, drain, feed, keyCheck, requestLog }: Running,
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
  await requestLog.close()
  await channel.close()
  counts.close()
  await db.close()
}

/** @throws {CarcosaError} QUEUE_UNKNOWN */
function queuesOf({ queues = jobNames }: Config): readonly JobName[] {
  return queues.map((name) => {
    assertJobName(name)
    return name
  })
}
