/** JSON Web Tokens through the front door: row SEC-28. */
import { createHmac, createSecretKey } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { exportJWK, type JWTPayload, SignJWT } from 'jose'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { jwt } from '../../../src/auth/jwt.ts'
import type { JwtOptions } from '../../../src/auth/jwt-options.ts'
import type { AuthProvider } from '../../../src/auth/principal.ts'
import { audience, type Issuer, pairOf, startIssuer } from '../../support/issuer.ts'
import { created, offsetOf, patch } from '../../support/records.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const secret = 'a secret of the application, and of nobody else'
let issuer: Issuer
let server: TestServer
/** Behind the one provider of the server, so that one server serves all of these tests. */
let provider: AuthProvider

const test = suite('JWT')
test.before(async () => {
  issuer = await startIssuer()
  const auth: AuthProvider = {
    name: 'changing',
    authenticate: (request) => provider.authenticate(request),
  }
  // More wrong tokens in a second than any client may send.
  server = await startServer({ auth: [auth], rateLimits: { auth: false } })
})
test.before.each(() => {
  issuer.answer('keys')
  provider = remote()
})
test.after(async () => {
  await server.close()
  await issuer.close()
})

const remote = (more: Partial<JwtOptions> = {}) =>
  jwt({ jwksUri: issuer.jwksUri, issuer: issuer.url, audience, ...more })
const bySecret = (more: Partial<JwtOptions> = {}) =>
  jwt({ secret, issuer: null, audience: null, ...more })

async function post(token: string, route = 'mine') {
  const answer = await server.doors.http({
    method: 'POST',
    path: `/uploads/${route}`,
    headers: { 'Upload-Length': '5', Authorization: `Bearer ${token}` },
  })
  const { code, details } = (answer.text ? answer.json() : {}) as {
    code?: string
    details?: { reason?: string }
  }
  return { ...answer, code, reason: details?.reason }
}

async function requireRefused(token: string, reason = 'invalid', what = '') {
  const answer = await post(token)
  assert.is(answer.status, 401, `${what} ${answer.status}: ${answer.text}`)
  assert.is(answer.code, 'UNAUTHENTICATED')
  assert.is(answer.reason, reason, what)
  // A route that is open to all is no way around it.
  assert.is((await post(token, 'demo')).status, 401, what)
}

const hs = (claims: JWTPayload, key: string | Buffer = secret) =>
  new SignJWT({ sub: 'ann', exp: Math.floor(Date.now() / 1000) + 60, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(createSecretKey(Buffer.from(key)))

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString(
    'base64url',
  )

test('a token of the issuer uploads, and who it names owns the file', async () => {
  const token = await issuer.token({ email: 'ann@example.com' })
  const headers = { Authorization: `Bearer ${token}` }
  const url = await created(server.doors.http, { route: 'mine', bytes: 'hello', headers })
  assert.is((await server.row(url)).ownerId, 'ann')
  const other = { Authorization: `Bearer ${await issuer.token({ sub: 'bob' })}` }
  const foreign = await server.doors.http({ method: 'GET', path: url, headers: other })
  assert.is(foreign.status, 404)
})

test('the keys are fetched once for many tokens', async () => {
  const before = issuer.fetched()
  for (let i = 0; i < 10; i++) {
    assert.is((await post(await issuer.token({ sub: `user-${i}` }))).status, 201)
  }
  assert.is(issuer.fetched(), before + 1)
})

test('SEC-28: alg none is refused, however it is written', async () => {
  const payload = { sub: 'ann', iss: issuer.url, aud: audience, exp: 9_999_999_999 }
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, 0, ['RS256']]) {
    const unsigned = `${encode({ alg, typ: 'JWT' })}.${encode(payload)}.`
    for (const one of [remote(), bySecret()]) {
      provider = one
      await requireRefused(unsigned, 'invalid', String(alg))
      await requireRefused(`${unsigned}x`, 'invalid', String(alg))
    }
  }
})

