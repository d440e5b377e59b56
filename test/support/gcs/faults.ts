import type { GcsRequest, Operation } from './operation.ts'

/** What can be wrong with the service. A test changes the members whenever it likes. */
export interface GcsFaults {
  /** The status a request fails with before its body is looked at. `attempt` counts from 1. */
  fail: (operation: Operation, attempt: number) => number | null
  /** The status a request is answered with although all that was asked for is done. */
  failDone: (operation: Operation, attempt: number) => number | null
  /**
   * Where the connection breaks off: after half of the body, of which what fills pieces of
   * 256 KiB is kept, or when all is done, instead of an answer.
   */
  reset: (operation: Operation, attempt: number) => 'half' | 'done' | null
  /** How many bytes of a chunk are kept, and said to be so by `Range`. Default all. */
  keep: (attempt: number) => number | null
  /** The `reason` in the body of what `fail` answers. Default `backendError`. */
  reason: string
  /** An object may be changed only once in so many ms. Default 0: as often as one likes. */
  changeEveryMs: number
  /** Calls that a rewrite takes. Default 1. */
  rewriteCalls: number
  /** Whether the bucket is gone. Default false. */
  bucketMissing: boolean
  /** Sees every request before anything is done about it; the request waits for it. */
  before: (request: GcsRequest) => void | Promise<void>
}

export function noFaults(): GcsFaults {
  return {
    fail: () => null,
    failDone: () => null,
    reset: () => null,
    keep: () => null,
    reason: 'backendError',
    changeEveryMs: 0,
    rewriteCalls: 1,
    bucketMissing: false,
    before() {},
  }
}
