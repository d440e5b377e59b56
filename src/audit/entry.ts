import type { AuditAction } from './actions.ts'

/** One line of the audit log. */
export interface AuditEntry {
  readonly id: string
  readonly at: Date
  readonly action: AuditAction
  readonly outcome: AuditOutcome
  /** The code of the error; null if it was done. */
  readonly code: string | null
  readonly actor: LoggedActor
  /** Where it happened; null for what belongs to no project. */
  readonly projectId: string | null
  readonly organizationId: string | null
  /** Where the request came from; null where there was none, or nobody says. */
  readonly address: string | null
  readonly requestId: string | null
  readonly target: { readonly type: string; readonly id: string | null }
  /** What changed, e.g. `{ filename: { before, after } }`; without secrets. */
  readonly details: Readonly<Record<string, unknown>> | null
}

/**
 * `done`; `denied` for want of permission; `refused` for what was asked; `failed` for something
 * that went wrong here.
 */
export type AuditOutcome = (typeof auditOutcomes)[number]
export const auditOutcomes = Object.freeze([
  ...(['done', 'denied', 'refused', 'failed'] as const),
])

/** Who did it: the kind of a principal (`user`, `api-key` …), `cli` or `program`. */
export interface LoggedActor {
  readonly kind: string
  readonly id: string | null
}

/** One line of the request log. */
export interface LoggedRequest {
  readonly id: string
  readonly at: Date
  readonly method: string
  /** The path with names in place of ids: `/api/v1/files/{id}`. */
  readonly pattern: string
  /** Path and query as sent, without secrets. */
  readonly path: string
  readonly status: number
  /** The code of the error, if it was one. */
  readonly code: string | null
  /** Until the answer, in milliseconds. */
  readonly ms: number
  /** Null where nobody was known. */
  readonly actor: LoggedActor | null
  readonly projectId: string | null
  readonly organizationId: string | null
  readonly address: string | null
  readonly requestId: string
}
