import {
  type AuditPage,
  type ListEntries,
  type ListRequests,
  listEntries,
  listRequests,
  type RequestPage,
} from '../audit/list.ts'
import type { ApiDeps } from './deps.ts'

/** What was done by whom, and which requests came. Both are kept for a while and then deleted. */
export interface AuditApi {
  /**
   * The audit log: what was changed, and what was refused, newest first.
   * @throws {CarcosaError} BAD_REQUEST, CURSOR_INVALID
   */
  list(options?: ListEntries): Promise<AuditPage>
  /**
   * The request log, newest first; a line is there a second after the answer. The option
   * `requestLog` says which requests are in it.
   * @throws {CarcosaError} BAD_REQUEST, CURSOR_INVALID
   */
  requests(options?: ListRequests): Promise<RequestPage>
}

export function createAuditApi({ uploads: { db }, run }: ApiDeps): AuditApi {
  return {
    list: (options = {}) => run(() => listEntries(db, options)),
    requests: (options = {}) => run(() => listRequests(db, options)),
  }
}
