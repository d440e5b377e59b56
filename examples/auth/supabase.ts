/**
 * The users of Supabase Auth. Its tokens are signed with the key of the project (ES256) and meant
 * for `authenticated`; visitors who signed in anonymously are told apart.
 *
 *   createCarcosa({ router, auth: [supabase('https://….supabase.co')] })
 *
 * Projects that still sign with a shared secret give { secret: process.env.SUPABASE_JWT_SECRET }
 * instead of jwksUri.
 */
import { type AuthProvider, jwt } from 'carcosa'

export function supabase(project: string): AuthProvider {
  const issuer = `${project}/auth/v1`
  return jwt({
    name: 'supabase',
    jwksUri: `${issuer}/.well-known/jwks.json`,
    issuer,
    audience: 'authenticated',
    principal({ sub = '', is_anonymous, app_metadata, email }) {
      // `role` is the one of Postgres; `app_metadata` is what only your server can write.
      const { carcosa_role: role } = (app_metadata ?? {}) as { carcosa_role?: string }
      return {
        id: sub,
        kind: is_anonymous === true ? 'anonymous' : 'user',
        ...(role && { role }),
        claims: { email },
      }
    },
  })
}
