import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { newId } from '../../../src/shared/ids.ts'
import { type AccountsServer, password, startAccounts } from '../../support/accounts.ts'

const test = suite('invitations, and projects of a person')
let server: AccountsServer
let inviterId: string
test.before(async () => {
  server = await startAccounts({ signUp: 'invited' })
  await server.carcosa.api.users.createOwner()
  const { users } = await server.carcosa.api.users.list()
  inviterId = users[0]?.id ?? ''
})
test.after(() => server.close())

/** An organization with a project, both of this name. */
async function organization(name: string): Promise<string> {
  const { prisma } = server.uploads.db
  const { id } = await prisma.organization.create({
    data: { id: `org_${newId()}`, name, slug: name },
  })
  await prisma.project.create({ data: { id: name, name, organizationId: id } })
  return id
}

async function invitation(organizationId: string, email: string): Promise<string> {
  const { id } = await server.uploads.db.prisma.invitation.create({
    data: {
      ...{ id: `inv_${newId()}`, organizationId, email, inviterId, role: 'developer' },
      expiresAt: new Date(Date.now() + 60_000),
    },
  })
  return id
}

function signUp(email: string, invitation?: string) {
  return server.call('register', { body: { email, password, name: 'N', invitation } })
}

/** Signs somebody up who is invited, and in. */
async function invited(email: string, id: string): Promise<string> {
  assert.equal((await signUp(email, id)).status, 202)
  await server.call('verify-email', {
    body: { token: await server.mailed('verify-email', email) },
  })
  const entered = await server.call('login', { body: { email, password } })
  return String(entered.json().token)
}

function upload(bearer: string, project?: string) {
  return server.doors.http({
    method: 'POST',
    path: '/uploads/mine',
    headers: {
      'Upload-Length': '3',
      Authorization: `Bearer ${bearer}`,
      ...(project && { 'Carcosa-Project': project }),
    },
  })
}

test('whoever is invited signs up, accepts, and acts in the project with the role that was offered', async () => {
  const red = await organization('red')
  const id = await invitation(red, 'ann@example.com')
  const ann = await invited('ann@example.com', id)

  assert.equal((await upload(ann)).status, 403)
  const { invitations } = (await server.call('invitations', { bearer: ann })).json() as {
    invitations: { id: string; organizationName: string; role: string }[]
  }
  assert.deepEqual(
    invitations.map((one) => [one.id, one.organizationName, one.role]),
    [[id, 'red', 'developer']],
  )
  const accepted = await server.call(`invitations/${id}/accept`, {
    bearer: ann,
    body: {},
  })
  assert.equal(accepted.status, 200, accepted.text)
  assert.equal((await upload(ann)).status, 201)
  assert.equal((await server.newest())?.projectId, 'red')
  const again = await server.call(`invitations/${id}/accept`, { bearer: ann, body: {} })
  assert.equal(again.json().code, 'INVITATION_NOT_FOUND')
})

test('nobody signs up without an invitation of theirs, and all reasons look the same', async () => {
  const blue = await organization('blue')
  const id = await invitation(blue, 'bob@example.com')
  const answers = [
    await signUp('bob@example.com'),
    await signUp('bob@example.com', `inv_${newId()}`),
    await signUp('eve@example.com', id),
  ]
  for (const answer of answers) assert.equal(answer.json().code, 'INVITATION_NEEDED')
})

test('an invitation of somebody else is as unknown as none', async () => {
  const green = await organization('green')
  const eve = await invited('eve@example.com', await invitation(green, 'eve@example.com'))
  const other = await invitation(green, 'someone@example.com')
  const answers = await Promise.all(
    [other, `inv_${newId()}`, 'what'].flatMap((id) =>
      ['accept', 'reject'].map((verb) =>
        server.call(`invitations/${id}/${verb}`, { bearer: eve, body: {} }),
      ),
    ),
  )
  const said = answers.map(({ status, text }) =>
    [status, text.replace(/"requestId":"[^"]*"/, '')].join(' '),
  )
  assert.equal(new Set(said).size, 1, said.join('\n'))
  assert.match(said[0] ?? '', /^404 .*INVITATION_NOT_FOUND/)
})

test('a person names one of their projects; foreign ones are as unknown as none', async () => {
  const [one, two] = [await organization('one'), await organization('two')]
  await organization('foreign')
  const cat = await invited('cat@example.com', await invitation(one, 'cat@example.com'))
  const second = await invitation(two, 'cat@example.com')
  const [first] = (
    (await server.call('invitations', { bearer: cat })).json() as {
      invitations: { id: string }[]
    }
  ).invitations.filter(({ id }) => id !== second)
  for (const id of [first?.id, second]) {
    const accepted = await server.call(`invitations/${id}/accept`, {
      bearer: cat,
      body: {},
    })
    assert.equal(accepted.status, 200, accepted.text)
  }

  assert.equal((await upload(cat, 'one')).status, 201)
  assert.equal((await server.newest())?.projectId, 'one')
  assert.equal((await upload(cat, 'two')).status, 201)
  assert.equal((await server.newest())?.projectId, 'two')

  const answers = [await upload(cat, 'foreign'), await upload(cat, 'never-was')]
  const said = answers.map(({ status, text }) => [
    status,
    text.replace(/"requestId":"[^"]*"/, '').replace(/foreign|never-was/, '…'),
  ])
  assert.equal(said[0]?.[0], 404)
  assert.deepEqual(said[1], said[0])
  assert.equal(answers[0]?.json().code, 'PROJECT_NOT_FOUND')

  const active = { organizationId: one }
  assert.equal(
    (await server.call('active-organization', { bearer: cat, body: active })).status,
    200,
  )
  await upload(cat)
  assert.equal((await server.newest())?.projectId, 'one')
  const foreign = { organizationId: `org_${newId()}` }
  const refused = await server.call('active-organization', { bearer: cat, body: foreign })
  assert.equal(refused.json().code, 'ORGANIZATION_NOT_FOUND')
})

test('a session is found by indexes, in one query', async () => {
  const { db } = server.uploads
  const plan = await db.transaction(async (tx) => {
    await tx.executeSql('SET LOCAL enable_seqscan = off')
    const { findStatement } = await import('../../../src/accounts/session-rows.ts')
    const sql = findStatement.sql.replaceAll('$1', "'t'").replaceAll('$2', "'default'")
    return (await tx.executeSql(`EXPLAIN ${sql}`)).rows.map((row) => row['QUERY PLAN'])
  })
  assert.ok(!plan.join('\n').includes('Seq Scan'), plan.join('\n'))
})

test.run()
