import type { Accounts } from './accounts/accounts.ts'
import type { Api } from './api/api.ts'
import type { RequestLog } from './audit/request-log.ts'
import type { Trail } from './audit/trail.ts'
import type { AuthProvider } from './auth/principal.ts'
import type { Feed } from './events/feed.ts'
import { createSubscribers } from './events/subscribers.ts'
import { createSockets } from './events/ws.ts'
import { createRecentFiles } from './files/recent.ts'
import type { Signer } from './files/sign.ts'
import { createApp } from './http/app.ts'
import { createClientAddress } from './http/client-address.ts'
import type { EventPaths } from './http/events.ts'
import { createNodeHandler, type NodeHandler, onCheckContinue } from './http/node.ts'
import type { RestDeps } from './http/rest/answer.ts'
import type { Rest } from './http/rest/rest.ts'
import { createUpgradeHandler, type UpgradeHandler } from './http/upgrade.ts'
import { createVigil } from './http/vigil.ts'
import { createFetchHandler, type FetchHandler } from './http/web.ts'
import { createIdempotencyKeys } from './idempotency/keys.ts'
import { createLimiter, type RateLimiter } from './limits/limiter.ts'
import type { Operations } from './operations.ts'
import type { Drain } from './ops/drain.ts'
import type { Parts } from './parts.ts'
import { createNetworks } from './shared/networks.ts'
import type { UploadDeps } from './uploads/deps.ts'
import { createTus } from './uploads/tus.ts'

/** The doors of a Carcosa that speak HTTP; see {@link Carcosa}. */
export interface Doors {
  readonly fetch: FetchHandler
  readonly handler: NodeHandler
  readonly checkContinue: NodeHandler
  readonly upgrade: UpgradeHandler
}

/** What is behind them. */
export interface Behind {
  readonly uploads: UploadDeps
  readonly feed: Feed
  readonly drain: Drain
  readonly signer: Signer
  readonly auth: readonly AuthProvider[]
  /** Null where there are none. */
  readonly accounts: Accounts | null
  readonly operations: Operations
  readonly api: Api
  readonly trail: Trail
  readonly requestLog: RequestLog
}

export function openDoors(parts: Parts, behind: Behind): Doors {
  const { config, counts, stores, db, log } = parts
  const { uploads, drain, signer, auth, api, trail, requestLog } = behind
  const { metrics, readiness } = behind.operations
  const { router, basePath, trustedProxies } = config
  const { accounts } = behind
  const cors = { ...config.cors, credentials: accounts !== null }
  const limiter = createLimiter({
    limits: config.rateLimits,
    counts: counts.counts,
    meter: metrics.meter,
    log,
  })
  const clientAddress = createClientAddress(trustedProxies, log)
  const { events, accept } = watching(parts, behind)
  const common = { auth, cors, basePath, log, drain, events, limiter, clientAddress }
  const recent = createRecentFiles(db, uploads.bus)
  const app = createApp({
    ...common,
    accounts,
    router,
    meter: metrics.meter,
    readiness,
    notes: {
      which: config.requestLog,
      requests: requestLog,
      trail,
      projectId: uploads.settings.projectId,
    },
    uploads: {
      uploads,
      drain,
      tus: createTus(uploads),
      trail,
      origin: config.publicUrl ?? '',
      limits: { limiter, projectId: uploads.settings.projectId },
      linkOf: (record, base) => api.files.link(record, base),
    },
    files: {
      db,
      recent,
      signer,
      stores,
      access: uploads.access,
      projects: uploads.projects,
      log,
    },
    rest: lazily(async () => {
      const { createRest } = await import('./http/rest/rest.ts')
      return createRest(restDeps(parts, behind, limiter), log)
    }),
  })
  const believed = trustedProxies.length > 0 ? createNetworks(trustedProxies) : null
  const isTrustedProxy = believed ?? nobody
  const handler = createNodeHandler(app, {
    isTrustedProxy,
    body: { idleMs: config.idleTimeout, minRate: config.minUploadRate },
    onGivenUp: metrics.meter.bodyGivenUp,
    leaving: () => drain.leaving,
  })
  return {
    fetch: createFetchHandler(app, believed),
    handler,
    checkContinue: onCheckContinue(handler),
    upgrade: createUpgradeHandler({ ...common, accept, isTrustedProxy }),
  }
}

const nobody = () => false

/** Hono and what it brings are only loaded by those who use the REST API. */
function lazily(load: () => Promise<Rest>): Rest {
  let loaded: Promise<Rest> | undefined
  return async (located) => {
    loaded ??= load()
    return (await loaded)(located)
  }
}

/** Nothing else of the configuration is for those who ask. */
function settingsIn(config: Parts['config']): RestDeps['settings'] {
  const { router, digest, expiresIn, maxSignedUrlAge, eventRetention, rateLimits } =
    config
  return { router, digest, expiresIn, maxSignedUrlAge, eventRetention, rateLimits }
}

function restDeps(
  { config, db, secrets, log }: Parts,
  { uploads, api }: Behind,
  limiter: RateLimiter,
): RestDeps {
  return {
    api,
    access: uploads.access,
    projects: uploads.projects,
    limiter,
    idempotency: createIdempotencyKeys({ db, secrets, log }),
    projectId: uploads.settings.projectId,
    origin: config.publicUrl ?? '',
    settings: settingsIn(config),
    isPublicRoute: (name) => uploads.route(name)?.isPublic ?? false,
  }
}

/** What those are given who watch. */
function watching(
  { config, internals, db, log }: Parts,
  { uploads, feed, drain, operations, auth }: Behind,
) {
  const subscribers = createSubscribers({
    total: config.maxSubscribers,
    perClient: config.maxSubscribersPerClient,
    heartbeat: config.eventHeartbeat,
    maxPending: config.subscriberBuffer,
    log,
    meter: operations.metrics.meter,
  })
  const vigil = createVigil({ auth, projects: uploads.projects, log }, internals.vigil)
  drain.closing.addEventListener('abort', () => {
    subscribers.close()
    vigil.close()
  })
  const events: EventPaths = {
    feed,
    subscribers,
    tickets: uploads.tickets,
    vigil,
    access: {
      db,
      access: uploads.access,
      projects: uploads.projects,
      permission: config.events,
      projectId: uploads.settings.projectId,
      hasRoute: (name) => uploads.route(name) !== null,
    },
  }
  return { events, accept: createSockets({ feed, subscribers, log }) }
}
