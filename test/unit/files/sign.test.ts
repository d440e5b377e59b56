import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createSigner } from '../../../src/files/sign.ts'
import { CarcosaError } from '../../../src/shared/errors.ts'

const test = suite('files/sign')

const secret = 'correct horse battery staple, at least 32'
const other = 'another secret of at least 32 characters'
const fileId = 'file_0123456789abcdef'
const start = Date.parse('2026-01-02T03:04:05.678Z')

const signer = (secrets = [secret], at = start) =>
  createSigner({ secrets, now: () => at })

const refused = (verify: () => unknown): CarcosaError => {
  try {
    verify()
  } catch (error) {
    if (error instanceof CarcosaError) return error
    throw error
  }
  throw new Error('it was accepted')
}

const accepts = (query: string, { method = 'GET', id = fileId, at = start } = {}) =>
  signer([secret], at).verify({ method, fileId: id, query })

test('a signed query is accepted and says what it grants', () => {
  const query = signer().sign({ fileId, expiresIn: '1h', disposition: 'attachment' })
  assert.match(
    query,
    /^disposition=attachment&expires=\d{10}&key=[\w-]{8}&signature=[\w-]{43}$/,
  )
  const grant = accepts(query)
  assert.is(grant.disposition, 'attachment')
  assert.ok(grant.expiresAt.getTime() >= start + 3_600_000)
})

test('a disposition that was not signed is null', () => {
  assert.is(accepts(signer().sign({ fileId, expiresIn: '1h' })).disposition, null)
})

test('the query may come with its question mark or parsed', () => {
  const query = signer().sign({ fileId, expiresIn: '1h' })
  assert.ok(accepts(`?${query}`))
  assert.ok(signer().verify({ method: 'GET', fileId, query: new URLSearchParams(query) }))
})

test('a signature for GET allows HEAD, one for HEAD allows nothing else', () => {
  const get = signer().sign({ fileId, expiresIn: '1h' })
  const head = signer().sign({ fileId, expiresIn: '1h', method: 'HEAD' })
  assert.ok(accepts(get, { method: 'HEAD' }))
  assert.ok(accepts(head, { method: 'HEAD' }))
  assert.is(refused(() => accepts(head)).code, 'SIGNATURE_INVALID')
  for (const method of ['POST', 'PUT', 'DELETE', 'get', '']) {
    assert.is(refused(() => accepts(get, { method })).code, 'SIGNATURE_INVALID')
  }
})

// SEC-30
const good = signer().sign({ fileId, expiresIn: '1h', disposition: 'attachment' })
const part = (name: string) => new URLSearchParams(good).get(name) ?? ''
const signature = part('signature')
const without = (name: string) =>
  good
    .split('&')
    .filter((pair) => !pair.startsWith(`${name}=`))
    .join('&')
const replaced = (name: string, value: string) =>
  good.replace(`${name}=${part(name)}`, `${name}=${value}`)
const flipped = (text: string) =>
  text.startsWith('A') ? `B${text.slice(1)}` : `A${text.slice(1)}`
/** The last character of 43 carries two bits that decode to nothing. */
const sameBytes = () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(signature.slice(-1))
  return signature.slice(0, -1) + alphabet[last ^ 1]
}

const tampered: Record<string, string> = {
  'an empty query': '',
  'no signature': without('signature'),
  'no key': without('key'),
  'no end': without('expires'),
  'no disposition': without('disposition'),
  'another disposition': replaced('disposition', 'inline'),
  'an empty disposition': replaced('disposition', ''),
  'an unknown disposition': replaced('disposition', 'form-data'),
  'a disposition in capitals': replaced('disposition', 'ATTACHMENT'),
  'a later end': replaced('expires', String(Number(part('expires')) + 1)),
  'an earlier end': replaced('expires', String(Number(part('expires')) - 1)),
  'a leading zero': replaced('expires', `0${part('expires')}`),
  'a fraction': replaced('expires', `${part('expires')}.0`),
  'an exponent': replaced('expires', '1e12'),
  'a plus sign': replaced('expires', `%2B${part('expires')}`),
  'another key': replaced('key', flipped(part('key'))),
  'a key of the prototype': replaced('key', 'constructor'),
  'another signature': replaced('signature', flipped(signature)),
  'an empty signature': replaced('signature', ''),
  'a truncated signature': good.slice(0, -1),
  'an extended signature': `${good}A`,
  'a padded signature': `${good}=`,
  'a signature in other case': replaced(
    'signature',
    signature === signature.toLowerCase()
      ? signature.toUpperCase()
      : signature.toLowerCase(),
  ),
  'a signature of the same bytes': replaced('signature', sameBytes()),
  'a signature in hexadecimal': replaced(
    'signature',
    Buffer.from(signature, 'base64url').toString('hex'),
  ),
  'characters beyond ASCII': replaced('signature', `é${signature.slice(1)}`),
  'a second end': `${good}&expires=9999999999`,
  'a second end in front': `expires=9999999999&${good}`,
  'the same end twice': `${good}&expires=${part('expires')}`,
  'a second signature': `${good}&signature=${signature}`,
  'an unknown parameter': `${good}&utm_source=mail`,
  'an unknown parameter in front': `utm_source=mail&${good}`,
  'a trailing ampersand': `${good}&`,
  'another order': good.split('&').reverse().join('&'),
  'another encoding': good.replace('attachment', '%61ttachment'),
  'another encoding of a name': good.replace('key=', '%6Bey='),
  'a name in capitals': good.replace('expires=', 'Expires='),
  'a semicolon as separator': good.replaceAll('&', ';'),
  'two question marks': `??${good}`,
  'a fragment': `${good}#x`,
}

