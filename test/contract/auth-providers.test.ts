/** The auth providers that come with Carcosa, against the contract of all. */
import { createSecretKey } from 'node:crypto'
import { SignJWT } from 'jose'
import { suite } from 'uvu'
import { openSessions } from '../../src/accounts/accounts.ts'
import { apiKeys } from '../../src/auth/api-keys.ts'
import { custom } from '../../src/auth/custom.ts'
import { jwt } from '../../src/auth/jwt.ts'
import { createKeyCheck } from '../../src/auth/key-check.ts'
import { makeToken } from '../../src/auth/key-format.ts'
import type { AuthProvider } from '../../src/auth/principal.ts'
import { session } from '../../src/auth/session.ts'
import { CarcosaError } from '../../src/shared/errors.ts'
import { silentLogger } from '../../src/shared/logger.ts'
import { testAuthProvider } from '../../src/testing.ts'
import { type AccountsServer, type Person, startAccounts } from '../support/accounts.ts'
import { audience, type Issuer, startIssuer } from '../support/issuer.ts'
import { bearer, startServer, type TestServer } from '../support/server.ts'

const bearing = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } })
const user = (id: string) => ({ id, kind: 'user' }) as const

const keys = suite('apiKeys()')
let server: TestServer
keys.before(async () => {
  server = await startServer()
})
keys.after(() => server.close())
testAuthProvider({
  test: keys,
  async create() {
    const { api } = server.carcosa
    const { db, channel } = server.uploads
    const provider = apiKeys().connect?.(
      createKeyCheck({ db, channel, log: silentLogger }),
    )
    if (!provider) throw new TypeError('apiKeys() needs the database')
    const [one, two] = [
      await api.keys.create({ name: '1' }),
      await api.keys.create({ name: '2' }),
    ]
    const revoked = await api.keys.create({ name: '3' })
    await api.keys.revoke(revoked.id)
    const elsewhere = await api.keys.create({
      name: '4',
      allowedAddresses: ['192.0.2.1'],
    })
    const rotated = await api.keys.create({ name: '5' })
    await api.keys.rotate(rotated.id, { overlap: 0 })
    const principalOf = ({ id }: { id: string }) =>
      ({ id, kind: 'api-key', role: 'developer', projectId: 'default' }) as const
    return {
      provider,
      good: [
        { request: bearing(one.token), principal: principalOf(one) },
        { request: { headers: { 'X-Api-Key': two.token } }, principal: principalOf(two) },
      ],
      bad: {
        'made up': bearing(makeToken('live').token),
        'cut off': bearing(one.token.slice(0, -1)),
        revoked: bearing(revoked.token),
        rotated: bearing(rotated.token),
        'from elsewhere': bearing(elsewhere.token),
      },
    }
  },
})
keys.run()

const signedIn = suite('session()')
const secret40 = 's'.repeat(40)
let people: AccountsServer
let folk: Record<'ann' | 'bob' | 'gone' | 'ended', Person>
signedIn.before(async () => {
  people = await startAccounts({ verifyEmail: false }, { secret: secret40 })
  const [ann, bob] = [await people.person('ann'), await people.person('bob')]
  const [gone, ended] = [await people.person('gone'), await people.person('ended')]
  await people.carcosa.api.users.disable(gone.id)
  await people.call('logout', { bearer: ended.token, body: {} })
  folk = { ann, bob, gone, ended }
})
signedIn.after(() => people.close())
testAuthProvider({
  test: signedIn,
  create() {
    const { db, channel } = people.uploads
    const { services } = openSessions({
      ...{ db, channel, log: silentLogger, roles: [], origins: [], basePath: '' },
      ...{ secrets: [secret40], publicUrl: undefined, run: (work) => work() },
      mayUpload: () => true,
      config: { signUp: 'open', sessionLifetime: 60_000, verifyEmail: false },
    })
    const keys = createKeyCheck({ db, channel, log: silentLogger })
    const provider = session().connect?.({ ...keys, sessions: services })
    if (!provider) throw new TypeError('session() needs the accounts')
    const { ann, bob, gone, ended } = folk
    const cookie = (value: string) => ({
      headers: { Host: 'localhost', Cookie: `carcosa_session=${value}` },
    })
    return {
      provider,
      good: [
        { request: bearing(ann.token), principal: user(ann.id) },
        { request: cookie(bob.token), principal: user(bob.id) },
      ],
      bad: {
        changed: bearing(`${ann.token.slice(0, -3)}AAA`),
        'made up': cookie('cs_whatever'),
        'of somebody disabled': bearing(gone.token),
        'of somebody signed out': bearing(ended.token),
      },
    }
  },
})
signedIn.run()

let issuer: Issuer
const tokens = suite('jwt({ jwksUri })')
tokens.before(async () => {
  issuer = await startIssuer('ES256')
})
tokens.after(() => issuer.close())
testAuthProvider({
  test: tokens,
  async create() {
    const { jwksUri, url, token } = issuer
    const good = await token()
    return {
      provider: jwt({ jwksUri, issuer: url, audience }),
      good: [
        { request: bearing(good), principal: user('ann') },
        { request: bearing(await token({ sub: 'bob' })), principal: user('bob') },
      ],
      bad: {
        expired: bearing(await token({ exp: 1_000_000 })),
        'of another issuer': bearing(await token({ iss: 'https://evil.example' })),
        changed: bearing(`${good.slice(0, -4)}AAAA`),
      },
      outage: {
        request: bearing(await token({ sub: 'eve' }, { header: { kid: 'new' } })),
        begin: () => issuer.answer('error'),
        async end() {
          issuer.answer('keys')
          await new Promise((resolve) => setTimeout(resolve, 2_100))
        },
      },
    }
  },
})
tokens.run()

const secret = 'a secret of the application, and of nobody else'
const shared = suite('jwt({ secret })')
testAuthProvider({
  test: shared,
  async create() {
    const make = (sub: string, exp: number | string, key = secret) =>
      new SignJWT({ sub })
        .setProtectedHeader({ alg: 'HS256' })
        .setExpirationTime(exp)
        .sign(createSecretKey(Buffer.from(key)))
    return {
      provider: jwt({ secret, issuer: null, audience: null }),
      good: [
        { request: bearing(await make('ann', '1h')), principal: user('ann') },
        { request: bearing(await make('bob', '1h')), principal: user('bob') },
      ],
      bad: {
        expired: bearing(await make('ann', 1_000_000)),
        'signed by others': bearing(await make('ann', '1h', secret.toUpperCase())),
      },
    }
  },
})
shared.run()

const sessions = custom(({ headers }) => {
  const id = headers.get('x-session')
  if (id === 'ended-some-time-ago') throw new CarcosaError('UNAUTHENTICATED')
  return id === null ? undefined : { id, kind: 'user' }
})
const written: [name: string, provider: AuthProvider, request: (id: string) => object][] =
  [
    ['custom()', sessions, (id) => ({ headers: { 'X-Session': id } })],
    ['the provider of these tests', bearer, bearing],
  ]
for (const [name, provider, request] of written) {
  const test = suite(name)
  const ended = name === 'custom()' ? 'ended-some-time-ago' : 'expired'
  testAuthProvider({
    test,
    create: () => ({
      provider,
      good: [
        { request: request('ann'), principal: user('ann') },
        { request: request('bob'), principal: user('bob') },
      ],
      bad: { ended: request(ended) },
    }),
  })
  test.run()
}
