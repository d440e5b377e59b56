/** Organizations, who belongs to them, who is invited, and teams: what programs do with them. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startServer, type TestServer } from '../support/server.ts'

const test = suite('organizations')
let server: TestServer
const told: string[] = []
test.before(async () => {
  server = await startServer({ roles: { auditor: ['audit.read'] } })
  server.uploads.channel.on('session', (userId) => told.push(userId))
})
test.after(() => server.close())

const api = () => server.carcosa.api
const unknown = 'unknownunknownunknown'

/** Whatever comes next has a later time. */
const apart = () => new Promise((resolve) => setTimeout(resolve, 3))

let people = 0
/** Somebody with an account. */
async function person(email = `person${++people}@example.com`, verified = true) {
  const id = `user_${String(++people).padStart(24, 'u')}`
  await server.uploads.db.executeSql(
    `INSERT INTO carcosa.user_account (id, name, email, email_verified) VALUES ($1, 'Ann', $2, $3)`,
    [id, email, verified],
  )
  return { id, email }
}

async function organization(name = 'Acme & Söhne') {
  const owner = await person()
  return { owner, ...(await api().organizations.create({ name, ownerId: owner.id })) }
}

async function fails(code: string, work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    assert.is((error as { code?: string }).code, code, String(error))
    return
  }
  assert.unreachable(`should have failed with ${code}`)
}

test('who makes an organization is its owner, and it has a slug of its own', async () => {
  const { owner, id, slug, name } = await organization()
  assert.is(name, 'Acme & Söhne')
  assert.match(slug, /^acme-so-hne-[a-z0-9]{1,10}$/)
  const { members } = await api().members.list({ organizationId: id })
  assert.equal(
    members.map(({ userId, role, email }) => ({ userId, role, email })),
    [{ userId: owner.id, role: 'owner', email: owner.email }],
  )
  assert.ok(told.includes(owner.id))
})

test('organizations are listed, all of them or those of somebody, in pages', async () => {
  const { owner, id } = await organization()
  await apart()
  const second = await api().organizations.create({ name: 'Second', ownerId: owner.id })
  await organization('of somebody else')
  const first = await api().organizations.list({ userId: owner.id, limit: 1 })
  assert.equal(
    first.organizations.map((one) => one.id),
    [second.id],
  )
  const cursor = first.nextCursor ?? ''
  const rest = await api().organizations.list({ userId: owner.id, limit: 1, cursor })
  assert.equal(
    rest.organizations.map((one) => one.id),
    [id],
  )
  assert.is(rest.nextCursor, null)
  assert.ok((await api().organizations.list()).organizations.length >= 3)
  assert.equal((await api().organizations.list({ userId: 'a\0' })).organizations, [])
})

const bad: [what: string, change: { name?: unknown; slug?: unknown }][] = [
  ['no name', { name: '' }],
  ['a blank name', { name: ' ' }],
  ['a long name', { name: 'x'.repeat(201) }],
  ['a name with NUL', { name: 'a\0' }],
  ['a name that is no text', { name: 7 }],
  ['a slug in capitals', { name: 'x', slug: 'Acme' }],
  ['a slug that ends in a hyphen', { name: 'x', slug: 'acme-' }],
  ['a long slug', { name: 'x', slug: 'a'.repeat(64) }],
  ['an empty slug', { name: 'x', slug: '' }],
]
for (const [what, change] of bad) {
  test(`${what} is refused`, async () => {
    const { owner, id } = await organization()
    const wanted = { ...change, ownerId: owner.id } as { name: string; ownerId: string }
    await fails('BAD_REQUEST', api().organizations.create(wanted))
    await fails('BAD_REQUEST', api().organizations.update(id, change as { name: string }))
  })
}

test('a name of no letters makes a slug all the same', async () => {
  const { slug } = await organization('東京')
  assert.match(slug, /^[a-z0-9]{1,10}$/)
})

test('names and slugs change, unless somebody has the slug or was faster', async () => {
  const [one, other] = [await organization(), await organization()]
  const slug = `slug-${Date.now()}`
  const changed = await api().organizations.update(one.id, { name: 'New', slug })
  assert.is(changed.name, 'New')
  assert.is(changed.slug, slug)
  await fails('SLUG_TAKEN', api().organizations.update(other.id, { slug }))
  const taken = { name: 'x', slug, ownerId: other.owner.id }
  await fails('SLUG_TAKEN', api().organizations.create(taken))
  const condition = { ifUpdatedAt: one.updatedAt }
  await fails(
    'PRECONDITION_FAILED',
    api().organizations.update(one.id, { name: 'Late' }, condition),
  )
  const now = { ifUpdatedAt: changed.updatedAt }
  assert.is(
    (await api().organizations.update(one.id, { name: 'Then' }, now)).name,
    'Then',
  )
})

