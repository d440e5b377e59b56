import type { AuthProvider, AuthRequest, Principal } from './principal.ts'

/**
 * A provider made of one function: for sessions of the application, other people's tokens, or
 * anything else. See {@link AuthProvider} for what the function returns and throws.
 *
 * @param name What messages call it. Default `custom`.
 *
 * @example
 * custom(async ({ headers }) => {
 *   const session = await findSession(headers.get('cookie'))
 *   return session && { id: session.userId, kind: 'user', role: session.role }
 * })
 */
export function custom(
  authenticate: (
    request: AuthRequest,
  ) => Promise<Principal | null | undefined> | Principal | null | undefined,
  name = 'custom',
): AuthProvider {
  if (typeof authenticate !== 'function') {
    throw new TypeError('custom() takes a function that returns a principal or null.')
  }
  return Object.freeze({
    name,
    authenticate: async (request: AuthRequest) => (await authenticate(request)) ?? null,
  })
}
