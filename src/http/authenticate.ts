import type { AuthProvider, Principal } from '../auth/principal.ts'
import type { Incoming } from './incoming.ts'

/** Who asks: the first provider that knows. @throws what a provider throws */
export async function authenticate(
  providers: readonly AuthProvider[],
  {
    method,
    path,
    search,
    headers,
  }: Pick<Incoming, 'method' | 'path' | 'search' | 'headers'>,
): Promise<Principal | null> {
  const request = { method, url: path + search, headers }
  for (const provider of providers) {
    const principal = await provider.authenticate(request)
    if (principal) return principal
  }
  return null
}
