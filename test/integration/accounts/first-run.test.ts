import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { createCarcosa } from '../../../src/carcosa.ts'
import { password, startAccounts } from '../../support/accounts.ts'
import { postgres } from '../../support/postgres.ts'
import { testRouter } from '../../support/server.ts'

const test = suite('the first run')

test('of several nodes that start at once one makes an owner', async () => {
  const database = await postgres()
  const dataDir = mkdtempSync(join(tmpdir(), 'carcosa-test-'))
  const nodes = await Promise.all(
    [1, 2, 3].map(() =>
      createCarcosa({
        router: testRouter,
        accounts: true,
        database: database.url,
        secret: 'a-secret-that-all-nodes-have-in-common',
        dataDir,
        worker: false,
      }),
    ),
  )
  const owners = await Promise.all(nodes.map(({ api }) => api.users.createOwner()))
  assert.equal(owners.filter((owner) => owner !== null).length, 1)
  const { users } = (await nodes[0]?.api.users.list()) ?? { users: [] }
  assert.equal(users.length, 1)
  await Promise.all(nodes.map((node) => node.close()))
  await database.drop()
  rmSync(dataDir, { recursive: true, force: true })
})

test('the owner signs in by the link once, chooses address and password, and owns the default project', async () => {
  const server = await startAccounts({ signUp: 'closed' })
  const { call } = server
  const owner = await server.carcosa.api.users.createOwner()
  const token = owner?.login.url.split('#')[1]
  const both = await Promise.all([
    call('login-link', { body: { token } }),
    call('login-link', { body: { token } }),
  ])
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 400])
  const entered = both.find(({ status }) => status === 200)
  assert.equal(entered?.json().needsPassword, true)
  const cookie = String(entered?.json().token)

  const body = { email: 'Boss@Example.com', newPassword: password }
  assert.equal((await call('password', { body, cookie })).status, 200)
  assert.equal(
    (await call('login-link', { body: { token } })).json().code,
    'LINK_INVALID',
  )
  const login = await call('login', { body: { email: 'boss@example.com', password } })
  assert.equal(login.status, 200, login.text)

  const bearer = String(login.json().token)
  const upload = await server.doors.http({
    method: 'POST',
    path: '/uploads/mine',
    headers: { 'Upload-Length': '3', Authorization: `Bearer ${bearer}` },
  })
  assert.equal(upload.status, 201, upload.text)
  const row = await server.newest()
  assert.equal(row?.projectId, 'default')
  assert.match(row?.ownerId ?? '', /^user_/)

  const closed = await call('register', {
    body: { email: 'eve@example.com', password, name: 'Eve' },
  })
  assert.equal(closed.json().code, 'SIGN_UP_CLOSED')
  await server.close()
})

test('the password is changed only by who knows it, and then all other sessions end', async () => {
  const server = await startAccounts()
  const { call } = server
  const { email, token } = await server.person('pat')
  const phone = String((await call('login', { body: { email, password } })).json().token)
  const newPassword = 'another good password'
  const wrong = { newPassword, currentPassword: 'a guess' }
  const refused = await call('password', { body: wrong, cookie: token })
  assert.equal(refused.json().code, 'INVALID_CREDENTIALS')
  const right = { newPassword, currentPassword: password }
  const changed = await call('password', { body: right, cookie: token })
  assert.equal(changed.status, 200, changed.text)
  const bearer = String(changed.json().token)
  assert.equal((await call('session', { bearer })).status, 200)
  assert.equal((await call('session', { bearer: phone })).status, 401)
  assert.equal((await call('session', { bearer: token })).status, 401)
  await server.close()
})

test('the pages load nothing from anywhere, stand in no frame, and hold nothing of the request', async () => {
  const server = await startAccounts()
  for (const page of [
    'sign-in',
    'register',
    'forgot',
    'login',
    'account',
    'invitation',
  ]) {
    const answer = await server.call(`/auth/${page}?x=<script>alert(1)</script>`)
    assert.equal(answer.status, 200)
    assert.match(answer.headers['content-type'] ?? '', /^text\/html/)
    const policy = answer.headers['content-security-policy'] ?? ''
    assert.match(policy, /default-src 'none'/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.ok(!policy.includes('unsafe'))
    assert.ok(!answer.text.includes('alert(1)'))
    assert.ok(!/(src|href)="(https?:)?\/\//.test(answer.text))
  }
  await server.close()
})

test('all of it works on the embedded database', async () => {
  process.env.CARCOSA_TEST_DATABASE = 'pglite'
  try {
    const server = await startAccounts()
    await server.carcosa.api.users.createOwner()
    const ann = await server.person('ann')
    assert.equal((await server.call('session', { cookie: ann.token })).status, 200)
    assert.equal((await server.call('token', { cookie: ann.token })).status, 200)
    await server.call('forgot-password', { body: { email: ann.email } })
    const token = await server.mailed('reset-password', ann.email)
    const reset = await server.call('reset-password', { body: { token, password } })
    assert.equal(reset.status, 200, reset.text)
    assert.equal((await server.call('session', { bearer: ann.token })).status, 401)
    await server.close()
  } finally {
    delete process.env.CARCOSA_TEST_DATABASE
  }
})

test.run()
