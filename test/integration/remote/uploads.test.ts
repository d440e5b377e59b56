/** Uploads by programs elsewhere: who may, whose they are, and what ends them. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { NewApiKey } from '../../../src/auth/keys.ts'
import { CarcosaError } from '../../../src/remote/remote.ts'
import { refusal } from '../../support/remote/scenes.ts'
import { openStages } from '../../support/remote/stage.ts'
import { person } from '../../support/rest/organizations.ts'
import { otherProject } from '../../support/rest/world.ts'

const test = suite('uploads by programs elsewhere')
const { world, api, by } = await openStages()
const { carcosa, port } = world.server
const local = carcosa.api
test.after(() => world.server.close())

const url = `http://127.0.0.1:${port}`
const as = async (key: Partial<NewApiKey>) =>
  by((await world.as(key)).Authorization.slice('Bearer '.length))

const codeOf = async (call: Promise<unknown>) => {
  const error = await refusal(call)
  assert.instance(error, CarcosaError)
  return (error as CarcosaError).code
}

const tus = { 'Tus-Resumable': '1.0.0' }

const creation = (route: string, ticket: string, length: number) =>
  fetch(`${url}/uploads/${route}`, {
    method: 'POST',
    headers: { ...tus, 'Upload-Ticket': ticket, 'Upload-Length': String(length) },
  })

test('it takes files.write on all of the route, and uploads.create', async () => {
  const refused: Partial<NewApiKey>[] = [
    { role: 'viewer' },
    { scopes: { actions: ['uploads.create'] } },
    { scopes: { actions: ['files.write.own', 'uploads.create'] } },
    { scopes: { routes: ['demo'] } },
    { scopes: { actions: ['files.write'] } },
  ]
  for (const key of refused) {
    const code = await codeOf((await as(key)).files.upload('x', { route: 'mine' }))
    assert.is(code, 'FORBIDDEN', JSON.stringify(key))
  }
  const actions = ['files.write', 'uploads.create', 'files.read'] as const
  const narrow = await as({ scopes: { actions: [...actions] } })
  assert.is((await narrow.files.upload('x', { route: 'mine' })).size, 1)
  const routed = await as({ scopes: { routes: ['mine'] } })
  assert.is((await routed.files.upload('x', { route: 'mine' })).size, 1)
})

test('the file is in the project of the key', async () => {
  const other = await as({ projectId: otherProject })
  const file = await other.files.upload('x', { route: 'mine' })
  assert.is(file.projectId, otherProject)
  assert.is(await api.files.get(file.id), null)
})

test('it is whose it is said to be, and without a word over REST that of the key', async () => {
  assert.is(
    (await api.files.upload('x', { route: 'mine', ownerId: 'ann' })).ownerId,
    'ann',
  )
  const me = await api.me.get()
  const headers = await world.as({ role: 'owner' })
  const answered = await world.ask({
    ...{ method: 'POST', path: '/uploads', headers },
    body: { route: 'mine', size: 1 },
  })
  const { ticket } = answered.json() as { ticket: string }
  await creation('mine', ticket, 1)
  const row = await world.server.newest()
  assert.match(String(row?.ownerId), /^key_/)
  assert.is.not(row?.ownerId, me.id)
})

test('what metadata and input say reaches the record, and no client', async () => {
  const said = { metadata: { order: 7 }, input: { note: 'hi' } }
  const { id } = await api.files.upload('x', { route: 'mine', ...said })
  const row = await world.server.row(id)
  assert.equal(row.metadata, { order: 7 })
  assert.equal(row.input, { note: 'hi' })
  assert.not('metadata' in ((await api.files.get(id)) ?? {}))
})

test('what was chosen stays, whoever sends the rest of the bytes', async () => {
  const upload = { route: 'demo', size: 5, acl: 'private', ownerId: 'ann' } as const
  const { ticket } = await api.uploads.prepare(upload)
  const created = await creation('demo', ticket, 5)
  const place = created.headers.get('location') ?? ''
  // Its owner goes on, without the ticket.
  const sent = await fetch(new URL(place, url), {
    method: 'PATCH',
    headers: {
      ...tus,
      ...{ 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' },
      Authorization: 'Bearer ann',
    },
    body: 'hello',
  })
  assert.is(sent.status, 204)
  const row = await world.server.row(place)
  assert.is(row.state, 'ready')
  assert.is(row.acl, 'private')
  assert.equal(row.pinned, ['acl'])
  const open = await local.files.upload('hello', { route: 'demo' })
  assert.is(open.acl, 'public-read')
})

test('a ticket is for one upload of that size, however often it is used', async () => {
  const { ticket } = await local.uploads.prepare({ route: 'mine', size: 5 })
  const first = await creation('mine', ticket, 5)
  const again = await creation('mine', ticket, 5)
  assert.is(first.status, 201)
  assert.is(first.headers.get('location'), again.headers.get('location'))
  assert.is((await creation('mine', ticket, 6)).status, 403)
  assert.is((await creation('demo', ticket, 5)).status, 403)
})

test('a key that is revoked ends what it began, also for others', async () => {
  const { id, token } = await local.keys.create({ name: 'k', role: 'owner' })
  const upload = { route: 'mine', size: 5, ownerId: 'ann' }
  const { ticket } = await by(token).uploads.prepare(upload)
  const created = await creation('mine', ticket, 5)
  await local.keys.revoke(id)
  const asked = await fetch(new URL(created.headers.get('location') ?? '', url), {
    headers: { ...tus, 'Upload-Ticket': ticket },
  })
  assert.is(asked.status, 401)
  assert.is((await creation('mine', ticket, 5)).status, 401)
})

test('a quota holds, and what is refused has no row', async () => {
  const { id } = await local.projects.create({ name: 'Small' })
  await local.usage.setQuota(id, { bytes: 10 })
  const small = await as({ projectId: id })
  assert.is((await small.files.upload('123456', { route: 'mine' })).size, 6)
  const code = await codeOf(small.files.upload('123456', { route: 'mine' }))
  assert.is(code, 'QUOTA_EXCEEDED')
  assert.is((await small.files.list()).files.length, 1)
})

test('a route that the project does not take is refused', async () => {
  const settings = { allowedRoutes: ['demo'] }
  const { id } = await local.projects.create({ name: 'Closed', settings })
  const closed = await as({ projectId: id })
  const code = await codeOf(closed.files.upload('x', { route: 'mine' }))
  assert.is(code, 'ROUTE_DISABLED')
})

test('what does not fit into a ticket is refused with words', async () => {
  const metadata = { text: 'x'.repeat(9_000) }
  const error = await refusal(api.files.upload('x', { route: 'mine', metadata }))
  assert.is((error as CarcosaError).code, 'BAD_REQUEST')
  assert.match((error as CarcosaError).message, /ticket/)
})

test('who one is, and what holds', async () => {
  const me = await api.me.get()
  assert.is(me.kind, 'api-key')
  assert.is(me.role, 'owner')
  assert.ok('routes' in (await api.settings.get()))
})

test('people make organizations and invite others', async () => {
  const ann = await person(world)
  const bob = await person(world)
  const { organizations, invitations } = by(ann.id)
  const made = await organizations.create({ name: 'Acme' })
  assert.instance(made.createdAt, Date)
  const wanted = { organizationId: made.id, email: bob.email, expiresIn: '1 day' }
  const invitation = await invitations.create(wanted)
  assert.is(invitation.inviterId, ann.id)
  assert.ok(invitation.expiresAt.getTime() < Date.now() + 90_000_000)
  assert.is((await by(bob.id).invitations.accept(invitation.id)).status, 'accepted')
  assert.is((await local.members.get(made.id, bob.id))?.role, 'member')
})

test.run()
