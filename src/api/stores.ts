import { collect, type ReconcileOptions, reconcile } from '../upkeep/reconcile.ts'
import type { ReconcileReport } from '../upkeep/reconcile-report.ts'
import type { ApiDeps } from './deps.ts'

/** The stores of a Carcosa, and what the database says of them. A job reconciles them daily. */
export interface StoresApi {
  /**
   * Deletes what belongs to nobody: expired uploads, what was begun and never finished, objects
   * without a file. What nobody knows has to be older than the grace period.
   * @throws {CarcosaError} STORE_UNKNOWN; what a store fails with is in the report
   */
  collect(options?: ReconcileOptions): Promise<ReconcileReport>
  /**
   * Does the same, then finds files whose objects are lost: they go on as their copy in another
   * store, or become `failed`.
   * @throws as collect
   */
  reconcile(options?: ReconcileOptions): Promise<ReconcileReport>
}

export function createStoresApi({ uploads, run }: ApiDeps): StoresApi {
  return {
    collect: (options) => run(() => collect(uploads, options)),
    reconcile: (options) => run(() => reconcile(uploads, options)),
  }
}
