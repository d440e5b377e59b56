import { checkPrincipal } from '../auth/check-principal.ts'
import type { AuthProvider, Principal } from '../auth/principal.ts'
import type { Incoming } from './incoming.ts'

/**
 * Who sent a request, as the first provider says that knows.
 *
 * @throws {CarcosaError} what a provider says of a credential that is wrong
 */
export async function authenticate(
  providers: readonly AuthProvider[],
  {
    method,
    path,
    search,
    headers,
    address,
  }: Pick<Incoming, 'method' | 'path' | 'search' | 'headers' | 'address'>,
): Promise<Principal | null> {
  const request = { method, url: path + search, headers, address }
  for (const provider of providers) {
    const principal = await provider.authenticate(request)
    if (principal) return checkPrincipal(principal, provider.name)
  }
  return null
}
