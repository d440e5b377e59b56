import { type AccountsDeps, openAccounts, openSessions } from './accounts/accounts.ts'
import { createInvite } from './accounts/invite.ts'
import type { AuthProvider, AuthServices } from './auth/principal.ts'
import { builtInRoles } from './auth/roles.ts'
import { session } from './auth/session.ts'
import type { Config } from './config.ts'
import type { Drain } from './ops/drain.ts'
import type { Parts } from './parts.ts'

/** What knows the people of a server; null where the option `accounts` is off. */
export function peopleOf(
  parts: Parts,
  { drain, mayUpload }: { drain: Drain } & Pick<AccountsDeps, 'mayUpload'>,
) {
  const { config, db, channel, secrets, log } = parts
  const { accounts, roles, cors, publicUrl, basePath } = config
  if (accounts === false) return null
  const deps: AccountsDeps = {
    ...{ db, channel, secrets, log, publicUrl, basePath, mayUpload },
    config: accounts,
    roles: Object.keys({ ...builtInRoles, ...roles }),
    origins: cors.origins === '*' ? [] : cors.origins,
    run: (work) => drain.run(work),
  }
  const sessions = openSessions(deps)
  const base = `${publicUrl ?? ''}${basePath}`
  const invite = createInvite({ config: accounts, base, log, run: deps.run })
  return { services: sessions.services, invite, open: () => openAccounts(deps, sessions) }
}

/**
 * The providers as they are asked. Where there are accounts their sessions are known even if
 * nobody names them.
 */
export function connected(config: Config, services: AuthServices): AuthProvider[] {
  const isNamed = config.auth.some(({ name }) => name === 'session')
  const all = services.sessions && !isNamed ? [...config.auth, session()] : config.auth
  return all.map((provider) => provider.connect?.(services) ?? provider)
}
