import { createAccess } from './auth/permissions.ts'
import type { AuthProvider, Principal } from './auth/principal.ts'
import { createProjectGate } from './auth/project-gate.ts'
import { assertNotShutOut } from './auth/shut-out.ts'
import type { Config } from './config.ts'
import { createBus } from './events/bus.ts'
import type { Feed } from './events/feed.ts'
import { createArrivals } from './files/arrivals.ts'
import { createDetector } from './files/detect.ts'
import type { Drain } from './ops/drain.ts'
import type { Metrics } from './ops/metrics.ts'
import { defaultProject, type Parts } from './parts.ts'
import { createEgress } from './shared/egress.ts'
import type { UploadDeps } from './uploads/deps.ts'
import { noFaults } from './uploads/faults.ts'
import { createLeases } from './uploads/lease.ts'
import { meteredLeases } from './uploads/metered-leases.ts'
import { createProgress } from './uploads/progress.ts'
import { createTails } from './uploads/tails.ts'
import { createTicketOffice } from './uploads/ticket.ts'
import { createQuotas } from './usage/quotas.ts'

/** What the write path is put together with, but not part of. */
interface Beside {
  drain: Drain
  feed: Feed
  metrics: Metrics
  auth: readonly AuthProvider[]
}

/** Puts the write path together. */
export function uploadDeps(
  parts: Parts,
  { drain, feed, metrics, auth }: Beside,
): UploadDeps {
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
    quotas: createQuotas({ db, channel, meter: metrics.meter }),
    projects: createProjectGate(db, channel),
    defaultStore: [...stores.keys()][0] ?? 'default',
    arrivals: createArrivals(db),
    leases: meteredLeases(
      createLeases({ db, channel, bus, log }, internals.leases),
      metrics.meter,
    ),
    tails: createTails(digest),
    tickets: createTicketOffice(secrets, (...holder) =>
      assertNotShutOut(auth, ...holder),
    ),
    detector: createDetector(),
    egress: createEgress({ networks: config.outboundNetworks }),
    faults: internals.faults ?? noFaults,
    settings: {
      projectId: defaultProject,
      digest,
      expiresIn: config.expiresIn,
      orphanGrace: config.orphanGrace,
      deleteGrace: config.deleteGrace,
      projectGrace: config.projectGrace,
      eventRetention: config.eventRetention,
      logRetention: {
        audit: config.auditRetention,
        requests: config.requestLogRetention,
      },
      longestLife: longestLife(config),
      claimMs: internals.claimMs ?? 30_000,
      fileUrl: (id, prefix) => `${prefix ?? base}/files/${id}`,
    },
    routes: Object.keys(config.router.routes),
    route: (name) => config.router.routes[name] ?? null,
    background(work) {
      drain.run(() => work).catch((err) => log.error({ err }, 'background work failed'))
    },
  }
}

function longestLife({ router, expiresIn }: Config): number {
  const lives = Object.values(router.routes).map((route) => route.expiresIn ?? expiresIn)
  return Math.max(expiresIn, ...lives)
}

/** Whether somebody may begin uploads on a route of the project they act in. */
export function mayUpload(
  { access, route: find, settings }: Pick<UploadDeps, 'access' | 'route' | 'settings'>,
  principal: Principal,
  route: string,
): boolean {
  const { projectId = settings.projectId, id: ownerId } = principal
  const isPublicRoute = find(route)?.isPublic ?? false
  const resource = { projectId, ownerId, route, isPublicRoute }
  return access.can(principal, 'uploads.create', resource).allowed
}
