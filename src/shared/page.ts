import { CarcosaError } from './errors.ts'

/** Which part of a list is wanted. */
export interface PageOptions {
  /** Rows per page, 1 to 500. Default 50. */
  limit?: number
  /** `nextCursor` of the page before. */
  cursor?: string
}

/** Where a row stands in a list that is ordered by time and id. */
export interface Placed {
  readonly id: string
  readonly createdAt: Date
}

/** A part of a list: give `nextCursor` to the next call; null on the last page. */
export interface Page<Row> {
  readonly rows: Row[]
  readonly nextCursor: string | null
}

/**
 * Reads one page. The cursor names the last row seen, not a page number: rows that come or go
 * in between neither repeat nor hide others.
 *
 * @param read reads at most `take` rows behind `after`
 * @throws {CarcosaError} CURSOR_INVALID, BAD_REQUEST for a limit that cannot be
 */
export async function readPage<Row extends Placed>(
  { limit = 50, cursor }: PageOptions,
  read: (wanted: { after: Placed | null; take: number }) => Promise<Row[]>,
): Promise<Page<Row>> {
  if (!Number.isInteger(limit) || limit < 1 || limit > 500) {
    throw new CarcosaError('BAD_REQUEST', { message: `limit is 1 to 500, not ${limit}.` })
  }
  const after = cursor === undefined ? null : readCursor(cursor)
  const found = await read({ after, take: limit + 1 })
  const rows = found.slice(0, limit)
  const last = rows.at(-1)
  return { rows, nextCursor: last && found.length > limit ? writeCursor(last) : null }
}

/**
 * What Prisma takes for rows behind `after`: `where: { …, ...olderThan(after) }`. The bound says
 * nothing new, but leads an index to the place; the alternatives alone are a filter, which reads all
 * rows in front of it.
 */
export function olderThan(after: Placed | null) {
  if (!after) return {}
  const { createdAt, id } = after
  const behind = [{ createdAt: { lt: createdAt } }, { createdAt, id: { lt: id } }]
  return { AND: [{ createdAt: { lte: createdAt } }, { OR: behind }] }
}

export const newestFirst: { createdAt?: 'desc'; id?: 'desc' }[] = [
  { createdAt: 'desc' },
  { id: 'desc' },
]

function writeCursor({ createdAt, id }: Placed): string {
  return Buffer.from(`${createdAt.getTime()}.${id}`).toString('base64url')
}

function readCursor(cursor: string): Placed {
  const text = Buffer.from(String(cursor), 'base64url').toString()
  const [, time, id] = /^(\d{1,15})\.([A-Za-z0-9_-]{1,200})$/.exec(text) ?? []
  if (time && id) return { createdAt: new Date(Number(time)), id }
  throw new CarcosaError('CURSOR_INVALID', {
    message: 'The cursor was not issued by this server. Start without one.',
  })
}