test('SEC-28: a public key is no secret: HS256 made with it is refused', async () => {
  const pem = issuer.publicKey().export({ type: 'spki', format: 'pem' }).toString()
  const jwk = JSON.stringify(await exportJWK(issuer.publicKey()))
  const confused = [pem, pem.trim(), `\n${pem}`, `# key\n${pem}`, jwk]
  const claims = encode({
    sub: 'ann',
    iss: issuer.url,
    aud: audience,
    exp: 9_999_999_999,
  })
  const kid = JSON.parse(atob((await issuer.token()).split('.')[0] ?? '')).kid
  for (const one of [remote(), jwt({ key: pem, issuer: issuer.url, audience })]) {
    provider = one
    for (const key of confused) {
      const signed = `${encode({ alg: 'HS256', kid })}.${claims}`
      const mac = createHmac('sha256', key).update(signed).digest('base64url')
      await requireRefused(`${signed}.${mac}`)
    }
  }
})

test('SEC-28: a token that another key signed is refused, with our kid or its own', async () => {
  const other = pairOf('RS256')
  await requireRefused(await issuer.token({}, { key: other.privateKey }))
  await requireRefused(
    await issuer.token({}, { key: other.privateKey, header: { kid: other.kid } }),
  )
})

test('SEC-28: a header leads nowhere: jku, x5u and jwk are not looked at, kid is only compared', async () => {
  const thief = await startIssuer()
  const { privateKey, publicKey } = pairOf('RS256')
  const headers: Record<string, unknown>[] = [
    { jku: thief.jwksUri },
    { x5u: thief.jwksUri },
    { jwk: await exportJWK(publicKey) },
    { kid: thief.jwksUri },
    { kid: '../../../../dev/null' },
    { kid: `x' UNION SELECT 'a` },
    { kid: 'x'.repeat(2_000) },
    { kid: '__proto__' },
    { kid: '' },
    { crit: ['exp'], exp: 1 },
    { b64: false, crit: ['b64'] },
  ]
  try {
    for (const header of headers) {
      const token = await issuer
        .token({}, { key: privateKey, header })
        .catch(() => `${encode({ alg: 'RS256', ...header })}.e30.AAAA`)
      await requireRefused(token, 'invalid', JSON.stringify(header).slice(0, 60))
    }
    assert.is(thief.fetched(), 0)
  } finally {
    await thief.close()
  }
})

const soon = () => Math.floor(Date.now() / 1000)
const wrongClaims: [what: string, claims: () => JWTPayload, reason?: string][] = [
  ['expired', () => ({ exp: soon() - 10 }), 'expired'],
  ['without an end', () => ({ exp: undefined })],
  ['not yet valid', () => ({ nbf: soon() + 60 })],
  ['of another issuer', () => ({ iss: 'https://evil.example' })],
  ['of an issuer that begins the same', () => ({ iss: `${issuer.url}.evil.example` })],
  ['of nobody', () => ({ iss: undefined })],
  ['for another application', () => ({ aud: 'payments' })],
  ['for no application', () => ({ aud: undefined })],
  ['for others, in a list', () => ({ aud: ['payments', 'mail'] })],
  ['whose end is text', () => ({ exp: '9999999999' as unknown as number })],
  ['without a subject', () => ({ sub: undefined })],
  ['with an empty subject', () => ({ sub: '' })],
  ['with a subject that is no text', () => ({ sub: { $ne: 1 } as unknown as string })],
  ['with a subject that the database cannot keep', () => ({ sub: 'a\0b' }), 'none'],
  ['with a subject that is endless', () => ({ sub: 'x'.repeat(300) }), 'none'],
  ['in the name of an API key', () => ({ sub: `key_${'A'.repeat(24)}` }), 'none'],
]
for (const [what, claims, reason = 'invalid'] of wrongClaims) {
  test(`SEC-28: a token ${what} is refused`, async () => {
    const token = await issuer.token(claims())
    if (reason !== 'none') return requireRefused(token, reason)
    assert.is((await post(token)).status, 401)
  })
}

test('for several audiences and issuers one has to fit', async () => {
  provider = remote({ audience: ['web', audience], issuer: ['https://x', issuer.url] })
  assert.is((await post(await issuer.token({ aud: ['other', audience] }))).status, 201)
  await requireRefused(await issuer.token({ aud: 'other' }))
})

test('clocks may differ by as much as is said', async () => {
  provider = remote({ clockTolerance: '1 minute' })
  assert.is((await post(await issuer.token({ exp: soon() - 30 }))).status, 201)
  provider = remote({ clockTolerance: 0 })
  await requireRefused(await issuer.token({ exp: soon() - 1 }), 'expired')
})

