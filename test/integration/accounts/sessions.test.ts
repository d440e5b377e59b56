import assert from 'node:assert/strict'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { suite } from 'uvu'
import { jwt } from '../../../src/auth/jwt.ts'
import { createCarcosa } from '../../../src/carcosa.ts'
import { type AccountsServer, password, startAccounts } from '../../support/accounts.ts'
import { testRouter } from '../../support/server.ts'

const test = suite('sessions')
let server: AccountsServer
test.before(async () => {
  server = await startAccounts()
  await server.carcosa.api.users.createOwner()
})
test.after(() => server.close())

interface Listed {
  sessions: { id: string; current: boolean; userAgent: string | null }[]
}

test('a person lists their sessions without credentials in them, and ends one', async () => {
  const { call } = server
  const ann = await server.person('ann')
  const body = { email: ann.email, password }
  const headers = { 'User-Agent': 'the phone' }
  const phone = String((await call('login', { body, headers })).json().token)

  const listed = await call('sessions', { cookie: ann.token })
  const { sessions } = listed.json() as unknown as Listed
  assert.equal(sessions.length, 2)
  assert.deepEqual(
    sessions.map(({ current }) => current),
    [false, true],
  )
  assert.equal(sessions[0]?.userAgent, 'the phone')
  const [, random = ''] = /^cs_([^.]+)/.exec(phone) ?? []
  assert.ok(!listed.text.includes(random))

  assert.equal((await call('session', { bearer: phone })).status, 200)
  const path = `sessions/${sessions[0]?.id}`
  const ended = await call(path, { method: 'DELETE', cookie: ann.token })
  assert.equal(ended.status, 200, ended.text)
  assert.equal((await call('session', { bearer: phone })).status, 401)
  assert.equal((await call('session', { cookie: ann.token })).status, 200)
})

test('a session that is not there cannot be ended', async () => {
  const ann = await server.person('nan')
  const path = 'sessions/AAAAAAAAAAAAAAAAAAAAAAAA'
  const answer = await server.call(path, { method: 'DELETE', cookie: ann.token })
  assert.equal(answer.status, 404)
  assert.equal(answer.json().code, 'SESSION_NOT_FOUND')
})

test('an operator is told that an address has an account', async () => {
  const { users } = server.carcosa.api
  await users.create({ email: 'twice@example.com' })
  await assert.rejects(users.create({ email: 'Twice@example.com' }), {
    code: 'EMAIL_TAKEN',
  })
})

test('a session that is over is refused, and forgotten when somebody signs in', async () => {
  const { db } = server.uploads
  const old = await server.person('old')
  await db.executeSql(
    `UPDATE carcosa.user_session SET expires_at = now() - interval '1 s' WHERE user_id = '${old.id}'`,
  )
  assert.equal((await server.call('session', { bearer: old.token })).status, 401)
  await server.call('login', { body: { email: old.email, password } })
  for (const until = Date.now() + 5_000; ; ) {
    const { rows } = await db.executeSql(
      'SELECT id FROM carcosa.user_session WHERE expires_at < now()',
    )
    if (rows.length === 0) break
    assert.ok(Date.now() < until, 'it is still there')
  }
})

test('the sessions of others are as unknown as those that never were', async () => {
  const bob = await server.person('bob')
  const eve = await server.person('eve')
  const { sessions } = (
    await server.call('sessions', { bearer: bob.token })
  ).json() as unknown as Listed
  const answers = await Promise.all(
    [sessions[0]?.id, `ses_${'x'.repeat(24)}`, 'what'].map((id) =>
      server.call(`sessions/${id}`, { method: 'DELETE', bearer: eve.token }),
    ),
  )
  const said = answers.map(({ status, text }) => [
    status,
    text.replace(/"requestId":"[^"]*"/, ''),
  ])
  assert.equal(said[0]?.[0], 404)
  assert.deepEqual(said[1], said[0])
  assert.deepEqual(said[2], said[0])
  assert.equal((await server.call('session', { bearer: bob.token })).status, 200)
})

