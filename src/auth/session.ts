import { CarcosaError } from '../shared/errors.ts'
import type { AuthProvider, TicketPlace } from './principal.ts'

/** What the ids of users of the built-in accounts look like. */
export const userIdPattern = /^user_[A-Za-z0-9_-]{24}$/

/**
 * Knows who is signed in to the built-in accounts (option `accounts`), by cookie or by
 * `Authorization: Bearer cs_…`. The principal is of the kind `user`, with the organization that
 * owns the project named by the header `Carcosa-Project` or by `?project=`, and the role they have in
 * it; without a name it is the first project of the organization that is active. A project that is
 * not theirs throws PROJECT_NOT_FOUND, like one that does not exist. Who is in no organization
 * may do nothing but look after their account.
 *
 * Where accounts are on it need not be named: it is asked behind the providers of `auth`.
 *
 * @example
 * createCarcosa({ router, accounts: true, auth: [session(), apiKeys()] })
 */
export function session(): AuthProvider {
  const name = 'session'
  return Object.freeze({
    name,
    authenticate() {
      throw new TypeError('session() is asked through a Carcosa that knows the sessions.')
    },
    connect: ({ sessions }: Parameters<NonNullable<AuthProvider['connect']>>[0]) => {
      if (!sessions) {
        throw new CarcosaError('CONFIG_INVALID', {
          message:
            'auth has session(), which needs the option accounts (CARCOSA_ACCOUNTS).',
        })
      }
      return {
        name,
        authenticate: sessions.authenticate,
        isShutOut: (id: string, where?: TicketPlace) =>
          userIdPattern.test(id) && sessions.isUserShutOut(id, where),
        onChange: sessions.onChange,
      }
    },
  })
}
