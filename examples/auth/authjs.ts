/**
 * The sessions of Auth.js (NextAuth). By default its cookie is encrypted for Auth.js alone; with
 * the `jwt` option below it is signed instead, and then Carcosa can read it too.
 *
 *   NextAuth({ session: { strategy: 'jwt' }, jwt: signedSessions, … })
 *   createCarcosa({ router, auth: [authjs(process.env.AUTH_SECRET)] })
 */
import { createSecretKey } from 'node:crypto'
import { type AuthProvider, jwt } from 'carcosa'
import { type JWTPayload, jwtVerify, SignJWT } from 'jose'

interface Encoding {
  secret: string | string[]
}

/** For the option `jwt` of Auth.js: what a session says can be read by its user, not changed. */
export const signedSessions = {
  encode: ({ token = {}, secret, maxAge = 30 * 24 * 3600 }: Encode) =>
    new SignJWT(token)
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuedAt()
      .setExpirationTime(`${maxAge}s`)
      .sign(keyOf(secret)),
  async decode({ token, secret }: Encoding & { token?: string }) {
    if (!token) return null
    const verified = await jwtVerify(token, keyOf(secret), { algorithms: ['HS256'] })
    return verified.payload
  },
}

type Encode = Encoding & { token?: JWTPayload; maxAge?: number }

export function authjs(secret: string): AuthProvider {
  return jwt({
    name: 'authjs',
    secret,
    // Nobody else knows the secret, and Auth.js names neither.
    issuer: null,
    audience: null,
    token: ({ headers }) => sessionIn(headers.get('cookie') ?? ''),
    principal: ({ sub = '', email, name }) => ({
      id: sub,
      kind: 'user',
      claims: { email, name },
    }),
  })
}

/** Over HTTPS the cookie has a name that only HTTPS can set. */
function sessionIn(cookies: string): string | null {
  const [, token] =
    /(?:^|;\s*)(?:__Secure-)?authjs\.session-token=([^;]+)/.exec(cookies) ?? []
  return token ?? null
}

function keyOf(secret: string | string[]) {
  const [current = ''] = [secret].flat()
  return createSecretKey(Buffer.from(current))
}
