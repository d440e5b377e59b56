import { CarcosaError } from '../shared/errors.ts'

/** What the lists of both logs can be narrowed to. */
export interface LogOptions {
  projectId?: string
  organizationId?: string
  /** What this principal did, by its id. */
  actor?: string
  /** Later than this. */
  after?: Date
  /** Earlier than this. */
  before?: Date
  /** Entries per page, 1 to 500. Default 50. */
  limit?: number
  /** `nextCursor` of the page before. */
  cursor?: string
}

interface Place {
  createdAt: Date
  id: string
}

/**
 * How to ask for a page, newest first, and one row more. The cursor names the last entry seen.
 *
 * @param isId What an id looks like
 * @throws {CarcosaError} BAD_REQUEST, CURSOR_INVALID
 */
export function pageOf(options: LogOptions, isId: RegExp) {
  const { limit = 50, cursor, after, before } = options
  assertSensible(options, limit)
  const place = cursor === undefined ? null : readCursor(cursor, isId)
  return {
    limit,
    place,
    where: {
      projectId: options.projectId,
      organizationId: options.organizationId,
      actorId: options.actor,
      // The last is there so that an index leads to the place, and not past all in front of it.
      createdAt: { gt: after, lt: before, ...(place && { lte: place.createdAt }) },
    },
    orderBy: [{ createdAt: 'desc' as const }, { id: 'desc' as const }],
    take: limit + 1,
  }
}

export function nextCursorOf(rows: readonly Place[], limit: number): string | null {
  const last = rows[limit - 1]
  if (!last || rows.length <= limit) return null
  return Buffer.from(`${last.createdAt.getTime()}.${last.id}`).toString('base64url')
}

function readCursor(cursor: string, isId: RegExp): Place {
  const text = Buffer.from(String(cursor), 'base64url').toString()
  const [, time, id = ''] = /^(\d{1,15})\.(.+)$/.exec(text) ?? []
  if (time && isId.test(id)) return { createdAt: new Date(Number(time)), id }
  throw new CarcosaError('CURSOR_INVALID', {
    message: 'The cursor was not issued by this server. Start without one.',
  })
}

function assertSensible(options: LogOptions, limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > 500) {
    throw bad(`limit is 1 to 500, not ${limit}.`)
  }
  for (const name of ['after', 'before'] as const) {
    const time: unknown = options[name]
    if (time === undefined) continue
    if (time instanceof Date && !Number.isNaN(time.getTime())) continue
    throw bad(`${name} is a Date, not ${String(time)}.`)
  }
  for (const name of ['projectId', 'organizationId', 'actor'] as const) {
    assertText(name, options[name])
  }
}

/** @throws {CarcosaError} BAD_REQUEST for what no column of text can hold */
export function assertText(name: string, value: unknown): void {
  if (value === undefined) return
  if (typeof value === 'string' && value.isWellFormed() && !value.includes('\0')) return
  throw bad(`${name} is text.`)
}

export function bad(message: string): CarcosaError {
  return new CarcosaError('BAD_REQUEST', { message })
}
