import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { createCarcosa } from '../../../src/carcosa.ts'
import { type AccountsServer, password, startAccounts } from '../../support/accounts.ts'
import { testRouter } from '../../support/server.ts'

const test = suite('brute force')
const rateLimits = {
  auth: {
    address: { points: 40, per: '10m' },
    account: { points: 5, per: '10m' },
  },
} as const
let server: AccountsServer
test.before(async () => {
  server = await startAccounts({ verifyEmail: false }, { rateLimits })
})
test.after(() => server.close())

test('an account can be tried five times, on all nodes together, and then with no password', async () => {
  const { email } = await server.person('victim')
  const other = await createCarcosa({
    router: testRouter,
    auth: [],
    accounts: { verifyEmail: false, mailer: () => undefined },
    rateLimits,
    database: server.database,
    dataDir: server.dataDir,
    worker: false,
  })
  const there = async (sent: string) => {
    const answer = await other.fetch(
      new Request('http://localhost/auth/login', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ email: email.toUpperCase(), password: sent }),
      }),
    )
    return answer.status
  }
  const here = async (sent: string) =>
    (await server.call('login', { body: { email, password: sent } })).status

  // Registering and signing in were two of the five.
  const statuses = await Promise.all(
    Array.from({ length: 10 }, (_, i) => (i % 2 ? here : there)(`guess ${i}`)),
  )
  assert.equal(statuses.filter((status) => status === 401).length, 3)
  assert.equal(statuses.filter((status) => status === 429).length, 7)
  assert.equal(await here(password), 429)
  assert.equal(await there(password), 429)
  await other.close()
})

test('who tries many accounts from one address is stopped too', async () => {
  const statuses = await Promise.all(
    Array.from({ length: 60 }, async (_, i) => {
      const body = { token: `guess number ${i} of a link` }
      return (await server.call('verify-email', { body })).status
    }),
  )
  const through = statuses.filter((status) => status === 400).length
  assert.ok(through > 0 && through <= 40, `${through} came through`)
  const answer = await server.call('login', {
    body: { email: 'x@example.com', password },
  })
  assert.equal(answer.status, 429)
  assert.ok(Number(answer.headers['retry-after']) > 0)
})

test.run()
