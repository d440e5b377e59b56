import { bearerToken } from './bearer.ts'
import { keyIdPattern } from './check-principal.ts'
import { looksLikeKey } from './key-format.ts'
import type { AuthProvider, AuthRequest } from './principal.ts'

/**
 * Knows the API keys that `carcosa keys create` and `carcosa.api.keys` make, sent as
 * `Authorization: Bearer ck_live_…` or `X-Api-Key: ck_live_…`. The principal has the kind
 * `api-key`, the project, role and scopes of the key, and its `name` and `mode` as claims.
 *
 * A key that is mistyped, unknown, expired, revoked, or used from an address that is not on its
 * list throws UNAUTHENTICATED with `details.reason`.
 *
 * @example
 * createCarcosa({ router, auth: [apiKeys(), session] })
 */
export function apiKeys(): AuthProvider {
  const name = 'api-keys'
  return Object.freeze({
    name,
    authenticate(request: AuthRequest) {
      if (tokenOf(request) === null) return null
      throw new TypeError('apiKeys() is asked through a Carcosa that knows the keys.')
    },
    connect: (services: Parameters<NonNullable<AuthProvider['connect']>>[0]) => ({
      name,
      authenticate(request: AuthRequest) {
        const token = tokenOf(request)
        if (token === null) return null
        return services.authenticateKey(token, request.address ?? null)
      },
      isShutOut: (principalId: string) =>
        keyIdPattern.test(principalId) && services.isKeyShutOut(principalId),
    }),
  })
}

/** Anything else in these headers is for another provider. */
function tokenOf(request: AuthRequest): string | null {
  const tokens = [bearerToken(request), request.headers.get('x-api-key')]
  return tokens.find((token) => token && looksLikeKey(token)) ?? null
}
