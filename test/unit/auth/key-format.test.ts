import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  hashOf,
  looksLikeKey,
  makeToken,
  prefixOf,
} from '../../../src/auth/key-format.ts'

const test = suite('the form of API keys')

test('a key says what it is, carries a checksum, and is never made twice', () => {
  const tokens = new Set<string>()
  for (let i = 0; i < 2_000; i++) {
    const { token, prefix, hash } = makeToken(i % 2 ? 'live' : 'test')
    assert.match(token, /^ck_(live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}$/)
    assert.is(prefixOf(token), prefix)
    assert.is(hash, hashOf(token).toString('hex'))
    assert.ok(looksLikeKey(token))
    tokens.add(token)
  }
  assert.is(tokens.size, 2_000)
})

test('a checksum can be computed by anybody who knows the rule', () => {
  // CRC-32 of the text before it, in base 62 (0-9A-Za-z), padded to 6: so scanners verify offline.
  const body = 'ck_live_AAAAAAAAAAAA_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB'
  assert.is(prefixOf(`${body}3gDXG7`), 'AAAAAAAAAAAA')
})

test('one wrong, missing or additional character makes it no key', () => {
  const { token } = makeToken('live')
  for (let i = 8; i < token.length; i++) {
    const other = token[i] === 'x' ? 'y' : 'x'
    assert.is(prefixOf(token.slice(0, i) + other + token.slice(i + 1)), null, `at ${i}`)
    assert.is(prefixOf(token.slice(0, i)), null)
  }
  for (const text of [`${token}0`, ` ${token}`, `${token}\n`, token.toUpperCase(), '']) {
    assert.is(prefixOf(text), null)
  }
  assert.is(prefixOf(token.replace('live', 'test')), null)
})

test.run()