test('SEC-28: a token ends when it says, also one that was just used', async () => {
  provider = remote({ clockTolerance: 0 })
  const token = await issuer.token({ exp: soon() + 2 })
  const headers = { Authorization: `Bearer ${token}` }
  const url = await created(server.doors.http, { route: 'mine', bytes: 'hello', headers })
  await sleep(2_100)
  const more = await patch(server.doors.http, url, { offset: 5, body: 'world', headers })
  assert.is(more.status, 401)
  assert.is((await server.row(url)).offset, 5)
  const renewed = { Authorization: `Bearer ${await issuer.token()}` }
  assert.is(await offsetOf(server.doors.http, url, renewed), 5)
})

test('SEC-28: a key that says the same twice is refused: parsers disagree on which one counts', async () => {
  provider = bySecret()
  const header = encode({ alg: 'HS256' })
  const bodies = [
    '{"sub":"bob","sub":"ann","exp":9999999999}',
    '{"exp":9999999999,"sub":"ann","ex\\u0070":1}',
    '{"sub":"ann","exp":9999999999,"a":{"b":1,"b":2}}',
  ]
  for (const body of bodies) {
    const signed = `${header}.${encode(body)}`
    const mac = createHmac('sha256', secret).update(signed).digest('base64url')
    await requireRefused(`${signed}.${mac}`, 'invalid', body)
  }
  const fine =
    '{"a":{"sub":1},"b":[{"sub":1},{"sub":2}],"c":"\\"sub\\":","sub":"ann","exp":9999999999}'
  const signed = `${header}.${encode(fine)}`
  const mac = createHmac('sha256', secret).update(signed).digest('base64url')
  assert.is((await post(`${signed}.${mac}`)).status, 201)
})

test('a token that is too long is refused before it is looked at', async () => {
  await requireRefused(await issuer.token({ more: 'x'.repeat(7_000) }))
})

test('what is no token is left to others', async () => {
  for (const text of ['opaque', 'a.b', 'a.b.c.d.e', 'ck_live_x', 'ä.b.c']) {
    const headers = new Headers({ Authorization: `Bearer ${encodeURI(text)}` })
    assert.is(
      await provider.authenticate({ method: 'GET', url: '/', headers }),
      null,
      text,
    )
  }
  assert.is((await post('opaque', 'demo')).status, 201)
  await requireRefused('a.b.c')
})

test('a new key is found when a token names it, and strangers cannot make us ask', async () => {
  const rotating = await startIssuer('ES256')
  try {
    provider = jwt({ jwksUri: rotating.jwksUri, issuer: rotating.url, audience })
    assert.is((await post(await rotating.token())).status, 201)
    const { privateKey } = pairOf('ES256')
    for (let i = 0; i < 20; i++) {
      const made = { key: privateKey, header: { kid: `made-up-${i}` } }
      await requireRefused(await rotating.token({}, made))
    }
    assert.is(rotating.fetched(), 1, 'the keys are fresh enough')
  } finally {
    await rotating.close()
  }
})

for (const trouble of ['error', 'nonsense'] as const) {
  test(`an issuer that answers with ${trouble} is no reason to refuse a token for good`, async () => {
    const token = await issuer.token()
    issuer.answer(trouble)
    const before = issuer.fetched()
    for (let i = 0; i < 5; i++) {
      const answer = await post(token)
      assert.is(answer.status, 503, answer.text)
      assert.is(answer.code, 'AUTH_UNAVAILABLE')
      assert.match(answer.headers['retry-after'] ?? '', /^\d+$/)
    }
    assert.is(issuer.fetched(), before + 1, 'it is not asked again at once')
    issuer.answer('keys')
    await sleep(2_100)
    assert.is((await post(token)).status, 201)
  })
}

test('an issuer that is gone costs a client nothing but time: HEAD is 423', async () => {
  const headers = { Authorization: `Bearer ${await issuer.token()}` }
  const url = await created(server.doors.http, { route: 'mine', headers })
  provider = jwt({ jwksUri: 'http://127.0.0.1:9/', issuer: issuer.url, audience })
  const head = await server.doors.http({ method: 'HEAD', path: url, headers })
  assert.is(head.status, 423)
  assert.ok(head.headers['retry-after'])
})

