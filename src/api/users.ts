import type { UsersApi } from '../accounts/users.ts'
import type { ApiDeps } from './deps.ts'

/** The users of the built-in accounts, as long as this Carcosa is open. */
export function createUsers(users: UsersApi, run: ApiDeps['run']): UsersApi {
  return {
    create: (user) => run(() => users.create(user)),
    createOwner: () => run(() => users.createOwner()),
    list: (options) => run(() => users.list(options)),
    get: (idOrEmail) => run(() => users.get(idOrEmail)),
    createLoginLink: (idOrEmail) => run(() => users.createLoginLink(idOrEmail)),
    resetPassword: (idOrEmail) => run(() => users.resetPassword(idOrEmail)),
    revokeSessions: (idOrEmail) => run(() => users.revokeSessions(idOrEmail)),
    disable: (idOrEmail) => run(() => users.disable(idOrEmail)),
    enable: (idOrEmail) => run(() => users.enable(idOrEmail)),
  }
}
