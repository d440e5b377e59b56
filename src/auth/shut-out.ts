import { CarcosaError } from '../shared/errors.ts'
import type { AuthProvider, TicketPlace } from './principal.ts'

/** Whether a provider has shut the principal with this id out. */
export async function isShutOut(
  providers: readonly AuthProvider[],
  principalId: string,
  where?: TicketPlace,
): Promise<boolean> {
  for (const provider of providers) {
    if (await provider.isShutOut?.(principalId, where)) return true
  }
  return false
}

/**
 * For who comes with a ticket alone, which was given to the principal with this id.
 *
 * @throws {CarcosaError} UNAUTHENTICATED if a provider has shut them out since
 */
export async function assertNotShutOut(
  providers: readonly AuthProvider[],
  principalId: string,
  where: TicketPlace,
): Promise<void> {
  if (!(await isShutOut(providers, principalId, where))) return
  throw new CarcosaError('UNAUTHENTICATED', {
    message: 'Who this ticket was given to may do nothing here any more.',
  })
}