const said = refused(() => accepts('')).toProblem()

for (const [what, query] of Object.entries(tampered)) {
  test(`${what} is refused`, () => {
    assert.is.not(query, good)
    const error = refused(() => accepts(query))
    assert.is(error.status, 403)
    assert.equal(error.toProblem(), said, 'outsiders learn nothing from the answer')
    assert.instance(error.cause, Error)
  })
}

test('the signature of one file does not open another', () => {
  for (const id of ['file_0123456789abcdeF', `${fileId}x`, fileId.slice(1), '']) {
    const error = refused(() => accepts(good, { id }))
    assert.equal(error.toProblem(), said)
  }
})

test('fields cannot flow into each other', () => {
  const query = signer().sign({ fileId: 'x,3:y', expiresIn: '1h' })
  assert.ok(accepts(query, { id: 'x,3:y' }))
  for (const [method, id] of [
    ['GET,x', '3:y'],
    ['GET,x,3', 'y'],
    ['GET,x,3:y', ''],
    ['GET,5:x', '3:y'],
  ]) {
    assert.is(refused(() => accepts(query, { method, id })).code, 'SIGNATURE_INVALID')
  }
  const plain = signer().sign({ fileId: 'x,y', expiresIn: '1h' })
  const error = refused(() => accepts(plain, { method: 'GET,x', id: 'y' }))
  assert.is(error.code, 'SIGNATURE_INVALID')
})

test('it is accepted until its end and refused from then on', () => {
  const { expiresAt } = accepts(good)
  assert.ok(accepts(good, { at: expiresAt.getTime() - 1 }))
  const error = refused(() => accepts(good, { at: expiresAt.getTime() }))
  assert.equal(error.toProblem(), said)
  assert.is((error.cause as Error).message, 'expired')
})

const lifetimes = [
  '1s',
  '3s',
  '10s',
  '1m',
  '5m',
  '1h',
  '1 day',
  '7 days',
  1001,
  86_399_999,
]

for (const expiresIn of lifetimes) {
  test(`a URL for ${expiresIn} lives at least that and at most a quarter longer`, () => {
    const asked = createSigner({ secrets: [secret] })
    assert.ok(asked.sign({ fileId, expiresIn }))
    const lifetime = typeof expiresIn === 'number' ? expiresIn : inMs(expiresIn)
    for (let at = start; at < start + 2 * lifetime; at += lifetime / 37 + 0.5) {
      const { expiresAt } = accepts(signer([secret], at).sign({ fileId, expiresIn }), {
        at,
      })
      const lives = expiresAt.getTime() - at
      assert.ok(lives >= lifetime, `${lives} at ${at}`)
      assert.ok(lives <= lifetime * 1.25 + 2000, `${lives} at ${at}`)
    }
  })
}

test('rendering again within a quarter of the lifetime mostly gives the same URL', () => {
  const urls = new Set<string>()
  for (let minute = 0; minute < 60; minute++) {
    urls.add(signer([secret], start + minute * 60_000).sign({ fileId, expiresIn: '1h' }))
  }
  assert.is(urls.size, 5)
})

test('a new secret signs while the old one still verifies', () => {
  const rotated = signer([other, secret])
  const verify = (by: ReturnType<typeof signer>, query: string) =>
    by.verify({ method: 'GET', fileId, query })
  assert.ok(verify(rotated, good))
  const fresh = rotated.sign({ fileId, expiresIn: '1h' })
  assert.ok(verify(signer([other]), fresh))
  assert.is(refused(() => verify(signer([secret]), fresh)).code, 'SIGNATURE_INVALID')
  assert.is(refused(() => verify(signer([other]), good)).code, 'SIGNATURE_INVALID')
})

test('a key of one secret does not carry the signature of another', () => {
  const both = signer([secret, other])
  const key = new URLSearchParams(signer([other]).sign({ fileId, expiresIn: '1h' })).get(
    'key',
  )
  const query = replaced('key', key ?? '')
  assert.is(
    refused(() => both.verify({ method: 'GET', fileId, query })).code,
    'SIGNATURE_INVALID',
  )
})

test('nothing of the secret shows in the query', () => {
  assert.not(good.includes(secret.slice(0, 4)))
  assert.not(part('key') === Buffer.from(secret).toString('base64url').slice(0, 8))
})

const badLifetimes = [0, 999, -1, Number.NaN, Infinity, '60', '8 days', '', 604_800_001]

for (const expiresIn of badLifetimes) {
  test(`a lifetime of ${JSON.stringify(expiresIn)} is a TypeError`, () => {
    assert.throws(
      () => signer().sign({ fileId, expiresIn }),
      (error: unknown) => error instanceof TypeError,
    )
  })
}

test('the longest lifetime can be configured', () => {
  const strict = createSigner({ secrets: [secret], maxAge: '10m' })
  assert.ok(strict.sign({ fileId, expiresIn: '10m' }))
  assert.throws(() => strict.sign({ fileId, expiresIn: '11m' }), /between 1 second/)
})

for (const secrets of [[], [''], ['short'], [secret, 'short']]) {
  test(`${JSON.stringify(secrets)} as secrets is CONFIG_INVALID`, () => {
    const error = refused(() => createSigner({ secrets }))
    assert.is(error.code, 'CONFIG_INVALID')
  })
}

function inMs(text: string): number {
  const units: Record<string, number> = {
    s: 1,
    m: 60,
    h: 3600,
    day: 86_400,
    days: 86_400,
  }
  const [, count, unit] = /^(\d+) ?(\w+)$/.exec(text) ?? []
  return Number(count) * (units[unit ?? ''] ?? Number.NaN) * 1000
}

test.run()
