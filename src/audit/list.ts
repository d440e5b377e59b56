import type { Database } from '../db/database.ts'
import { CarcosaError } from '../shared/errors.ts'
import { newestFirst, olderThan, type Placed, readPage } from '../shared/page.ts'
import { type AuditAction, auditActions } from './actions.ts'
import {
  type AuditEntry,
  type AuditOutcome,
  auditOutcomes,
  type LoggedActor,
  type LoggedRequest,
} from './entry.ts'
import { assertText, bad, filterOf, type LogOptions } from './filter.ts'

export interface ListEntries extends LogOptions {
  action?: AuditAction
  outcome?: AuditOutcome
  /** The id of what it was done to. */
  target?: string
}

export interface AuditPage {
  entries: AuditEntry[]
  /** Give it to the next call; null on the last page. */
  nextCursor: string | null
}

export interface ListRequests extends LogOptions {
  /** Answers with this status only. */
  status?: number
}

export interface RequestPage {
  requests: LoggedRequest[]
  nextCursor: string | null
}

/** @throws {CarcosaError} BAD_REQUEST, CURSOR_INVALID */
export async function listEntries(
  { prisma }: Pick<Database, 'prisma'>,
  options: ListEntries,
): Promise<AuditPage> {
  const { action, outcome, target } = options
  assertOneOf('action', action, auditActions)
  assertOneOf('outcome', outcome, auditOutcomes)
  assertText('target', target)
  const { rows, nextCursor } = await readPage(options, ({ after, take }) =>
    prisma.auditEntry.findMany({
      where: {
        ...filterOf(options, after),
        ...{ action, outcome, targetId: target },
        ...olderThan(after),
      },
      orderBy: newestFirst,
      take,
    }),
  )
  const entries = rows.map((row) => ({
    ...commonOf(row),
    id: row.id,
    // Columns of literals are text to Prisma; only our own code writes them.
    action: row.action as AuditAction,
    outcome: row.outcome as AuditOutcome,
    actor: { kind: row.actorKind, id: row.actorId },
    requestId: row.requestId,
    target: { type: row.targetType, id: row.targetId },
    // Only objects are written there.
    details: row.details as AuditEntry['details'],
  }))
  return { entries, nextCursor }
}

/** @throws {CarcosaError} BAD_REQUEST, CURSOR_INVALID */
export async function listRequests(
  { prisma }: Pick<Database, 'prisma'>,
  options: ListRequests,
): Promise<RequestPage> {
  const { status } = options
  if (status !== undefined && !(Number.isInteger(status) && status > 0 && status < 1000))
    throw bad(`status is one of HTTP, not ${status}.`)
  const { rows, nextCursor } = await readPage(options, async ({ after, take }) => {
    const found = await prisma.requestEntry.findMany({
      where: { ...filterOf(options, after), status, ...earlierThan(after) },
      orderBy: newestFirst,
      take,
    })
    return found.map((row) => ({ ...row, id: String(row.id) }))
  })
  const requests = rows.map((row) => ({
    ...commonOf(row),
    id: row.id,
    method: row.method,
    pattern: row.pattern,
    path: row.path,
    status: row.status,
    ms: row.ms,
    actor: actorOf(row),
    requestId: row.requestId,
  }))
  return { requests, nextCursor }
}

/** As `olderThan`, for ids that are numbers. */
function earlierThan(after: Placed | null) {
  if (!after) return {}
  const { createdAt, id } = after
  if (!/^\d{1,18}$/.test(id)) throw new CarcosaError('CURSOR_INVALID')
  return {
    OR: [{ createdAt: { lt: createdAt } }, { createdAt, id: { lt: BigInt(id) } }],
  }
}

interface Common {
  createdAt: Date
  code: string | null
  projectId: string | null
  organizationId: string | null
  address: string | null
}

function commonOf({ createdAt, code, projectId, organizationId, address }: Common) {
  return { at: createdAt, code, projectId, organizationId, address }
}

function actorOf(row: { actorKind: string | null; actorId: string | null }) {
  const { actorKind: kind, actorId: id } = row
  return kind === null ? null : ({ kind, id } satisfies LoggedActor)
}

function assertOneOf(
  name: string,
  given: string | undefined,
  allowed: readonly string[],
): void {
  if (given === undefined || allowed.includes(given)) return
  const said = JSON.stringify(String(given).slice(0, 64))
  throw bad(`There is no ${name} ${said}; there are ${allowed.join(', ')}.`)
}
