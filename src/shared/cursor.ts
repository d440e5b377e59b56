import { CarcosaError } from './errors.ts'

/** What a list that is ordered by time, and by id where times are equal, goes on behind. */
export interface Position {
  readonly createdAt: Date
  readonly id: string
}

/** Names the last one seen: what comes or goes in between neither repeats nor hides others. */
export function writeCursor({ createdAt, id }: Position): string {
  return Buffer.from(`${createdAt.getTime()}.${id}`).toString('base64url')
}

/**
 * A cursor is no credential: it names a place, and says nothing of what may be read there.
 * `shortest` is the length of the shortest id.
 * @throws {CarcosaError} CURSOR_INVALID
 */
export function readCursor(cursor: string, shortest = 16): Position {
  const text = Buffer.from(cursor, 'base64url').toString()
  const [, time, id] = /^(\d{1,15})\.([A-Za-z0-9_-]{1,64})$/.exec(text) ?? []
  if (time && id && id.length >= shortest)
    return { createdAt: new Date(Number(time)), id }
  throw new CarcosaError('CURSOR_INVALID', {
    message: 'The cursor was not issued by this server. Start without one.',
  })
}

/** What Prisma is asked for, newest first, behind a position. */
export function behind(after: Position | null) {
  if (!after) return {}
  const { createdAt, id } = after
  return { OR: [{ createdAt: { lt: createdAt } }, { createdAt, id: { lt: id } }] }
}
