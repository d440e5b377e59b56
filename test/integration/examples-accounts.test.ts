/** The example of examples/accounts, from the first link to a file of somebody who was invited. */
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'carcosa/client'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { start } from '../../examples/accounts/server.ts'
import type { Mail } from '../../src/shared/accounts.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'
import { eventually } from '../support/raw-http.ts'

const test = suite('examples/accounts')
const password = 'correct horse battery'
const mails: Mail[] = []
let database: TestDatabase
let example: Awaited<ReturnType<typeof start>>
let url: string
let dataDir: string

test.before(async () => {
  database = await postgres()
  dataDir = mkdtempSync(join(tmpdir(), 'carcosa-examples-'))
  const accounts = {
    signUp: 'invited' as const,
    mailer: (mail: Mail) => void mails.push(mail),
  }
  example = await start(0, { database: database.url, dataDir, accounts })
  // It listens on TCP.
  url = `http://127.0.0.1:${(example.server.address() as AddressInfo).port}`
})
test.after(async () => {
  example.server.closeAllConnections()
  example.server.close()
  await example.carcosa.close()
  await database.drop()
  rmSync(dataDir, { recursive: true, force: true })
})

async function post(path: string, body: object, token?: string) {
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...bearer(token) },
    body: JSON.stringify(body),
  })
  return { status: answer.status, json: await answer.json() }
}

/** What is behind the # of the link in a mail. */
async function mailed(kind: Mail['kind']): Promise<string> {
  const mail = await eventually(
    () => mails.find((one) => one.kind === kind),
    (sent) => sent !== undefined,
  )
  return mail?.link.split('#')[1] ?? ''
}

function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { Authorization: `Bearer ${token}` }
}

test('an owner invites, who is invited signs up and uploads, and sees what is theirs', async () => {
  const token = example.owner?.login.url.split('#')[1]
  const owner = (await post('/auth/login-link', { token })).json.token
  await post('/auth/password', { email: 'ann@example.com', newPassword: password }, owner)
  const me = await fetch(`${url}/auth/session`, { headers: bearer(owner) })
  const [organization] = (await me.json()).organizations
  const invitations = `/api/v1/organizations/${organization.id}/invitations`
  const email = 'bob@example.com'
  assert.is((await post(invitations, { email, role: 'member' }, owner)).status, 201)

  const bob = { email, password, name: 'Bob' }
  assert.is((await post('/auth/register', bob)).status, 403)
  const invitation = await mailed('invitation')
  assert.is((await post('/auth/register', { ...bob, invitation })).status, 202)
  await post('/auth/verify-email', { token: await mailed('verify-email') })
  const session = (await post('/auth/login', { email, password })).json.token
  assert.is(
    (await post(`/auth/invitations/${invitation}/accept`, {}, session)).status,
    200,
  )

  const client = createClient({ url, headers: bearer(session), retry: { attempts: 2 } })
  await client.upload('paper', [new File(['the yellow sign'], 'sign.txt')])
  const mine = (headers: Record<string, string>) =>
    fetch(`${url}/mine`, { headers, redirect: 'manual' })
  const { name, files } = await (await mine(bearer(session))).json()
  assert.equal([name, files.length, files[0]?.name], ['Bob', 1, 'sign.txt'])
  assert.is(await (await fetch(url + files[0]?.url)).text(), 'the yellow sign')
  assert.equal((await (await mine(bearer(owner))).json()).files, [])
  assert.is((await mine({})).headers.get('location'), '/auth/sign-in?next=/mine')
})

test('who is not signed in uploads nothing', async () => {
  const client = createClient({ url, retry: { attempts: 1 } })
  const refused = await client.upload('paper', [new File(['a'], 'a.txt')]).then(
    () => 'it was allowed',
    (error) => error.code,
  )
  assert.is(refused, 'UNAUTHENTICATED')
})

test.run()
