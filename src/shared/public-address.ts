import { BlockList, isIP, isIPv4 } from 'node:net'

/** What of IPv4 is not the public internet: the special-purpose registry of IANA. */
const special4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16'],
  ...['172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24'],
  ...['192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4'],
]

/** Of IPv6 only what is handed out at all, without what carries an IPv4 address or is no host. */
const global6 = ['2000::/3']
const special6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

/**
 * Whether an address is one of the public internet. What carries an IPv4 address within an IPv6
 * one (mapped, NAT64, 6to4, Teredo) is not: which of them are routed where depends on the network.
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !ipv4.check(address, 'ipv4')
  if (isIP(address) !== 6 || address.includes('%')) return false
  return ipv6.check(address, 'ipv6') && !without6.check(address, 'ipv6')
}

const ipv4 = listOf(special4)
const ipv6 = listOf(global6)
const without6 = listOf(special6)

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    list.addSubnet(address, Number(prefix), isIPv4(address) ? 'ipv4' : 'ipv6')
  }
  return list
}
