import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { type AccountsServer, password, startAccounts } from '../../support/accounts.ts'
import type { Answered } from '../../support/exchange.ts'

const test = suite('what answers give away')
let server: AccountsServer
test.before(async () => {
  server = await startAccounts({}, { rateLimits: false })
  await server.person('known')
})
test.after(() => server.close())

/** Status, body and headers, without what is new in every answer. */
function told({ status, text, headers }: Answered) {
  const { date: _, 'x-request-id': __, 'content-length': ___, ...rest } = headers
  return { status, text: text.replace(/"requestId":"[^"]*"/, ''), rest }
}

const twins: [what: string, operation: string, known: object, unknown: object][] = [
  [
    'a wrong password and an unknown address',
    'login',
    { email: 'known@example.com', password: 'not the password' },
    { email: 'unknown@example.com', password: 'not the password' },
  ],
  [
    'a reset for an account and for none',
    'forgot-password',
    { email: 'known@example.com' },
    { email: 'unknown@example.com' },
  ],
  [
    'another link for who is confirmed and for nobody',
    'verify-email/resend',
    { email: 'known@example.com' },
    { email: 'unknown@example.com' },
  ],
  [
    'signing up with an address that is taken and with one that is free',
    'register',
    { email: 'known@example.com', password, name: 'Known' },
    { email: 'free@example.com', password, name: 'Free' },
  ],
]
for (const [what, operation, known, unknown] of twins) {
  test(`${what} get the same answer`, async () => {
    const [one, other] = [
      await server.call(operation, { body: known }),
      await server.call(operation, { body: unknown }),
    ]
    assert.deepEqual(told(one), told(other))
  })
}

test('an unknown address takes as long as a wrong password', async () => {
  const time = async (email: string) => {
    const began = performance.now()
    await server.call('login', { body: { email, password: 'not the password' } })
    return performance.now() - began
  }
  const [known, unknown]: [number[], number[]] = [[], []]
  for (let i = 0; i < 9; i++) {
    known.push(await time('known@example.com'))
    unknown.push(await time(`unknown${i}@example.com`))
  }
  const middle = (times: number[]) => times.sort((a, b) => a - b)[4] ?? 0
  const ratio = middle(unknown) / middle(known)
  assert.ok(ratio > 0.5 && ratio < 2, `unknown takes ${ratio} times as long`)
})

test('who owns an address that somebody signs up with again is told, and nobody else', async () => {
  const body = { email: 'known@example.com', password: 'another password', name: 'Eve' }
  await server.call('register', { body })
  await server.mailed('already-registered', 'known@example.com')
  const stolen = { email: body.email, password: body.password }
  assert.equal((await server.call('login', { body: stolen })).status, 401)
})

test('a reset ends all sessions, and its link works once', async () => {
  const { email, token } = await server.person('reset')
  await server.call('forgot-password', { body: { email } })
  const link = await server.mailed('reset-password', email)
  const body = { token: link, password: 'a new password of mine' }
  const done = await server.call('reset-password', { body })
  assert.equal(done.status, 200, done.text)
  assert.equal((await server.call('session', { bearer: token })).status, 401)
  const again = await server.call('reset-password', { body })
  assert.equal(again.json().code, 'LINK_INVALID')
  const entered = await server.call('login', { body: { email, password: body.password } })
  assert.equal(entered.status, 200)
  const old = await server.call('login', { body: { email, password } })
  assert.equal(old.json().code, 'INVALID_CREDENTIALS')
})

test('what is kept opens nothing: no link, no password, no credential of a session', async () => {
  const { email, token } = await server.person('kept')
  await server.call('forgot-password', { body: { email } })
  const link = await server.mailed('reset-password', email)
  const rows = await server.uploads.db.query<{ all: string }>({
    name: 'test_everything_kept',
    sql: `SELECT concat(
  (SELECT string_agg(v::text, ' ') FROM carcosa.user_verification v),
  (SELECT string_agg(c::text, ' ') FROM carcosa.user_credential c),
  (SELECT string_agg(s::text, ' ') FROM carcosa.user_session s)) AS all`,
  })
  const all = rows[0]?.all ?? ''
  assert.ok(all.length > 100)
  for (const secret of [link, password, token]) assert.ok(!all.includes(secret))
})

const bad: [what: string, operation: string, body: unknown, code: string][] = [
  ['no address', 'login', { password }, 'BAD_REQUEST'],
  ['an address that is a list', 'login', { email: ['a@b.co'], password }, 'BAD_REQUEST'],
  ['an address with a NUL', 'login', { email: 'a\0@b.co', password }, 'BAD_REQUEST'],
  [
    'a password that is a book',
    'login',
    { email: 'a@b.co', password: 'x'.repeat(1e5) },
    'BAD_REQUEST',
  ],
  ['a body that is null', 'login', null, 'BAD_REQUEST'],
  ['a body that is a list', 'register', [], 'BAD_REQUEST'],
  [
    'a short password',
    'register',
    { email: 'a@b.co', password: 'short', name: 'A' },
    'PASSWORD_INVALID',
  ],
  [
    'a long password',
    'register',
    { email: 'a@b.co', password: 'x'.repeat(257), name: 'A' },
    'PASSWORD_INVALID',
  ],
  ['no name', 'register', { email: 'a@b.co', password }, 'BAD_REQUEST'],
  [
    'a name with a lone surrogate',
    'register',
    { email: 'a@b.co', password, name: '\ud800' },
    'BAD_REQUEST',
  ],
  ['a link that never was', 'verify-email', { token: 'nothing' }, 'LINK_INVALID'],
  ['a link that is a number', 'login-link', { token: 1 }, 'BAD_REQUEST'],
  ['a link to nothing', 'reset-password', { token: 'x', password }, 'LINK_INVALID'],
  [
    'polluted input',
    'login',
    JSON.parse('{"__proto__":{"email":"a@b.co"}}'),
    'BAD_REQUEST',
  ],
]
for (const [what, operation, body, code] of bad) {
  test(`${what} is a bad request with a code (${operation})`, async () => {
    const answer = await server.call(operation, { method: 'POST', body })
    assert.equal(answer.json().code, code, answer.text)
    assert.ok(answer.status < 500)
    assert.ok(!/better-auth|stack|prisma/i.test(answer.text))
  })
}

for (const path of [
  'sign-up/email',
  'ok',
  'toString',
  'get-session',
  'password/__proto__',
]) {
  test(`better-auth's own paths are not there: ${path}`, async () => {
    assert.equal((await server.call(path)).status, 404)
  })
}

test.run()
