/**
 * The users of Clerk. Its session tokens are signed with RS256, name the page they were made for
 * in `azp`, and have no audience.
 *
 *   createCarcosa({ router, auth: [clerk({ issuer: 'https://….clerk.accounts.dev', origins })] })
 *
 * In the browser: createClient<Router>({ url, headers: async () => ({
 *   Authorization: `Bearer ${await clerk.session.getToken()}` }) })
 */
import { type AuthProvider, CarcosaError, jwt } from 'carcosa'

export interface ClerkOptions {
  /** The Frontend API URL of the application. */
  issuer: string
  /** Origins of the pages whose users may upload. */
  origins: readonly string[]
}

/** Roles of Clerk's organizations → those of Carcosa. Who has none keeps to what is theirs. */
const roles: Readonly<Record<string, string>> = { admin: 'admin', member: 'member' }

export function clerk({ issuer, origins }: ClerkOptions): AuthProvider {
  return jwt({
    name: 'clerk',
    jwksUri: `${issuer}/.well-known/jwks.json`,
    issuer,
    audience: null,
    algorithms: ['RS256'],
    principal({ sub = '', azp, o, ...claims }) {
      if (typeof azp !== 'string' || !origins.includes(azp)) {
        throw new CarcosaError('UNAUTHENTICATED', {
          message: 'The token was made for another site.',
        })
      }
      const organization = o as { id: string; rol: string } | undefined
      const role = organization && roles[organization.rol]
      return {
        id: sub,
        kind: 'user',
        organizationId: organization?.id ?? null,
        ...(role && { role }),
        claims,
      }
    },
  })
}
