import type { Store } from '../../stores/store.ts'
import type { Access } from '../auth/permissions.ts'
import type { Principal } from '../auth/principal.ts'
import type { ProjectGate } from '../auth/project-gate.ts'
import type { Channel } from '../channel/channel.ts'
import type { Database } from '../db/database.ts'
import type { Bus } from '../events/bus.ts'
import type { Feed } from '../events/feed.ts'
import type { Arrivals } from '../files/arrivals.ts'
import type { Detector } from '../files/detect.ts'
import type { Jobs } from '../jobs/queue.ts'
import type { NamedRoute } from '../routes/definition.ts'
import type { Egress } from '../shared/egress.ts'
import type { Logger } from '../shared/logger.ts'
import type { Meter } from '../shared/meter.ts'
import type { Quotas } from '../usage/quotas.ts'
import type { Faults } from './faults.ts'
import type { Leases } from './lease.ts'
import type { UploadProgress } from './progress.ts'
import type { Tails } from './tails.ts'
import type { Ticket, TicketOffice } from './ticket.ts'

/** What the write path stands on; put together once, in src/carcosa.ts. */
export interface UploadDeps {
  readonly db: Database
  readonly jobs: Jobs
  readonly bus: Bus
  /** Those who watch. */
  readonly feed: Feed
  /** Tells them how far uploads are. */
  readonly progress: UploadProgress
  /** What processes tell each other. */
  readonly channel: Channel
  readonly stores: ReadonlyMap<string, Store>
  readonly defaultStore: string
  /** Of files that came whole. */
  readonly arrivals: Arrivals
  readonly leases: Leases
  readonly tails: Tails
  readonly tickets: TicketOffice
  readonly detector: Detector
  readonly access: Access
  /** How much may be stored. */
  readonly quotas: Quotas
  readonly projects: ProjectGate
  readonly log: Logger
  readonly meter: Meter
  readonly faults: Faults
  /** Fetches URLs that others choose. */
  readonly egress: Egress
  readonly settings: UploadSettings
  /** The names of all routes. */
  readonly routes: readonly string[]
  route(name: string): NamedRoute | null
  /** Lets work go on after its request was answered; stopping waits for it. */
  background(work: Promise<void>): void
}

export interface UploadSettings {
  readonly projectId: string
  /** Whether a SHA-256 of every file is recorded. */
  readonly digest: boolean
  /** How long an unfinished upload lives without progress, in ms, unless its route says. */
  readonly expiresIn: number
  /** How old what nobody knows must be to be collected from a store, in ms. */
  readonly orphanGrace: number
  /** How long a deleted file keeps its bytes and can be restored, in ms. */
  readonly deleteGrace: number
  /** How long a deleted project can be restored, in ms. */
  readonly projectGrace: number
  /** How long events are kept, in ms. */
  readonly eventRetention: number
  /** How long lines of the audit log and the request log are kept, in ms. */
  readonly logRetention: { readonly audit: number; readonly requests: number }
  /** The longest `expiresIn` of all routes and this, in ms. */
  readonly longestLife: number
  /** How long a process may be silent before another may run its completion callback, in ms. */
  readonly claimMs: number
  /** Where a finished file is found, as told to callbacks. */
  fileUrl(id: string, prefix: string | null): string
}

/** One request on the upload paths after the door let it in. */
export interface UploadRequest {
  /** As the client sent it, before any override. */
  readonly method: string
  readonly route: NamedRoute
  /** The upload's id; null for POST. */
  readonly id: string | null
  readonly url: string
  readonly headers: Headers
  /** The path in front of `/uploads`, as the client sees it. */
  readonly prefix: string
  /** Who asks; only asked for when the ticket alone does not answer. */
  principal(): Promise<Principal | null>
  /**
   * The ticket sent along, if any; with `late` also after its time for creating is over.
   * @throws {CarcosaError} UNAUTHENTICATED if who it was given to was shut out since
   */
  ticket(late: boolean): Promise<Ticket | null>
}
