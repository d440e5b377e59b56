import { CarcosaError } from '../shared/errors.ts'
import type { AuthProvider } from './principal.ts'

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
