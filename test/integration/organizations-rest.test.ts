/** Organizations and projects over HTTP, by people who are signed in. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { apiKeys } from '../../src/auth/api-keys.ts'
import { jobHandlers } from '../../src/worker.ts'
import { type AccountsServer, type Person, startAccounts } from '../support/accounts.ts'
import type { Answered } from '../support/exchange.ts'

const test = suite('organizations over HTTP')
let server: AccountsServer
test.before(async () => {
  server = await startAccounts({}, { auth: [apiKeys()] })
})
test.after(() => server.close())

const unknown = 'unknownunknownunknown'

interface Ask {
  method?: string
  body?: unknown
  /** The project they act in. */
  project?: string
  headers?: Record<string, string>
}

function ask(who: Person, path: string, { project, headers, ...call }: Ask = {}) {
  return server.call(`/api/v1${path}`, {
    ...call,
    bearer: who.token,
    headers: {
      'X-Request-Id': 'same',
      ...(project && { 'Carcosa-Project': project }),
      ...headers,
    },
  })
}

const api = () => server.carcosa.api
const codeOf = (answer: Answered) => (answer.json() as { code?: string }).code
let count = 0
const person = () => server.person(`person${++count}`)

async function organization(owner: Person): Promise<string> {
  const made = await ask(owner, '/organizations', { body: { name: `Org ${++count}` } })
  assert.is(made.status, 201, made.text)
  return (made.json() as { id: string }).id
}

async function project(owner: Person, organizationId: string): Promise<string> {
  const path = `/organizations/${organizationId}/projects`
  const made = await ask(owner, path, { body: { name: 'Site' } })
  assert.is(made.status, 201, made.text)
  return (made.json() as { id: string }).id
}

async function join(organizationId: string, role: string): Promise<Person> {
  const who = await person()
  await api().members.add({ organizationId, userId: who.id, role })
  return who
}

test('who signs up makes an organization, and in it a project', async () => {
  const ann = await person()
  const id = await organization(ann)
  const projectId = await project(ann, id)
  const listed = await ask(ann, '/projects')
  assert.equal(
    (listed.json() as { projects: { id: string }[] }).projects.map((one) => one.id),
    [projectId],
  )
  const mine = await ask(ann, '/organizations')
  const { organizations } = mine.json() as { organizations: { id: string }[] }
  assert.equal(
    organizations.map((one) => one.id),
    [id],
  )
  const key = { name: 'ci', role: 'admin' }
  assert.is((await ask(ann, '/api-keys', { body: key, project: projectId })).status, 201)
})

test('somebody is invited by mail, joins, and sees the projects at once', async () => {
  const [ann, bob] = [await person(), await person()]
  const id = await organization(ann)
  const projectId = await project(ann, id)
  assert.is((await ask(bob, '/files', { project: projectId })).status, 404)
  const body = { email: bob.email, role: 'developer' }
  const invited = await ask(ann, `/organizations/${id}/invitations`, { body })
  assert.is(invited.status, 201, invited.text)
  const invitationId = await server.mailed('invitation', bob.email)
  assert.is((invited.json() as { id: string }).id, invitationId)
  const other = await person()
  const path = `/invitations/${invitationId}/accept`
  assert.is(codeOf(await ask(other, path, { method: 'POST' })), 'INVITATION_NOT_FOUND')
  assert.is((await ask(bob, path, { method: 'POST' })).status, 200)
  assert.is((await ask(bob, '/files', { project: projectId })).status, 200)
  assert.is((await ask(bob, path, { method: 'POST' })).status, 404)
})

test('another role, or none, holds with the next request', async () => {
  const ann = await person()
  const id = await organization(ann)
  const projectId = await project(ann, id)
  const bob = await join(id, 'developer')
  const keys = () => ask(bob, '/api-keys', { project: projectId })
  const member = `/organizations/${id}/members/${bob.id}`
  assert.is((await keys()).status, 200)
  const demoted = await ask(ann, member, { method: 'PATCH', body: { role: 'viewer' } })
  assert.is(demoted.status, 200, demoted.text)
  assert.is((await keys()).status, 403)
  await ask(ann, member, { method: 'PATCH', body: { role: 'admin' } })
  assert.is((await keys()).status, 200)
  assert.is((await ask(ann, member, { method: 'DELETE' })).status, 204)
  const gone = await keys()
  assert.is(gone.status, 404)
  assert.is(codeOf(gone), 'PROJECT_NOT_FOUND')
})

