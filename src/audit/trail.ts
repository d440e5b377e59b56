import type { Database } from '../db/database.ts'
import { CarcosaError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import type { Logger } from '../shared/logger.ts'
import type { Meter } from '../shared/meter.ts'
import { redact } from '../shared/redact.ts'
import { type Caller, currentActor, currentRequest } from '../shared/request-context.ts'
import { type AuditAction, targetTypeOf } from './actions.ts'
import type { AuditOutcome } from './entry.ts'

/** What was done, or tried. Who did it, and in which request, is known where it is recorded. */
export interface Deed {
  readonly action: AuditAction
  readonly targetId: string | null
  /** Default: whoever is at work. */
  readonly actor?: Caller
  /** What it ended with; absent if it was done. */
  readonly error?: unknown
  /** Default: the project of who did it, or the default project. */
  readonly projectId?: string | null | undefined
  /** Default: the organization of who did it. */
  readonly organizationId?: string | null | undefined
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

export interface Trail {
  /**
   * Adds an entry to the audit log. Never rejects: what is told of has happened. An entry that
   * cannot be written goes to the log instead, whole and at the level `error`, and is counted.
   */
  record(deed: Deed): Promise<void>
}

export interface TrailDeps {
  readonly db: Pick<Database, 'prisma'>
  readonly log: Logger
  readonly meter: Pick<Meter, 'logEntriesLost'>
  readonly defaultProject: string
}

export function createTrail({ db, log, meter, defaultProject }: TrailDeps): Trail {
  return {
    async record(deed) {
      const context = currentRequest()
      if (context) context.isAudited = true
      const data = rowOf(deed, defaultProject)
      try {
        await db.prisma.auditEntry.create({ data, select: { id: true } })
      } catch (err) {
        meter.logEntriesLost('audit', 1)
        log.error({ err, entry: data }, 'an entry of the audit log could not be written')
      }
    },
  }
}

function rowOf(deed: Deed, defaultProject: string) {
  const actor = deed.actor ?? currentActor()
  const context = currentRequest()
  const details = detailsOf(deed)
  return {
    id: newId(),
    action: deed.action,
    outcome: outcomeOf(deed.error),
    code: codeOf(deed.error),
    actorKind: actor.kind,
    actorId: storable(actor.id),
    organizationId: storable(deed.organizationId ?? actor.organizationId),
    projectId: storable(deed.projectId ?? actor.projectId ?? defaultProject),
    address: context?.address ?? null,
    requestId: context?.requestId ?? null,
    targetType: targetTypeOf(deed.action),
    targetId: storable(deed.targetId),
    ...(details && { details }),
  }
}

function outcomeOf(error: unknown): AuditOutcome {
  if (error === undefined) return 'done'
  if (!(error instanceof CarcosaError) || error.status >= 500) return 'failed'
  return error.status === 401 || error.status === 403 ? 'denied' : 'refused'
}

function codeOf(error: unknown): string | null {
  if (error === undefined) return null
  return error instanceof CarcosaError ? error.code : 'INTERNAL'
}

/** Most characters of a text, e.g. of an id that somebody made up. */
const longest = 1_024

/** Text that Postgres takes, and no more of it than tells what it was. */
function storable(text: string | null | undefined): string | null {
  return text?.slice(0, longest).toWellFormed().replaceAll('\0', '\ufffd') ?? null
}

/** Most characters of the details as JSON. */
const mostDetails = 16_384

function detailsOf({ details }: Deed) {
  if (!details) return null
  const text = JSON.stringify(redact(details)).replaceAll('\\u0000', '\\ufffd')
  // An object before is one afterwards.
  return JSON.parse(text.length > mostDetails ? '{"truncated":true}' : text) as object
}
