import type { Reach } from '../auth/permissions.ts'
import type { Database } from '../db/database.ts'
import { CarcosaError } from '../shared/errors.ts'
import { type FileRecord, type FileState, fileStates, readableStates } from './record.ts'
import { storable } from './row.ts'

export interface ListOptions {
  /** Files of this project. Default the default project. */
  projectId?: string
  /** Files of this route only. */
  route?: string
  /** Files of this owner only. */
  ownerId?: string
  /** Files in one of these states. Default: what can be read (stored, processing, ready). */
  states?: readonly FileState[]
  /** What of it somebody may see, from `access.reach`. Default all. */
  within?: Pick<Reach, 'ownerId' | 'routes'>
  createdAfter?: Date
  createdBefore?: Date
  /** Files per page, 1 to 500. Default 50. */
  limit?: number
  /** `nextCursor` of the page before. */
  cursor?: string
}

export interface FileList {
  files: FileRecord[]
  /** Give it to the next call; null on the last page. */
  nextCursor: string | null
}

/**
 * Newest first. The cursor names the last file seen, not a page number: files that come or
 * go in between neither repeat nor hide others.
 *
 * @throws {CarcosaError} CURSOR_INVALID, BAD_REQUEST for a limit, time or state that cannot be
 */
export async function listFiles(
  db: Database,
  defaultProject: string,
  options: ListOptions,
): Promise<FileList> {
  const { limit = 50 } = options
  assertSensible(options, limit)
  const after = options.cursor === undefined ? null : readCursor(options.cursor)
  const rows = await db.prisma.file.findMany({
    where: {
      projectId: storable(options.projectId ?? defaultProject),
      route: options.route && storable(options.route),
      ownerId: options.ownerId && storable(options.ownerId),
      state: { in: [...(options.states ?? readableStates)] },
      createdAt: { gt: options.createdAfter, lt: options.createdBefore },
      AND: reachOf(options.within),
      ...(after && {
        OR: [
          { createdAt: { lt: after.createdAt } },
          { createdAt: after.createdAt, id: { lt: after.id } },
        ],
      }),
    },
    omit: besideTheRecord,
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: limit + 1,
  })
  const files = rows.slice(0, limit).map((row) => {
    const size = row.size === null ? null : Number(row.size)
    // Columns of literals (state, acl) are text to Prisma; only our own code writes them.
    return { ...row, size, offset: Number(row.offset) } as FileRecord
  })
  const last = files.at(-1)
  return { files, nextCursor: last && rows.length > limit ? writeCursor(last) : null }
}

function reachOf(within: ListOptions['within']) {
  if (!within) return []
  const { ownerId, routes } = within
  return [
    ...(ownerId === null ? [] : [{ ownerId }]),
    ...(routes === null ? [] : [{ route: { in: [...routes] } }]),
  ]
}

/** Who writes to an upload, and what it reserves, is no part of its record. */
const besideTheRecord = {
  leaseHolder: true,
  leaseFence: true,
  leaseExpiresAt: true,
  leaseWanted: true,
  leaseContested: true,
  reserved: true,
  released: true,
} as const

function assertSensible(options: ListOptions, limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > 500) {
    throw bad(`limit is 1 to 500, not ${limit}.`)
  }
  for (const name of ['createdAfter', 'createdBefore'] as const) {
    const time: unknown = options[name]
    if (time === undefined) continue
    if (!(time instanceof Date) || Number.isNaN(time.getTime())) {
      throw bad(`${name} is a Date, not ${time}.`)
    }
  }
  const unknown = options.states?.find((state) => !fileStates.includes(state))
  if (unknown !== undefined) {
    throw bad(`There is no state "${unknown}"; states are ${fileStates.join(', ')}.`)
  }
}

function bad(message: string): CarcosaError {
  return new CarcosaError('BAD_REQUEST', { message })
}

function writeCursor({ createdAt, id }: FileRecord): string {
  return Buffer.from(`${createdAt.getTime()}.${id}`).toString('base64url')
}

function readCursor(cursor: string): { createdAt: Date; id: string } {
  const text = Buffer.from(cursor, 'base64url').toString()
  const match = /^(\d{1,15})\.([A-Za-z0-9_-]{16,64})$/.exec(text)
  if (match?.[1] && match[2])
    return { createdAt: new Date(Number(match[1])), id: match[2] }
  throw new CarcosaError('CURSOR_INVALID', {
    message: 'The cursor was not issued by this server. Start without one.',
  })
}