test('nobody gives, changes or takes a role that may do more than their own', async () => {
  const ann = await person()
  const id = await organization(ann)
  const [admin, member] = [await join(id, 'admin'), await join(id, 'member')]
  const members = `/organizations/${id}/members`
  const asOwner = { body: { email: 'x@example.com', role: 'owner' } }
  const refused: [who: Person, path: string, call: Ask][] = [
    [admin, `${members}/${ann.id}`, { method: 'PATCH', body: { role: 'member' } }],
    [admin, `${members}/${ann.id}`, { method: 'DELETE' }],
    [admin, `${members}/${admin.id}`, { method: 'PATCH', body: { role: 'owner' } }],
    [admin, `${members}/${member.id}`, { method: 'PATCH', body: { role: 'owner' } }],
    [admin, `/organizations/${id}/invitations`, asOwner],
    [admin, `/organizations/${id}`, { method: 'DELETE' }],
    [member, `${members}/${admin.id}`, { method: 'DELETE' }],
    [member, `${members}/${member.id}`, { method: 'PATCH', body: { role: 'admin' } }],
    [member, `/organizations/${id}`, { method: 'PATCH', body: { name: 'x' } }],
    [member, `/organizations/${id}/teams`, { body: { name: 'x' } }],
    [member, `/organizations/${id}/projects`, { body: { name: 'x' } }],
    [member, `/organizations/${id}/invitations`, {}],
  ]
  for (const [who, path, call] of refused) {
    const answer = await ask(who, path, call)
    assert.is(answer.status, 403, `${path}: ${answer.text}`)
    assert.is(codeOf(answer), 'FORBIDDEN')
  }
  const wrong = await ask(ann, `${members}/${member.id}`, {
    method: 'PATCH',
    body: { role: 'wizard' },
  })
  assert.is(wrong.status, 400)
  const roles = (await api().members.list({ organizationId: id })).members
  assert.equal(roles.map(({ role }) => role).sort(), ['admin', 'member', 'owner'])
  assert.is(
    (await ask(member, `${members}/${member.id}`, { method: 'DELETE' })).status,
    204,
  )
  const last = await ask(ann, `${members}/${ann.id}`, { method: 'DELETE' })
  assert.is(codeOf(last), 'LAST_OWNER')
})

test('what belongs to another organization is as if it were not there', async () => {
  const [ann, bob] = [await person(), await person()]
  const [own, id] = [await organization(bob), await organization(ann)]
  await project(bob, own)
  const projectId = await project(ann, id)
  const team = await api().teams.create({ organizationId: id, name: 't' })
  const wanted = { organizationId: id, email: 'y@example.com', inviterId: ann.id }
  const invitation = await api().invitations.create(wanted)
  const key = await api().keys.create({ name: 'k', role: 'owner', projectId })
  const asKey = { id: key.id, email: '', token: key.token }
  const paths: [method: string, path: string, body?: unknown][] = [
    ['GET', `/organizations/${id}`],
    ['PATCH', `/organizations/${id}`, { name: 'x' }],
    ['DELETE', `/organizations/${id}`],
    ['GET', `/organizations/${id}/members`],
    ['GET', `/organizations/${id}/members/${ann.id}`],
    ['PATCH', `/organizations/${id}/members/${ann.id}`, { role: 'member' }],
    ['DELETE', `/organizations/${id}/members/${ann.id}`],
    ['GET', `/organizations/${id}/invitations`],
    ['POST', `/organizations/${id}/invitations`, { email: 'x@example.com' }],
    ['GET', `/organizations/${id}/invitations/${invitation.id}`],
    ['DELETE', `/organizations/${id}/invitations/${invitation.id}`],
    ['GET', `/organizations/${id}/teams`],
    ['GET', `/organizations/${id}/teams/${team.id}`],
    ['PUT', `/organizations/${id}/teams/${team.id}/members/${bob.id}`],
    ['GET', `/organizations/${id}/projects`],
    ['POST', `/organizations/${id}/projects`, { name: 'x' }],
  ]
  for (const [method, path, body] of paths) {
    const call = { method, ...(body !== undefined && { body }) }
    const foreign = await ask(bob, path, call)
    const none = await ask(bob, path.replace(id, `org_${unknown}`), call)
    assert.is(foreign.status, 404, `${method} ${path}: ${foreign.text}`)
    assert.is(foreign.text, none.text)
    // Keys act in their project, and for no organization, not even their own.
    const byKey = await ask(asKey, path, call)
    assert.is(byKey.status, 404, `${method} ${path}: ${byKey.text}`)
  }
  for (const [method, path, body] of [
    ['GET', `/projects/${projectId}`],
    ['PATCH', `/projects/${projectId}`, { name: 'x' }],
    ['DELETE', `/projects/${projectId}`],
    ['POST', `/projects/${projectId}/restore`],
    ['POST', `/projects/${projectId}/transfer`, { organizationId: own }],
  ] as [string, string, unknown?][]) {
    const call = { method, ...(body !== undefined && { body }) }
    const foreign = await ask(bob, path, call)
    const none = await ask(bob, path.replace(projectId, `prj_${unknown}`), call)
    assert.is(foreign.status, 404, `${method} ${path}: ${foreign.text}`)
    assert.is(foreign.text, none.text)
  }
  const mixed = `/organizations/${own}/teams/${team.id}`
  assert.is(codeOf(await ask(bob, mixed)), 'TEAM_NOT_FOUND')
  assert.is((await ask(asKey, `/projects/${projectId}`)).status, 200)
})