test('what is not there is not found, whatever the text', async () => {
  const { id, owner } = await organization()
  for (const text of [unknown, '', 'a\0b', 'x'.repeat(300)]) {
    assert.is(await api().organizations.get(text), null)
    assert.is(await api().organizations.delete(text), false)
    assert.is(await api().members.get(id, text), null)
    assert.is(await api().members.remove(text, owner.id), false)
    assert.is(await api().invitations.get(text), null)
    assert.is(await api().invitations.revoke(text), false)
    assert.is(await api().teams.get(text), null)
    assert.is(await api().teams.delete(text), false)
    assert.is(await api().teams.removeMember(text, text), false)
    for (const list of [
      api().members.list({ organizationId: text }),
      api().invitations.list({ organizationId: text }),
      api().teams.list({ organizationId: text }),
      api().teams.listMembers(text),
    ]) {
      assert.is((await list).nextCursor, null)
    }
    await fails('ORGANIZATION_NOT_FOUND', api().organizations.update(text, { name: 'x' }))
    await fails(
      'USER_NOT_FOUND',
      api().organizations.create({ name: 'x', ownerId: text }),
    )
    await fails(
      'ORGANIZATION_NOT_FOUND',
      api().members.add({ organizationId: text, userId: owner.id }),
    )
    await fails('USER_NOT_FOUND', api().members.add({ organizationId: id, userId: text }))
    await fails('MEMBER_NOT_FOUND', api().members.setRole(id, text, 'member'))
    await fails('INVITATION_NOT_FOUND', api().invitations.accept(text, owner.id))
    await fails('TEAM_NOT_FOUND', api().teams.update(text, { name: 'x' }))
    await fails('TEAM_NOT_FOUND', api().teams.addMember(text, owner.id))
    await fails(
      'ORGANIZATION_NOT_FOUND',
      api().teams.create({ organizationId: text, name: 'x' }),
    )
  }
})

test('an organization with projects is not deleted; without, it goes with its people', async () => {
  const { id, owner } = await organization()
  const project = await api().projects.create({ name: 'p', organizationId: id })
  await api().teams.create({ organizationId: id, name: 't' })
  await api().invitations.create({
    organizationId: id,
    email: 'x@example.com',
    inviterId: owner.id,
  })
  await fails('ORGANIZATION_NOT_EMPTY', api().organizations.delete(id))
  await api().projects.delete(project.id)
  await fails('ORGANIZATION_NOT_EMPTY', api().organizations.delete(id))
  await server.uploads.db.executeSql('DELETE FROM carcosa.project WHERE id = $1', [
    project.id,
  ])
  told.length = 0
  assert.is(await api().organizations.delete(id), true)
  assert.equal(told, [owner.id])
  assert.is(await api().organizations.get(id), null)
  assert.is(await api().organizations.delete(id), false)
  assert.is(await api().members.get(id, owner.id), null)
})

test('roles are those that there are, and their holders are told anew', async () => {
  const { id } = await organization()
  const { id: userId } = await person()
  const member = await api().members.add({ organizationId: id, userId })
  assert.is(member.role, 'member')
  assert.is(
    (await api().members.add({ organizationId: id, userId, role: 'admin' })).role,
    'member',
  )
  told.length = 0
  assert.is((await api().members.setRole(id, userId, 'auditor')).role, 'auditor')
  assert.equal(told, [userId])
  for (const role of ['wizard', '', 'Owner', 7 as unknown as string]) {
    await fails('BAD_REQUEST', api().members.setRole(id, userId, role))
    await fails('BAD_REQUEST', api().members.add({ organizationId: id, userId, role }))
  }
  const late = { ifRole: 'member' }
  await fails('PRECONDITION_FAILED', api().members.setRole(id, userId, 'admin', late))
  assert.is((await api().members.get(id, userId))?.role, 'auditor')
  assert.is(await api().members.remove(id, userId), true)
  assert.is(await api().members.remove(id, userId), false)
})

test('the last owner neither leaves nor becomes less', async () => {
  const { id, owner } = await organization()
  await api().members.add({
    organizationId: id,
    userId: (await person()).id,
    role: 'admin',
  })
  await fails('LAST_OWNER', api().members.setRole(id, owner.id, 'admin'))
  await fails('LAST_OWNER', api().members.remove(id, owner.id))
  assert.is((await api().members.setRole(id, owner.id, 'owner')).role, 'owner')
})

test('of owners who demote or remove each other at once, one stays', async () => {
  for (let round = 0; round < 5; round++) {
    const { id, owner } = await organization()
    const others = await Promise.all(Array.from({ length: 3 }, () => person()))
    for (const { id: userId } of others)
      await api().members.add({ organizationId: id, userId, role: 'owner' })
    const all = [owner, ...others]
    const ends = await Promise.allSettled(
      all.map(({ id: userId }, at) =>
        at % 2 === 0
          ? api().members.setRole(id, userId, 'viewer')
          : api().members.remove(id, userId),
      ),
    )
    const refused = ends.filter(({ status }) => status === 'rejected')
    assert.is(refused.length, 1)
    const { members } = await api().members.list({ organizationId: id })
    assert.is(members.filter(({ role }) => role === 'owner').length, 1)
  }
})

