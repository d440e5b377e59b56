import { seededRandom } from '../random.ts'
import type { Disturbance } from './uploader.ts'

const mib = 1024 ** 2

/** What one run does; all of it follows from its seed. */
export interface Plan {
  readonly seed: number
  readonly size: number
  /** Whether the length is told with the last piece only. */
  readonly deferred: boolean
  /** Bytes the client sends in one request. */
  readonly pieceSize: number
  readonly partSize: number
  /** Share of the requests to the store that something happens to. */
  readonly faultRate: number
  readonly staging: { readonly memory: number; readonly disk: number }
  /** How often the client's request is disturbed, about. */
  readonly disturbances: number
  /** How. Default: in every way there is. */
  readonly kinds?: readonly Disturbance[]
  /** How long the client waits for an answer before it hangs up, in ms. Default: for ever. */
  readonly patience?: number
  readonly random: () => number
}

export interface Sizes {
  least: number
  most: number
}

export function planRun(seed: number, { least, most }: Sizes): Plan {
  const random = seededRandom(seed)
  const one = <T>(...of: [T, ...T[]]) => of[Math.floor(random() * of.length)] ?? of[0]
  const size = Math.floor(least + (most - least) * random())
  return {
    seed,
    size,
    deferred: random() < 0.3,
    pieceSize: Math.floor(one(1, 3.3, 5, 8, 13.7, 20, 64, size / mib, size / mib) * mib),
    partSize: one(5, 5, 8) * mib,
    faultRate: one(0.05, 0.2, 0.5),
    staging: one(
      { memory: 128 * mib, disk: 0 },
      { memory: 10 * mib, disk: 0 },
      { memory: 0, disk: 64 * mib },
      { memory: 16 * mib, disk: 64 * mib },
    ),
    disturbances: 4 + Math.floor(random() * 5),
    random,
  }
}

export function describePlan(plan: Plan): string {
  const { seed, size, deferred, pieceSize, partSize, faultRate, staging } = plan
  const inMiB = (bytes: number) => `${Math.round((bytes / mib) * 10) / 10} MiB`
  return [
    `seed ${seed}: ${inMiB(size)}${deferred ? ' of a length told late' : ''}`,
    `pieces of ${inMiB(pieceSize)}`,
    `parts of ${inMiB(partSize)}`,
    `${faultRate * 100} % faults`,
    `staging ${inMiB(staging.memory)} + ${inMiB(staging.disk)}`,
  ].join(', ')
}
