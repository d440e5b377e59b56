import { checkPrincipal } from '../auth/check-principal.ts'
import type { AuthProvider, Principal } from '../auth/principal.ts'
import { CarcosaError } from '../shared/errors.ts'
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

/**
 * For who comes with a ticket alone, which was given to the principal with this id.
 *
 * @throws {CarcosaError} UNAUTHENTICATED if a provider has shut them out since
 */
export async function assertNotShutOut(
  providers: readonly AuthProvider[],
  principalId: string,
): Promise<void> {
  for (const provider of providers) {
    if (!(await provider.isShutOut?.(principalId))) continue
    throw new CarcosaError('UNAUTHENTICATED', {
      message: 'Who this ticket was given to may do nothing here any more.',
    })
  }
}