test('a secret shared with the issuer', async () => {
  provider = bySecret()
  assert.is((await post(await hs({}))).status, 201)
  await requireRefused(await hs({}, 'another secret, which is as long as the first'))
  await requireRefused(await issuer.token())
})

test('a public key as PEM, JWK and KeyObject; a private one by mistake', async () => {
  const { publicKey, privateKey } = pairOf('ES256')
  const spki = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const token = await issuer.token({}, { key: privateKey, header: { alg: 'ES256' } })
  for (const key of [
    spki,
    pkcs8,
    publicKey,
    privateKey,
    publicKey.export({ format: 'jwk' }),
  ]) {
    provider = jwt({ key, issuer: issuer.url, audience })
    assert.is((await post(token)).status, 201)
    await requireRefused(await issuer.token())
  }
})

test('the application makes the principal of the claims, each time', async () => {
  let role = 'user'
  provider = remote({
    principal: ({ sub = '', tenant }) =>
      tenant === 'ours' ? { id: `ours:${sub}`, kind: 'user', role } : null,
  })
  await requireRefused(await issuer.token({ tenant: 'theirs' }))
  const headers = { Authorization: `Bearer ${await issuer.token({ tenant: 'ours' })}` }
  const url = await created(server.doors.http, { route: 'mine', bytes: 'hello', headers })
  assert.is((await server.row(url)).ownerId, 'ours:ann')
  role = 'viewer'
  const more = await patch(server.doors.http, url, { offset: 5, body: 'world', headers })
  assert.is(more.status, 403, 'demoted while it was under way')
  assert.is((await server.row(url)).offset, 5)
})

test('claims are shared between requests, so nobody can change them', async () => {
  const token = await issuer.token({ roles: ['a'], __proto__: { polluted: true } })
  const headers = new Headers({ Authorization: `Bearer ${token}` })
  const found = await provider.authenticate({ method: 'GET', url: '/', headers })
  const claims = found?.claims as { roles: string[] }
  assert.throws(() => claims.roles.push('admin'))
  assert.is(({} as { polluted?: boolean }).polluted, undefined)
})

test('a token somewhere else, such as in a cookie', async () => {
  provider = bySecret({
    token: ({ headers }) =>
      /(?:^|; )session=([^;]+)/.exec(headers.get('cookie') ?? '')?.[1] ?? null,
  })
  const answer = await server.doors.http({
    method: 'POST',
    path: '/uploads/mine',
    headers: { 'Upload-Length': '5', Cookie: `a=b; session=${await hs({})}` },
  })
  assert.is(answer.status, 201)
})

const wrongOptions: [what: string, options: Record<string, unknown>, says: string][] = [
  ['no key', { issuer: 'a', audience: 'b' }, 'exactly one of'],
  [
    'two keys',
    { secret, jwksUri: 'https://a', issuer: 'a', audience: 'b' },
    'exactly one of',
  ],
  ['a short secret', { secret: 'short', issuer: 'a', audience: 'b' }, '32 bytes'],
  [
    'a file for keys',
    { jwksUri: 'file:///etc/keys', issuer: 'a', audience: 'b' },
    'https',
  ],
  ['no issuer', { secret, audience: 'b' }, 'issuer'],
  ['no audience', { secret, issuer: 'a' }, 'audience'],
  ['an empty audience', { secret, issuer: 'a', audience: [] }, 'audience'],
  [
    'RS256 with a secret',
    { secret, issuer: 'a', audience: 'b', algorithms: ['RS256'] },
    'HS256',
  ],
  [
    'HS256 with keys',
    { jwksUri: 'https://a', issuer: 'a', audience: 'b', algorithms: ['HS256'] },
    'RS256',
  ],
  ['none', { secret, issuer: 'a', audience: 'b', algorithms: ['none'] }, 'HS256'],
  ['no algorithm', { secret, issuer: 'a', audience: 'b', algorithms: [] }, 'HS256'],
  ['a key that is none', { key: 'x', issuer: 'a', audience: 'b' }, 'PEM'],
]
for (const [what, options, says] of wrongOptions) {
  test(`jwt() with ${what} is a mistake of the program`, () => {
    // What a program without types can write.
    assert.throws(
      () => jwt(options as unknown as JwtOptions),
      (error: Error) => {
        assert.instance(error, TypeError)
        assert.match(error.message, says)
        return true
      },
    )
  })
}

test.run()
