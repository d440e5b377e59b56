import type { Carcosa } from '../../carcosa.ts'
import { CarcosaError } from '../../shared/errors.ts'
import { printable } from '../printable.ts'

/**
 * The id of the user whose e-mail address or id this is.
 * @throws {CarcosaError} USER_NOT_FOUND
 */
export async function userIdOf(who: string, api: Carcosa['api']): Promise<string> {
  const user = await api.users.get(who)
  if (user) return user.id
  throw new CarcosaError('USER_NOT_FOUND', {
    message: `There is no user "${printable(who)}": carcosa users create makes one.`,
  })
}
