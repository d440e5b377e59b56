import type { Principal, SessionServices } from '../auth/principal.ts'
import type { Channel } from '../channel/channel.ts'
import type { Database } from '../db/database.ts'
import type { AccountsConfig, Mail } from '../shared/accounts.ts'
import type { Logger } from '../shared/logger.ts'
import { type Belonging, createBelonging } from './belonging.ts'
import { createSessionCookie, type SessionCookie } from './cookie.ts'
import { asked, type Core, createHeaders } from './core.ts'
import type { TrustedPages } from './forgery.ts'
import { invitationMail, loggingMailer, registeredMail, resetMail } from './mails.ts'
import { createRecovery, type Recovery, sendVerification } from './recovery.ts'
import { createSessionCheck, type SessionCheck, tellSessions } from './session-check.ts'
import { createSessionTokens } from './session-token.ts'
import { createSignIn, type SignIn } from './sign-in.ts'

/** The people of a server, as the paths under `/auth` see them. */
export interface Accounts extends SignIn, Recovery, Belonging {
  readonly config: AccountsConfig
  readonly cookie: SessionCookie
  readonly pages: TrustedPages
  readonly check: SessionCheck
  readonly db: Database
  /** Tells all processes that the sessions of a user are not what they were. */
  changed(userId: string): void
  /** Tells somebody by mail that they are invited to an organization of this name. */
  invite(invitation: { id: string; email: string }, organization: string): void
  /** A JWT that says who and where somebody is, for other services; it works for 15 minutes. */
  issueToken(principal: Principal): Promise<string>
  /** The keys that verify it, as a JWKS. */
  publicKeys(): Promise<object>
}

export interface AccountsDeps {
  readonly db: Database
  readonly channel: Channel
  readonly secrets: readonly string[]
  readonly config: AccountsConfig
  readonly roles: readonly string[]
  /** Origins of pages that may use the cookie. */
  readonly origins: readonly string[]
  readonly publicUrl: string | undefined
  readonly basePath: string
  readonly log: Logger
  /** Whether somebody may begin uploads on a route of their project. */
  mayUpload(principal: Principal, route: string): boolean
  /** Does work that closing waits for. */
  run(work: () => Promise<unknown>): Promise<unknown>
}

/** Sessions alone, without loading better-auth: for who only asks who somebody is. */
export function openSessions(deps: AccountsDeps) {
  const { db, channel, secrets, origins, publicUrl } = deps
  const tokens = createSessionTokens(secrets)
  const cookie = createSessionCookie(publicUrl)
  const own = publicUrl === undefined ? null : new URL(publicUrl).origin
  const pages: TrustedPages = { origins, own }
  const { mayUpload } = deps
  const check = createSessionCheck({ db, channel, tokens, cookie, pages, mayUpload })
  const services: SessionServices = {
    authenticate: check.authenticate,
    isUserShutOut: check.isUserShutOut,
    onChange: check.onChange,
  }
  return { tokens, cookie, pages, check, services }
}

/** Opens accounts; loads better-auth, which nothing else does. */
export async function openAccounts(
  deps: AccountsDeps,
  sessions: ReturnType<typeof openSessions>,
): Promise<Accounts> {
  const { db, channel, config } = deps
  const { tokens, cookie, pages, check } = sessions
  const core = await coreOf(deps, tokens)
  const { engine } = core
  const issuer = issuerOf(deps)
  return {
    ...createSignIn(core),
    ...createRecovery(core),
    ...createBelonging(core),
    ...{ config, cookie, pages, check, db },
    changed: (userId) => tellSessions(channel, userId),
    invite({ id, email: to }, organization) {
      core.send(invitationMail({ to, link: core.linkTo('invitation', id) }, organization))
    },
    async issueToken({ id, projectId, organizationId, role, claims }) {
      const { email, name } = claims ?? {}
      const where = { organizationId, projectId, role }
      const iat = Math.floor(Date.now() / 1_000)
      const payload = { sub: id, iss: issuer, aud: issuer, iat, email, name, ...where }
      return asked(engine.signJwt(payload))
    },
    publicKeys: () => asked(engine.jwks()),
  }
}

async function coreOf(deps: AccountsDeps, tokens: Core['tokens']): Promise<Core> {
  const { db, channel, config, secrets, roles, log } = deps
  const { createEngine } = await import('./engine.ts')
  const mailer = config.mailer ?? loggingMailer(log)
  const base = `${deps.publicUrl ?? ''}${deps.basePath}/auth`
  const later: Core['later'] = (work) => {
    deps.run(work).catch((err) => log.error({ err }, 'accounts: what nobody waits for'))
  }
  const send = (mail: Mail) => later(async () => mailer(mail))
  const linkTo: Core['linkTo'] = (page, token) =>
    `${base}/${page}${token === undefined ? '' : `#${token}`}`
  const engine = createEngine({
    ...{ db, secrets, config, roles, log, issuer: issuerOf(deps) },
    on: {
      verify: (user) => later(() => sendVerification(core, user)),
      alreadyRegistered: ({ email: to }) =>
        send(registeredMail({ to, link: linkTo('sign-in') })),
      resetPassword: ({ email: to }, token) =>
        send(resetMail({ to, link: linkTo('reset-password', token) })),
      passwordReset: (userId) => tellSessions(channel, userId),
    },
  })
  const headersOf = createHeaders(engine)
  const core: Core = {
    ...{ db, channel, config, tokens, engine, headersOf, send, later, linkTo },
  }
  return core
}

/** Whoever checks a token must name it; `carcosa` where nobody says how this server is reached. */
function issuerOf({ publicUrl, basePath }: AccountsDeps): string {
  return publicUrl === undefined ? 'carcosa' : `${publicUrl}${basePath}`
}
