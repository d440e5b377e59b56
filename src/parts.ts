import type { Channel } from './channel/channel.ts'
import type { Config } from './config.ts'
import type { VigilLimits } from './http/vigil.ts'
import type { OpenCounts } from './limits/open.ts'
import type { UploadDeps } from './uploads/deps.ts'
import type { Faults } from './uploads/faults.ts'
import type { LeaseLimits } from './uploads/lease.ts'

/** What a Carcosa is made of: opened once, and closed by it. */
export type Parts = Pick<UploadDeps, 'stores' | 'db' | 'jobs' | 'log'> & {
  config: Config
  internals: Internals
  secrets: readonly string[]
  channel: Channel
  counts: OpenCounts
}

/** What tests may change; not for programs. */
export interface Internals {
  /** See uploads/faults.ts. */
  faults?: Faults
  /** How long a dead process keeps the right to run a completion callback, in ms. */
  claimMs?: number
  leases?: LeaseLimits
  vigil?: VigilLimits
  /** Shown the write path once it is put together. */
  inspect?(uploads: UploadDeps): void
}

/** Where everything belongs that says nothing else. */
export const defaultProject = 'default'
