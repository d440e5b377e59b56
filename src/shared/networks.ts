import { BlockList, isIP, isIPv4 } from 'node:net'

/** Names for networks that everybody has. */
const named: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: [
    ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'],
    ...['fc00::/7', 'fe80::/10'],
  ],
}

/** Whether `text` is an address, a network such as `10.0.0.0/8`, `loopback` or `private`. */
export function isNetwork(text: string): boolean {
  if (Object.hasOwn(named, text)) return true
  const [address = '', prefix, ...rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  if (prefix === undefined) return true
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128)
}

/** Whether an address lies in one of `networks`, each of which {@link isNetwork} admits. */
export function createNetworks(
  networks: readonly string[],
): (address: string) => boolean {
  const list = new BlockList()
  for (const network of networks.flatMap((one) => named[one] ?? [one])) {
    const [address = '', prefix] = network.split('/')
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return (address) => {
    const plain = plainAddress(address)
    return isIP(plain) !== 0 && list.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6')
  }
}

/** {@link clientKey} of {@link addressOf}. */
export function clientOf(
  remote: string,
  forwardedFor: string | undefined,
  isTrusted: (address: string) => boolean,
): string | null {
  const address = addressOf(remote, forwardedFor, isTrusted)
  return address === null ? null : clientKey(address)
}

/**
 * Where a request comes from: the address of the connection, or, as long as that is a trusted
 * proxy's, the one it names in `X-Forwarded-For`, read from the right, where proxies append.
 * `null` where trusted proxies name nobody.
 */
export function addressOf(
  remote: string,
  forwardedFor: string | undefined,
  isTrusted: (address: string) => boolean,
): string | null {
  const named = (forwardedFor ?? '').split(',').map((part) => plainAddress(part.trim()))
  for (const address of [remote, ...named.reverse()]) {
    // What is no address was made up, or says nothing.
    if (isIP(plainAddress(address)) === 0) return null
    if (!isTrusted(address)) return address
  }
  return null
}

/** One client: an IPv4 address, or the /64 of an IPv6 address, of which a customer has them all. */
export function clientKey(address: string): string {
  const plain = plainAddress(address)
  if (isIP(plain) !== 6) return plain
  return `${groupsOf(plain).slice(0, 4).join(':')}::/64`
}

/** Without what others add: brackets, a port, a zone, the IPv6 form of an IPv4 address. */
function plainAddress(address: string): string {
  if (isIP(address) === 4) return address
  const [, bracketed] = /^\[([^\]]+)\](?::\d+)?$/.exec(address) ?? []
  const [, withPort] = /^(\d+(?:\.\d+){3}):\d+$/.exec(address) ?? []
  const bare = (bracketed ?? withPort ?? address).replace(/%.*$/, '')
  const [, mapped] = /^::ffff:(\d+(?:\.\d+){3})$/i.exec(bare) ?? []
  return mapped ?? bare
}

/** The eight groups of an IPv6 address, without leading zeros. */
function groupsOf(address: string): string[] {
  // URL writes an address in its one canonical form.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [before = '', after] = canonical.split('::')
  const left = before ? before.split(':') : []
  const right = after ? after.split(':') : []
  const missing = after === undefined ? 0 : 8 - left.length - right.length
  return [...left, ...new Array<string>(missing).fill('0'), ...right]
}
