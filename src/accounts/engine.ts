import { createHash, hkdfSync } from 'node:crypto'
import { betterAuth } from 'better-auth'
import { prismaAdapter } from 'better-auth/adapters/prisma'
import { APIError } from 'better-auth/api'
import { jwt, organization } from 'better-auth/plugins'
import { createAccessControl } from 'better-auth/plugins/access'
import { defaultStatements } from 'better-auth/plugins/organization/access'
import type { Database } from '../db/database.ts'
import type { AccountsConfig } from '../shared/accounts.ts'
import { newId } from '../shared/ids.ts'
import type { Logger } from '../shared/logger.ts'
import type { Engine } from './core.ts'
import { longestPassword, shortestPassword } from './input.ts'
import { findHolder } from './user-rows.ts'

// The only file that loads better-auth; accounts.ts loads it, and only where accounts are on.

export interface EngineDeps {
  readonly db: Database
  readonly secrets: readonly string[]
  readonly config: AccountsConfig
  /** The names of all roles: what they mean is decided by `can()`. */
  readonly roles: readonly string[]
  readonly issuer: string
  readonly log: Logger
  readonly on: EngineEvents
}

/** What happens within it that others must hear of. */
export interface EngineEvents {
  verify(user: Addressee): void
  alreadyRegistered(user: Addressee): void
  resetPassword(user: Addressee, token: string): void
  passwordReset(userId: string): void
}

export interface Addressee {
  readonly id: string
  readonly email: string
}

/** better-auth on our tables. It stores and hashes; it decides nothing, sends nothing and counts nothing. */
export function createEngine(deps: EngineDeps): Engine {
  const auth = configured(deps)
  const { api } = auth
  return {
    async signing() {
      const { authCookies, secret } = await auth.$context
      return { cookieName: authCookies.sessionToken.name, secret }
    },
    signUp: (body, headers) => api.signUpEmail({ body, headers }),
    signIn: (body, headers) => api.signInEmail({ body, headers }),
    requestReset: (email) => api.requestPasswordReset({ body: { email } }),
    resetPassword: (body) => api.resetPassword({ body }),
    setPassword: (newPassword, headers) =>
      api.setPassword({ body: { newPassword }, headers }),
    changePassword: (body, headers) =>
      api.changePassword({ body: { ...body, revokeOtherSessions: true }, headers }),
    async accept(invitationId, headers) {
      const accepted = await api.acceptInvitation({ body: { invitationId }, headers })
      const { invitation, member } = accepted
      return { organizationId: invitation.organizationId, role: member.role }
    },
    reject: (invitationId, headers) =>
      api.rejectInvitation({ body: { invitationId }, headers }),
    activate: (organizationId, headers) =>
      api.setActiveOrganization({ body: { organizationId }, headers }),
    signJwt: async (payload) => (await api.signJWT({ body: { payload } })).token,
    jwks: () => api.getJwks(),
  }
}

function configured(deps: EngineDeps) {
  const { db, secrets, config, issuer, log, on } = deps
  const { verifyEmail } = config
  return betterAuth({
    // Never shown: every link and every answer is ours.
    baseURL: 'http://carcosa.invalid',
    basePath: '/auth',
    secrets: secrets.map(versioned),
    database: prismaAdapter(db.prisma, { provider: 'postgresql' }),
    emailAndPassword: {
      enabled: true,
      requireEmailVerification: verifyEmail,
      minPasswordLength: shortestPassword,
      maxPasswordLength: longestPassword,
      revokeSessionsOnPasswordReset: true,
      async sendResetPassword({ user, token }) {
        on.resetPassword(user, token)
      },
      async onExistingUserSignUp({ user }) {
        on.alreadyRegistered(user)
      },
      async onPasswordReset({ user }) {
        on.passwordReset(user.id)
      },
    },
    emailVerification: {
      sendOnSignUp: true,
      async sendVerificationEmail({ user }) {
        on.verify(user)
      },
    },
    session: { expiresIn: config.sessionLifetime / 1_000, disableSessionRefresh: true },
    // Who reads the database has no link that works.
    verification: { storeIdentifier: 'hashed' },
    databaseHooks: {
      session: {
        create: {
          async before({ userId }) {
            const user = await findHolder(db, userId, null)
            if (user && !user.isDisabled) return
            throw new APIError('FORBIDDEN', { code: 'USER_DISABLED' })
          },
        },
      },
    },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: {
      level: 'warn',
      log: (_level, message) => log.debug({ by: 'better-auth' }, message),
    },
    advanced: {
      useSecureCookies: false,
      disableCSRFCheck: true,
      disableOriginCheck: true,
      ipAddress: { ipAddressHeaders: ['x-forwarded-for'] },
      database: { generateId: ({ model }) => `${prefixes[model] ?? ''}${newId()}` },
    },
    plugins: [
      organization({
        ac: access,
        roles: Object.fromEntries(deps.roles.map((role) => [role, nothing])),
        creatorRole: 'owner',
        teams: { enabled: true },
        allowUserToCreateOrganization: false,
        membershipLimit: 10_000,
        requireEmailVerificationOnInvitation: verifyEmail,
      }),
      jwt({ jwt: { issuer, audience: issuer, expirationTime: '15m' } }),
    ],
  })
}

const prefixes: Readonly<Record<string, string>> = {
  user: 'user_',
  session: 'ses_',
  organization: 'org_',
  member: 'mem_',
  invitation: 'inv_',
  team: 'team_',
}

const access = createAccessControl(defaultStatements)
const nothing = access.newRole({})

/** What was encrypted under a secret names its version, so that must not change with its position. */
function versioned(secret: string): { version: number; value: string } {
  const value = Buffer.from(hkdfSync('sha256', secret, '', 'carcosa accounts', 32))
  const version = createHash('sha256').update(value).digest().readUInt32BE(0) >>> 1
  return { version, value: value.toString('base64url') }
}
