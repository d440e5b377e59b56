import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { CarcosaError } from '../shared/errors.ts'
import { bearerToken } from './bearer.ts'
import { createJwtCache } from './jwt-cache.ts'
import { remoteKeys } from './jwt-keys.ts'
import {
  type JwtClaims,
  type JwtOptions,
  type ParsedJwt,
  parseJwtOptions,
} from './jwt-options.ts'
import type { AuthProvider, AuthRequest, Principal } from './principal.ts'
import { hasRepeatedKeys } from './repeated-keys.ts'

/** Of a token, in characters. Longer ones are refused before they are looked at. */
const maxLength = 8 * 1024

/**
 * Knows the users of whoever issues JSON Web Tokens: Auth.js, Clerk, Supabase, Auth0, Keycloak,
 * or your own. Signature, algorithm, issuer, audience and time are checked; a token must end
 * (`exp`). After the first request no network is needed.
 *
 * What has not the form of a token (three parts with dots between them) is left to other
 * providers. What has it and is wrong throws UNAUTHENTICATED with `details.reason` `expired` or
 * `invalid`; where the issuer's keys cannot be fetched, AUTH_UNAVAILABLE (503).
 *
 * @throws {TypeError} for options that contradict each other
 *
 * @example
 * jwt({
 *   jwksUri: 'https://example.clerk.accounts.dev/.well-known/jwks.json',
 *   issuer: 'https://example.clerk.accounts.dev',
 *   audience: null,
 *   principal: ({ sub = '', org_id }) => ({ id: sub, kind: 'user', claims: { org_id } }),
 * })
 */
export function jwt(options: JwtOptions): AuthProvider {
  const parsed = parseJwtOptions(options)
  const { token: tokenOf = bearerToken, principal: toPrincipal = userOf } = options
  const { name = 'jwt', isShutOut } = options
  const verify = verifier(parsed)
  return Object.freeze({
    name,
    async authenticate(request: AuthRequest) {
      const token = tokenOf(request)
      if (token === null || !looksLikeJwt(token)) return null
      const principal = await toPrincipal(await verify(token))
      if (principal) return principal
      throw refused('invalid', 'The token is of somebody who is nobody here.')
    },
    ...(isShutOut && { isShutOut }),
  })
}

function verifier(options: ParsedJwt): (token: string) => Promise<JwtClaims> {
  const { source, issuer, audience, algorithms, clockTolerance } = options
  const cache = createJwtCache()
  const getKey: JWTVerifyGetKey =
    'jwksUri' in source ? remoteKeys(source.jwksUri) : async () => source.fixed
  const checks = {
    algorithms,
    clockTolerance,
    requiredClaims: ['exp'],
    ...(issuer && { issuer }),
    ...(audience && { audience }),
  }

  return async (token) => {
    const known = cache.get(token)
    if (known) return known
    try {
      assertPlain(token)
      const { payload } = await verifyWith(token, getKey, checks)
      // jose has checked that there is an `exp`, and that it is a number.
      const claims = deepFreeze(payload) as JwtClaims
      cache.set(token, claims, clockTolerance)
      return claims
    } catch (error) {
      throw toRefusal(error)
    }
  }
}

/** A token may leave out which of several keys it was signed with. */
async function verifyWith(
  token: string,
  getKey: JWTVerifyGetKey,
  checks: Parameters<typeof jwtVerify>[2],
) {
  try {
    return await jwtVerify(token, getKey, checks)
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    for await (const key of error) {
      try {
        return await jwtVerify(token, key, checks)
      } catch (failed) {
        if (failed instanceof errors.JWSSignatureVerificationFailed) continue
        throw failed
      }
    }
    throw new errors.JWSSignatureVerificationFailed()
  }
}

/** Also one that says it is not signed, whose last part is empty. */
function looksLikeJwt(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)
}

function assertPlain(token: string): void {
  if (token.length > maxLength) throw new TypeError('too long')
  for (const part of token.split('.', 2)) {
    if (hasRepeatedKeys(Buffer.from(part, 'base64url').toString())) {
      throw new TypeError('a key is repeated')
    }
  }
}

function userOf(claims: JwtClaims): Principal {
  const { sub } = claims
  if (typeof sub === 'string' && sub !== '') return { id: sub, kind: 'user', claims }
  throw refused('invalid', 'The token does not say whose it is: it has no "sub".')
}

/** What is wrong with a token is in `cause`, for the log; whoever made it up is told nothing. */
function toRefusal(error: unknown): CarcosaError {
  if (error instanceof CarcosaError) return error
  if (error instanceof errors.JWTExpired) {
    return refused('expired', 'The token has expired. Get a new one.', error)
  }
  return refused('invalid', 'The token is not valid here.', error)
}

function refused(
  reason: 'expired' | 'invalid',
  message: string,
  cause?: unknown,
): CarcosaError {
  return new CarcosaError('UNAUTHENTICATED', {
    message,
    details: { reason },
    headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
    cause,
  })
}

/** The same claims are given to many requests. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
