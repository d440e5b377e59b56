import { CarcosaError } from '../shared/errors.ts'

interface Position {
  readonly createdAt: Date
  readonly id: string
}

export function writeCursor({ createdAt, id }: Position): string {
  return Buffer.from(`${createdAt.getTime()}.${id}`).toString('base64url')
}

/** @throws {CarcosaError} CURSOR_INVALID */
export function readCursor(cursor: string): Position {
  const text = Buffer.from(cursor, 'base64url').toString()
  const [, time, id] = /^(\d{1,15})\.(user_[\w-]{24})$/.exec(text) ?? []
  if (time && id) return { createdAt: new Date(Number(time)), id }
  throw new CarcosaError('CURSOR_INVALID', {
    message: 'The cursor was not issued by this server. Start without one.',
  })
}