test('an invitation is accepted once, by who owns the address', async () => {
  const { id, owner } = await organization()
  const invited = await person('Mixed.Case@example.com'.toLowerCase())
  const wanted = {
    organizationId: id,
    email: 'Mixed.Case@example.com',
    inviterId: owner.id,
  }
  const invitation = await api().invitations.create({ ...wanted, role: 'developer' })
  assert.is(invitation.email, invited.email)
  assert.is(invitation.status, 'pending')
  const days =
    (invitation.expiresAt.getTime() - invitation.createdAt.getTime()) / 86_400_000
  assert.ok(days > 6.99 && days < 7.01)
  const other = await person()
  await fails('INVITATION_NOT_FOUND', api().invitations.accept(invitation.id, other.id))
  told.length = 0
  const ends = await Promise.allSettled([
    api().invitations.accept(invitation.id, invited.id),
    api().invitations.accept(invitation.id, invited.id),
  ])
  assert.is(ends.filter(({ status }) => status === 'fulfilled').length, 1)
  assert.equal(told, [invited.id])
  assert.is((await api().members.get(id, invited.id))?.role, 'developer')
  assert.is((await api().invitations.get(invitation.id))?.status, 'accepted')
  assert.is(await api().invitations.revoke(invitation.id), false)
  await fails('ALREADY_MEMBER', api().invitations.create(wanted))
})

test('what is too old, revoked, replaced or for an unconfirmed address is not accepted', async () => {
  const { id, owner } = await organization()
  const { id: userId, email } = await person()
  const wanted = { organizationId: id, email, inviterId: owner.id }
  const first = await api().invitations.create(wanted)
  const second = await api().invitations.create(wanted)
  await fails('INVITATION_NOT_FOUND', api().invitations.accept(first.id, userId))
  assert.is(await api().invitations.revoke(second.id), true)
  await fails('INVITATION_NOT_FOUND', api().invitations.accept(second.id, userId))
  await apart()
  const brief = await api().invitations.create({ ...wanted, expiresIn: 1 })
  await new Promise((resolve) => setTimeout(resolve, 20))
  await fails('INVITATION_NOT_FOUND', api().invitations.accept(brief.id, userId))
  const doubtful = await person(undefined, false)
  const third = await api().invitations.create({ ...wanted, email: doubtful.email })
  await fails('INVITATION_NOT_FOUND', api().invitations.accept(third.id, doubtful.id))
  const pending = await api().invitations.list({ organizationId: id })
  assert.equal(
    pending.invitations.map((one) => one.id),
    [third.id, brief.id],
  )
  const all = await api().invitations.list({ organizationId: id, ended: true })
  assert.is(all.invitations.length, 4)
})

test('invitations that make no sense are refused', async () => {
  const { id, owner } = await organization()
  const wanted = { organizationId: id, email: 'x@example.com', inviterId: owner.id }
  const create = (more: object) => api().invitations.create({ ...wanted, ...more })
  for (const email of ['', 'x', 'x@y', 'a b@example.com', 'a\0@example.com', 7])
    await fails('BAD_REQUEST', create({ email }))
  for (const expiresIn of [0, -1, '91d', 'soon'])
    await fails('BAD_REQUEST', create({ expiresIn }))
  await fails('BAD_REQUEST', create({ role: 'wizard' }))
  await fails('TEAM_NOT_FOUND', create({ teamId: unknown }))
  const foreign = await api().teams.create({
    organizationId: (await organization()).id,
    name: 't',
  })
  await fails('TEAM_NOT_FOUND', create({ teamId: foreign.id }))
  await fails('USER_NOT_FOUND', create({ inviterId: unknown }))
  await fails('ORGANIZATION_NOT_FOUND', create({ organizationId: unknown }))
})

test('a team has members of its organization, and counts them', async () => {
  const { id, owner } = await organization()
  const team = await api().teams.create({ organizationId: id, name: 'Front' })
  const invited = await person()
  const wanted = { organizationId: id, email: invited.email, inviterId: owner.id }
  const invitation = await api().invitations.create({ ...wanted, teamId: team.id })
  await api().invitations.accept(invitation.id, invited.id)
  const count = async () => (await api().teams.get(team.id))?.memberCount
  assert.is(await count(), 1)
  await apart()
  await Promise.all([1, 2, 3].map(() => api().teams.addMember(team.id, owner.id)))
  assert.is(await count(), 2)
  await fails('MEMBER_NOT_FOUND', api().teams.addMember(team.id, (await person()).id))
  const { members } = await api().teams.listMembers(team.id)
  assert.equal(
    members.map(({ email }) => email),
    [owner.email, invited.email],
  )
  await api().members.remove(id, invited.id)
  assert.is(await count(), 1)
  assert.is(await api().teams.removeMember(team.id, owner.id), true)
  assert.is(await api().teams.removeMember(team.id, owner.id), false)
  assert.is(await count(), 0)
  const renamed = await api().teams.update(team.id, { name: 'Back' })
  assert.is(renamed.name, 'Back')
  const late = { ifUpdatedAt: team.createdAt }
  await fails('PRECONDITION_FAILED', api().teams.update(team.id, { name: 'x' }, late))
  assert.equal((await api().teams.list({ organizationId: id })).teams, [renamed])
  assert.is(await api().teams.delete(team.id), true)
  assert.is(await api().teams.get(team.id), null)
})

test.run()
