/**
 * Proof of holding the lease of an upload, asked for by the very statements that commit: what is
 * done under an older one changes nothing, however late it comes.
 *
 * @see https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html
 */
export interface Fence {
  /** The process. */
  readonly holder: string
  /** Grows with every holder of the same upload. */
  readonly number: number
}

/** For WHERE, with the parameters `$n` and `$n+1`, which {@link fenceValues} gives. */
export function fenceSql(n: number): string {
  return `lease_holder = $${n}::text AND lease_fence = $${n + 1}::int8`
}

export function fenceValues(fence: Fence | null): unknown[] {
  return fence ? [fence.holder, fence.number] : []
}

/** For SET: nobody holds the lease any more. */
export const endLeaseSql = 'lease_holder = NULL, lease_expires_at = NULL'

/** The time `$n` ms from now, by the clock of the database: those of processes differ. */
export function fromNow(n: number): string {
  return `now() + $${n}::float8 * interval '1 millisecond'`
}
