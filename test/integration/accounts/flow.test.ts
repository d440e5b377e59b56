import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { type AccountsServer, password, startAccounts } from '../../support/accounts.ts'

const test = suite('accounts')
let server: AccountsServer
test.before(async () => {
  server = await startAccounts()
})
test.after(() => server.close())

test('somebody registers, confirms the address, signs in, uploads and signs out', async () => {
  const { call } = server
  const email = 'ann@example.com'
  const registered = await call('register', { body: { email, password, name: 'Ann' } })
  assert.equal(registered.status, 202, registered.text)
  assert.deepEqual(registered.json(), { status: 'verify-email' })

  const early = await call('login', { body: { email, password } })
  assert.equal(early.json().code, 'EMAIL_NOT_VERIFIED')

  const token = await server.mailed('verify-email', email)
  assert.equal((await call('verify-email', { body: { token } })).status, 200)
  const again = await call('verify-email', { body: { token } })
  assert.equal(again.json().code, 'LINK_INVALID')

  const entered = await call('login', { body: { email, password } })
  assert.equal(entered.status, 200, entered.text)
  const cookie = String(entered.json().token)
  assert.match(cookie, /^cs_/)
  assert.match(
    entered.headers['set-cookie'] ?? '',
    /^carcosa_session=cs_[\w.-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=1209600$/,
  )

  const me = await call('session', { cookie })
  assert.equal(me.status, 200, me.text)
  assert.deepEqual(me.json().organizations, [])

  // In no organization, they know who they are, and nothing else is theirs.
  const known = await call('/api/v1/me', { cookie })
  assert.equal(known.status, 200, known.text)
  assert.equal(known.json().kind, 'user')
  assert.deepEqual(known.json().grants, [])
  assert.equal((await call('/api/v1/files', { cookie })).status, 403)
  for (const route of ['mine', 'demo']) {
    const headers = { 'Tus-Resumable': '1.0.0', 'Upload-Length': '3' }
    const upload = await call(`/uploads/${route}`, { method: 'POST', cookie, headers })
    assert.equal(upload.status, 403, upload.text)
  }

  assert.equal((await call('logout', { method: 'POST', body: {}, cookie })).status, 200)
  const after = await call('session', { cookie })
  assert.equal(after.status, 401)
  assert.equal(after.json().code, 'UNAUTHENTICATED')
})

test.run()
