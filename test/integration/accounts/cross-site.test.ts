import assert from 'node:assert/strict'
import { suite } from 'uvu'
import {
  type AccountsServer,
  type Person,
  startAccounts,
} from '../../support/accounts.ts'

const test = suite('cross-site requests (SEC-31, SEC-32)')
const listed = 'https://app.example.com'
let server: AccountsServer
let ann: Person
test.before(async () => {
  server = await startAccounts({}, { cors: { origins: [listed] } })
  await server.carcosa.api.users.createOwner()
  const { login } = await server.carcosa.api.users.create({ email: 'ann@example.com' })
  const body = { token: login.url.split('#')[1] }
  const { user, token } = (await server.call('login-link', { body })).json() as {
    user: Person
    token: string
  }
  ann = { ...user, token }
})
test.after(() => server.close())

const tus = { 'Tus-Resumable': '1.0.0', 'Upload-Length': '3' }
const own = () => `http://127.0.0.1:${server.port}`

/** A creation with the cookie, with these headers besides. */
function creation(headers: Record<string, string>) {
  return server.doors.http({
    method: 'POST',
    path: '/uploads/mine',
    headers: { Cookie: `carcosa_session=${ann.token}`, ...headers },
  })
}

const allowed: [what: string, headers: () => Record<string, string>][] = [
  ['a page of this server', () => ({ ...tus, Origin: own() })],
  [
    'a page of this server that tells no origin',
    () => ({ ...tus, 'Sec-Fetch-Site': 'same-origin' }),
  ],
  ['a page of an origin on the list', () => ({ ...tus, Origin: listed })],
]
for (const [what, headers] of allowed) {
  test(`${what} may use the cookie`, async () => {
    const answer = await creation(headers())
    assert.equal(answer.status, 201, answer.text)
  })
}

const refused: [what: string, headers: () => Record<string, string>][] = [
  ['another site', () => ({ ...tus, Origin: 'https://evil.example' })],
  [
    'a site whose name ends like one on the list',
    () => ({ ...tus, Origin: 'https://evilapp.example.com' }),
  ],
  [
    'a site whose name begins like one on the list',
    () => ({ ...tus, Origin: `${listed}.evil.example` }),
  ],
  ['the listed host without TLS', () => ({ ...tus, Origin: 'http://app.example.com' })],
  ['the listed host on another port', () => ({ ...tus, Origin: `${listed}:8443` })],
  ['a sandboxed frame', () => ({ ...tus, Origin: 'null' })],
  ['this host on another port', () => ({ ...tus, Origin: 'http://127.0.0.1:1' })],
  ['a neighbour on the same site', () => ({ ...tus, 'Sec-Fetch-Site': 'same-site' })],
  ['nobody knows whom', () => tus],
]
for (const [what, headers] of refused) {
  test(`what comes from ${what} is refused with the cookie`, async () => {
    const answer = await creation(headers())
    assert.equal(answer.status, 403, answer.text)
    assert.equal(answer.json().code, 'CROSS_SITE')
  })
}

const simple = ['text/plain', 'multipart/form-data; boundary=x', null]
for (const type of simple) {
  test(`what any page could send is refused with the cookie, even from ours: ${type}`, async () => {
    const answer = await server.doors.http({
      method: 'POST',
      path: '/auth/logout',
      headers: {
        Cookie: `carcosa_session=${ann.token}`,
        Origin: own(),
        'Tus-Resumable': null,
        ...(type && { 'Content-Type': type }),
      },
    })
    assert.equal(answer.json().code, 'CROSS_SITE')
  })
}

test('a bearer token is no cookie: no page can send it by accident', async () => {
  const headers = {
    ...tus,
    Authorization: `Bearer ${ann.token}`,
    Origin: 'https://evil.example',
  }
  const answer = await server.doors.http({
    method: 'POST',
    path: '/uploads/mine',
    headers,
  })
  assert.equal(answer.status, 201, answer.text)
})

test('nobody is signed in, or out, by a page of another site', async () => {
  const body = { email: 'ann@example.com', password: 'whatever it is' }
  const headers = { Origin: 'https://evil.example' }
  const entering = await server.call('login', { body, headers })
  assert.equal(entering.json().code, 'CROSS_SITE')
  const leaving = await server.call('logout', { body: {}, cookie: ann.token, headers })
  assert.equal(leaving.json().code, 'CROSS_SITE')
  assert.equal((await server.call('session', { cookie: ann.token })).status, 200)
})

test('a form is no way to sign in', async () => {
  const answer = await server.doors.http({
    method: 'POST',
    path: '/auth/login',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: own() },
    body: 'email=ann@example.com&password=x',
  })
  assert.equal(answer.status, 415)
})

test('pages on the list may send cookies, others may not even read an answer', async () => {
  for (const path of ['/auth/session', '/files/unknown', '/routes']) {
    const asked = (origin: string) => server.call(path, { headers: { Origin: origin } })
    const good = await asked(listed)
    assert.equal(good.headers['access-control-allow-origin'], listed)
    assert.equal(good.headers['access-control-allow-credentials'], 'true')
    for (const origin of ['https://evil.example', 'null', `${listed}.evil.example`]) {
      const bad = await asked(origin)
      assert.equal(bad.headers['access-control-allow-origin'], undefined, origin)
      assert.equal(bad.headers['access-control-allow-credentials'], undefined, origin)
      assert.match(bad.headers.vary ?? '', /Origin/)
    }
  }
})

test('where every page may ask, none may send cookies', async () => {
  const open = await startAccounts()
  const answer = await open.call('session', { headers: { Origin: listed } })
  assert.equal(answer.headers['access-control-allow-origin'], '*')
  assert.equal(answer.headers['access-control-allow-credentials'], undefined)
  await open.close()
})

test.run()
