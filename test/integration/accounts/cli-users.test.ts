import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { main } from '../../../src/cli/main.ts'
import { type AccountsServer, password, startAccounts } from '../../support/accounts.ts'

const test = suite('carcosa users')
let server: AccountsServer
test.before(async () => {
  server = await startAccounts()
  await server.carcosa.api.users.createOwner()
})
test.after(() => server.close())

async function users(...args: string[]) {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await main(['users', ...args, '--database', server.database], {
    stdout: { write: (text) => void out.push(text) },
    stderr: { write: (text) => void err.push(text) },
    env: {},
    cwd: server.dataDir,
  })
  return { code, out: out.join(''), err: err.join('') }
}

test('create prints a link that signs in once, with the role that was said', async () => {
  const made = await users('create', 'Ann@Example.com', '--role', 'developer')
  assert.equal(made.code, 0, made.err)
  assert.match(made.out, /^http:\/\/127\.0\.0\.1:8080\/auth\/login#[\w-]{32}\n$/)
  const token = made.out.trim().split('#')[1]
  const entered = await server.call('login-link', { body: { token } })
  assert.equal(entered.status, 200, entered.text)
  const me = await server.call('/api/v1/me', { bearer: String(entered.json().token) })
  assert.equal(me.json().role, 'developer')
  assert.equal(me.json().projectId, 'default')
})

test('list shows who there is, and disable shuts somebody out', async () => {
  const disabled = await users('disable', 'ann@example.com')
  assert.equal(disabled.code, 0, disabled.err)
  const { out } = await users('list')
  assert.match(out, /user_\S+ +ann@example\.com +disabled/)
  const enabled = await users('enable', 'ann@example.com')
  assert.equal(enabled.out, 'ann@example.com may sign in.\n')
})

test('reset-password ends sessions and the password, and prints a link', async () => {
  const { email, token } = await server.person('bob')
  const reset = await users('reset-password', email)
  assert.equal(reset.code, 0, reset.err)
  assert.equal((await server.call('session', { bearer: token })).status, 401)
  const old = await server.call('login', { body: { email, password } })
  assert.equal(old.json().code, 'INVALID_CREDENTIALS')
  const ended = await users('revoke-sessions', email)
  assert.equal(ended.out, `Ended 0 sessions of ${email}.\n`)
})

const wrong: [args: string[], code: number, says: RegExp][] = [
  [['creat'], 2, /Did you mean/],
  [['create'], 2, /The e-mail address of the user/],
  [['create', 'nobody'], 1, /e-mail address/],
  [['create', 'ann@example.com'], 1, /There is an account/],
  [['create', 'x@example.com', '--role', 'king'], 1, /There is no role "king"/],
  [['disable', 'never@example.com'], 1, /There is no user "never@example.com"/],
]
for (const [args, code, says] of wrong) {
  test(`users ${args.join(' ')} says what is wrong`, async () => {
    const answer = await users(...args)
    assert.equal(answer.code, code)
    assert.match(answer.err, says)
  })
}

test.run()