test('two people of two projects see their own files and events alone', async () => {
  const people = await Promise.all(
    ['a', 'b'].map(async (word) => {
      const who = await person()
      const projectId = await project(who, await organization(who))
      const file = await api().files.upload(word, { route: 'mine', projectId })
      return { who, projectId, file, word }
    }),
  )
  for (const [at, { who, projectId, file, word }] of people.entries()) {
    const other = people[1 - at]
    if (!other) throw new TypeError('there are two')
    const { files } = (await ask(who, '/files', { project: projectId })).json() as {
      files: { id: string }[]
    }
    assert.equal(
      files.map(({ id }) => id),
      [file.id],
    )
    const read = (id: string) =>
      server.call(`/files/${id}`, {
        bearer: who.token,
        headers: { 'Carcosa-Project': projectId },
      })
    assert.is((await read(file.id)).text, word)
    assert.is((await read(other.file.id)).status, 404)
    assert.is((await ask(who, '/files', { project: other.projectId })).status, 404)
    const foreign = await ask(who, `/files/${other.file.id}`, { project: projectId })
    assert.is(foreign.status, 404)
    const events = await server.call(`/events?project=${other.projectId}`, {
      bearer: who.token,
    })
    assert.is(events.status, 404)
  }
})

test('a project is deleted, is shut to everybody, and is restored by who manages it', async () => {
  const ann = await person()
  const id = await organization(ann)
  const projectId = await project(ann, id)
  const viewer = await join(id, 'viewer')
  const path = `/projects/${projectId}`
  assert.is((await ask(viewer, path)).status, 200)
  assert.is((await ask(viewer, path, { method: 'DELETE' })).status, 403)
  assert.is((await ask(ann, path, { method: 'DELETE' })).status, 200)
  assert.is((await ask(ann, '/files', { project: projectId })).status, 404)
  assert.is(
    codeOf(await ask(ann, path, { method: 'PATCH', body: {} })),
    'PROJECT_DELETED',
  )
  assert.is((await ask(ann, `${path}/restore`, { method: 'POST' })).status, 200)
  assert.is((await ask(ann, '/files', { project: projectId })).status, 200)
})

test('a project goes to an organization where one may manage projects, too', async () => {
  const [ann, bob] = [await person(), await person()]
  const [id, own, foreign] = [
    await organization(ann),
    await organization(ann),
    await organization(bob),
  ]
  await project(ann, own)
  const projectId = await project(ann, id)
  const give = (organizationId: string) =>
    ask(ann, `/projects/${projectId}/transfer`, { body: { organizationId } })
  assert.is(codeOf(await give(foreign)), 'ORGANIZATION_NOT_FOUND')
  assert.is((await give(own)).status, 202)
  const left = await join(id, 'developer')
  assert.is((await ask(left, '/files', { project: projectId })).status, 200)
  const transfer = { projectId, from: id, to: own }
  const context = { id: 'job', attempt: 1, signal: new AbortController().signal }
  await jobHandlers(server.uploads)['project.transfer'](transfer, context)
  assert.is((await ask(left, '/files', { project: projectId })).status, 404)
  assert.is((await ask(ann, '/files', { project: projectId })).status, 200)
})

test('who has seen an older state changes nothing', async () => {
  const ann = await person()
  const id = await organization(ann)
  const projectId = await project(ann, id)
  const { id: teamId } = await api().teams.create({ organizationId: id, name: 't' })
  const bob = await join(id, 'member')
  const things: [path: string, body: object, next: object][] = [
    [`/organizations/${id}`, { name: 'New' }, { name: 'Newer' }],
    [`/organizations/${id}/members/${bob.id}`, { role: 'viewer' }, { role: 'admin' }],
    [`/organizations/${id}/teams/${teamId}`, { name: 'New' }, { name: 'Newer' }],
    [`/projects/${projectId}`, { name: 'New' }, { name: 'Newer' }],
  ]
  for (const [path, body, next] of things) {
    const { headers } = await ask(ann, path)
    const known = { 'If-Match': headers.etag ?? '' }
    const changed = await ask(ann, path, { method: 'PATCH', body, headers: known })
    assert.is(changed.status, 200, changed.text)
    const late = await ask(ann, path, { method: 'PATCH', body: next, headers: known })
    assert.is(late.status, 412, `${path}: ${late.text}`)
    const now = { 'If-Match': changed.headers.etag ?? '' }
    assert.is(
      (await ask(ann, path, { method: 'PATCH', body: next, headers: now })).status,
      200,
    )
  }
})

test.run()