test('an operator ends sessions, disables, and lets in again', async () => {
  const { users } = server.carcosa.api
  const dan = await server.person('dan')
  const start = await server.doors.http(creation(dan.token))
  assert.equal(start.status, 403, 'who is in no organization has no project')

  assert.equal(await users.revokeSessions(dan.email), 1)
  assert.equal((await server.call('session', { bearer: dan.token })).status, 401)

  await users.disable(dan.id)
  const body = { email: dan.email, password }
  const refused = await server.call('login', { body })
  assert.equal(refused.json().code, 'USER_DISABLED')
  const wrong = await server.call('login', { body: { ...body, password: 'not it' } })
  assert.equal(wrong.json().code, 'INVALID_CREDENTIALS')

  await users.enable(dan.id)
  assert.equal((await server.call('login', { body })).status, 200)
})

test('disabling a user ends the upload they began with its next request', async () => {
  const { users } = server.carcosa.api
  const { user, login } = await users.create({ email: 'uma@example.com' })
  const entered = await server.call('login-link', { body: { token: tokenIn(login.url) } })
  const token = String(entered.json().token)
  const upload = await server.doors.http(creation(token))
  assert.equal(upload.status, 201, upload.text)
  const ticketed = await server.call('/uploads/mine/prepare', {
    bearer: token,
    body: { files: [{ name: 'a', size: 3, type: 'text/plain' }] },
  })
  const [{ ticket }] = ticketed.json().files as [{ ticket: string }]

  await users.disable(user.id)
  const path = new URL(upload.headers.location ?? '', 'http://x').pathname
  const sent = { 'Tus-Resumable': '1.0.0', Authorization: `Bearer ${token}` }
  const head = await server.doors.http({ method: 'HEAD', path, headers: sent })
  assert.equal(head.status, 401)
  const byTicket = await server.doors.http({
    method: 'POST',
    path: '/uploads/mine',
    headers: { 'Tus-Resumable': '1.0.0', 'Upload-Length': '3', 'Upload-Ticket': ticket },
  })
  assert.equal(byTicket.status, 401, byTicket.text)
})

test('a JWT of a session verifies with jwt({ jwksUri }), and says who and where', async () => {
  const { users } = server.carcosa.api
  const { user, login } = await users.create({ email: 'joe@example.com', role: 'viewer' })
  const entered = await server.call('login-link', { body: { token: tokenIn(login.url) } })
  const { token } = (
    await server.call('token', { bearer: String(entered.json().token) })
  ).json() as { token: string }
  const jwksUri = `http://127.0.0.1:${server.port}/auth/jwks`
  const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(jwksUri)))
  assert.equal(payload.sub, user.id)
  assert.equal(payload.projectId, 'default')
  assert.equal(payload.role, 'viewer')

  const provider = jwt({ jwksUri, issuer: 'carcosa', audience: 'carcosa' })
  const headers = new Headers({ Authorization: `Bearer ${token}` })
  const principal = await provider.authenticate({ method: 'GET', url: '/', headers })
  assert.equal(principal?.id, user.id)
})

test('after a change of secret those signed with the old one work, and with none of both do not', async () => {
  const [one, two, three] = ['a', 'b', 'c'].map((letter) => letter.repeat(40)) as [
    string,
    string,
    string,
  ]
  const before = await startAccounts({}, { secret: one })
  const kim = await before.person('kim')
  const { url } = await jwtOf(before, kim.token)
  const after = async (secret: string[]) => {
    const carcosa = await createCarcosa({
      router: testRouter,
      auth: [],
      accounts: { signUp: 'open', mailer: () => undefined },
      database: url,
      dataDir: before.dataDir,
      worker: false,
      secret,
    })
    const asked = (path: string) =>
      carcosa.fetch(
        new Request(`http://localhost${path}`, {
          headers: { Authorization: `Bearer ${kim.token}` },
        }),
      )
    const statuses = [(await asked('/auth/session')).status]
    if (secret.includes(one)) statuses.push((await asked('/auth/token')).status)
    await carcosa.close()
    return statuses
  }
  assert.deepEqual(await after([two, one]), [200, 200])
  assert.deepEqual(await after([three, two]), [401])
  await before.close()
})

/** Makes the key that signs JWTs, and tells where the database is. */
async function jwtOf(of: AccountsServer, bearer: string) {
  assert.equal((await of.call('token', { bearer })).status, 200)
  return { url: of.database }
}

function creation(token: string) {
  const headers = {
    'Tus-Resumable': '1.0.0',
    'Upload-Length': '3',
    Authorization: `Bearer ${token}`,
  }
  return { method: 'POST', path: '/uploads/mine', headers }
}

function tokenIn(url: string): string {
  return url.split('#')[1] ?? ''
}

test.run()
