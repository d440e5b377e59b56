import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  clientKey,
  clientOf,
  createNetworks,
  isNetwork,
} from '../../../src/shared/networks.ts'

const test = suite('networks')

for (const text of ['loopback', 'private', '10.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8']) {
  test(`${text} is a network`, () => assert.ok(isNetwork(text)))
}
for (const text of [
  ...['', 'localhost', '10.0.0', '10.0.0.0/33', '::/129', '10.0.0.0/8/8', '10.0.0.0/'],
  ...['10.0.0.0/-1', '10.0.0.0/x', '*', 'constructor', '10.0.0.1:80'],
]) {
  test(`${JSON.stringify(text)} is none`, () => assert.not(isNetwork(text)))
}

const isTrusted = createNetworks(['loopback', '10.0.0.0/8', '2001:db8::1'])

test('an address is looked for in each network, in whatever form it comes', () => {
  for (const address of [
    '127.0.0.1',
    '::1',
    '10.9.8.7',
    '::ffff:10.9.8.7',
    '2001:db8::1',
  ]) {
    assert.ok(isTrusted(address), address)
  }
  for (const address of ['11.0.0.1', '2001:db8::2', '::ffff:11.0.0.1', 'x', '']) {
    assert.not(isTrusted(address), address)
  }
})

const from: [
  what: string,
  remote: string,
  header: string | undefined,
  is: string | null,
][] = [
  ['who connects, if that is no proxy', '192.0.2.1', '198.51.100.7', '192.0.2.1'],
  ['who the proxy names', '10.0.0.1', '198.51.100.7', '198.51.100.7'],
  [
    'the last that is no proxy',
    '10.0.0.1',
    '1.1.1.1, 198.51.100.7, 10.0.0.2',
    '198.51.100.7',
  ],
  ['not what a client put in front', '10.0.0.1', '10.0.0.9,  203.0.113.5', '203.0.113.5'],
  ['an address with its port', '10.0.0.1', '198.51.100.7:4711', '198.51.100.7'],
  ['IPv6 in brackets', '10.0.0.1', '[2001:db8:1:2:3::4]:80', '2001:db8:1:2::/64'],
  ['nobody, where only proxies are named', '10.0.0.1', '10.0.0.2', null],
  ['nobody, where no address is named', '10.0.0.1', 'unknown', null],
  ['nobody behind what is no address', '10.0.0.1', '198.51.100.7, unknown', null],
  ['nobody, without the header', '10.0.0.1', undefined, null],
]
for (const [what, remote, header, is] of from) {
  test(`the client is ${what}`, () => assert.is(clientOf(remote, header, isTrusted), is))
}

test('all addresses of one /64 are one client, however they are written', () => {
  const keys = ['2001:db8::1', '2001:DB8:0:0:ffff::', '2001:db8::1%eth0'].map(clientKey)
  assert.is(new Set(keys).size, 1, keys.join())
  assert.is.not(clientKey('2001:db8:0:1::1'), keys[0])
  assert.is(clientKey('::ffff:192.0.2.1'), '192.0.2.1')
})

test.run()
