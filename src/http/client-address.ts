import type { Logger } from '../shared/logger.ts'
import { clientKey } from '../shared/networks.ts'
import type { Incoming } from './incoming.ts'

export type ClientAddress = (
  incoming: Pick<Incoming, 'address' | 'headers'>,
) => string | null

/**
 * Whose requests are counted together: those of an IPv4 address, or of the /64 of an IPv6 address;
 * null where it is not known. The log is told once of a proxy whose clients look like one.
 */
export function createClientAddress(
  trustedProxies: readonly string[],
  log: Logger,
): ClientAddress {
  let told = trustedProxies.length > 0
  return ({ address, headers }) => {
    if (address === null) return null
    if (!told && headers.has('x-forwarded-for')) {
      told = true
      log.warn(
        { proxy: address },
        'a proxy sends X-Forwarded-For, but trustedProxies names none: all of its clients share one rate limit',
      )
    }
    return clientKey(address)
  }
}
