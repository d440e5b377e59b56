/** Stands for what your application has already: sessions, users, and what they may do. */
import { type AuthProvider, CarcosaError } from 'carcosa'

const sessions = new Map([
  ['session-of-cassilda', 'cassilda'],
  ['session-of-camilla', 'camilla'],
])

const albums = new Map([['hali', 'cassilda']])

/** The user of a session; null for a session that has ended or never was. */
export function userOf(authorization: string | null | undefined): string | null {
  return sessions.get(authorization?.replace('Bearer ', '') ?? '') ?? null
}

export function mayAddTo(albumId: string, userId: string): boolean {
  return albums.get(albumId) === userId
}

/** Tells Carcosa who is asking. A credential that is wrong is refused, not overlooked. */
export const sessionAuth: AuthProvider = {
  name: 'session',
  authenticate({ headers }) {
    const authorization = headers.get('authorization')
    if (!authorization) return null
    const id = userOf(authorization)
    if (!id) throw new CarcosaError('UNAUTHENTICATED', { message: 'Please log in.' })
    return { id, kind: 'user' }
  },
}
