/** No list shows what is another's, whatever is asked for: row SEC-38. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { operations } from '../../../src/http/resources/list.ts'
import { newId } from '../../../src/shared/ids.ts'
import { callers } from '../../support/isolation/callers.ts'
import {
  firstOf,
  type IsolationWorld,
  isolationWorld,
  type Tenant,
} from '../../support/isolation/world.ts'

const test = suite('isolation of lists')
let world: IsolationWorld
const marks = { a: 'marked-alpha', b: 'marked-beta' }
type Headers = Record<string, string>
let as: { a: Headers; b: Headers }

/** Everything that is listed anywhere, with the mark wherever there is text. */
async function fill(tenant: Tenant, mark: string): Promise<void> {
  const { carcosa, uploads } = world.server
  const { api } = carcosa
  const [projectId, organizationId] = [firstOf(tenant), tenant.id]
  await api.organizations.update(organizationId, { name: mark })
  await api.projects.update(projectId, { name: mark })
  for (let i = 0; i < 3; i++) {
    const place = { organizationId, projectId, ownerId: tenant.ownerId, route: 'mine' }
    const id = await world.file({ ...place, ownerId: mark })
    await api.files.update(id, { filename: `${mark}.txt`, tags: [mark] })
    await api.files.sign(id)
    await uploads.jobs.enqueue(null, 'upload.digest', { fileId: id })
    await world.upload({ ...place, ownerId: mark })
    await world.key({ projectId, name: mark })
    const userId = await world.member(tenant, 'member')
    await uploads.db.prisma.user.update({ where: { id: userId }, data: { name: mark } })
    const team = await api.teams.create({ organizationId, name: mark })
    await api.teams.addMember(team.id, userId)
    const email = `${mark}${i}@example.com`
    await api.invitations.create({ organizationId, email, inviterId: tenant.ownerId })
  }
}

test.before(async () => {
  world = await isolationWorld()
  await fill(world.a, marks.a)
  await fill(world.b, marks.b)
  as = {
    a: await world.signIn(world.a.ownerId, firstOf(world.a)),
    b: await world.signIn(world.b.ownerId, firstOf(world.b)),
  }
})
test.after(() => world.server.close())

const lists = operations.filter(({ id }) => id.startsWith('list'))

async function get(path: string, headers: Headers) {
  return world.server.doors.fetch({
    ...{ method: 'GET', path: `/api/v1${path}` },
    headers: { 'Tus-Resumable': null, ...headers },
  })
}

async function teamOf({ id }: Tenant): Promise<string> {
  const { teams } = await world.server.carcosa.api.teams.list({ organizationId: id })
  return teams[0]?.id ?? ''
}

async function pathOf(path: string, tenant: Tenant): Promise<string> {
  return path.replace('{id}', tenant.id).replace('{teamId}', await teamOf(tenant))
}

for (const { id, path } of lists) {
  test(`${id} shows nothing of another organization`, async () => {
    const [own, foreign] = [
      await get(await pathOf(path, world.a), as.a),
      await get(await pathOf(path, world.b), as.b),
    ]
    assert.is(own.status, 200, own.text)
    assert.is(foreign.status, 200, foreign.text)
    for (const mark of [marks.b, world.b.id, firstOf(world.b), world.b.ownerId])
      assert.not.ok(own.text.includes(mark), own.text)
    for (const mark of [marks.a, world.a.id, firstOf(world.a), world.a.ownerId])
      assert.not.ok(foreign.text.includes(mark), foreign.text)
    // What lists nothing shows nothing.
    if (
      id !== 'listEvents' &&
      id !== 'listJobs' &&
      !id.startsWith('listAudit') &&
      id !== 'listLoggedRequests'
    )
      assert.ok(own.text.includes(marks.a), own.text)
  })

  test(`${id}: the cursor of another leads to nothing of theirs`, async () => {
    const foreign = await get(`${await pathOf(path, world.b)}?limit=1`, as.b)
    const { nextCursor = null } = foreign.json() as { nextCursor?: string | null }
    if (nextCursor === null) return
    const cursor = encodeURIComponent(nextCursor)
    const answered = await get(
      `${await pathOf(path, world.a)}?limit=100&cursor=${cursor}`,
      as.a,
    )
    assert.ok([200, 400].includes(answered.status), answered.text)
    for (const mark of [marks.b, world.b.id, firstOf(world.b)])
      assert.not.ok(answered.text.includes(mark), answered.text)
  })
}

const nasty = [
  `' OR '1'='1`,
  `' OR 1=1 --`,
  `%`,
  `_`,
  `marked%`,
  `marked_beta`,
  `'; DROP TABLE carcosa.file; --`,
  `"`,
  `\\`,
  `$1`,
  `{"gt":""}`,
  `marked-beta`,
  `x' UNION SELECT 1`,
]

/** Parameters of the query that are text: what they say is compared, and nothing else. */
const filters: [path: string, names: string[]][] = [
  ['/files', ['tag', 'prefix', 'customId', 'owner', 'route', 'type', 'cursor']],
  ['/uploads', ['owner', 'route', 'cursor']],
  ['/events', ['file', 'route', 'cursor']],
  ['/audit', ['target', 'actor', 'cursor', 'after']],
  ['/audit/requests', ['actor', 'cursor']],
  ['/api-keys', ['cursor']],
  ['/projects', ['cursor']],
  ['/organizations', ['cursor']],
]

for (const [path, names] of filters) {
  test(`SEC-38: what filters of ${path} say is compared, and nothing else`, async () => {
    for (const name of names) {
      for (const value of nasty) {
        const what = `${name}=${encodeURIComponent(value)}`
        const answered = await get(`${path}?${what}`, as.a)
        assert.ok([200, 400, 404].includes(answered.status), `${what}: ${answered.text}`)
        const text = answered.text.replaceAll(JSON.stringify(value).slice(1, -1), '')
        assert.not.ok(text.includes(firstOf(world.b)), what)
        if (answered.status !== 200 || path === '/events') continue
        const [found] = Object.values(answered.json()).filter(Array.isArray)
        assert.is(found?.length, 0, `${what}: ${answered.text}`)
      }
    }
  })
}

test('a cursor is no way around a filter that narrows to what is one’s own', async () => {
  const foreign = await get('/files?limit=1', as.a)
  const { nextCursor } = foreign.json() as { nextCursor: string }
  const caller = await callers.audit?.(world)
  assert.ok(caller)
  const own = await world.file(caller.place)
  for (const path of ['/files', `/files?cursor=${encodeURIComponent(nextCursor)}`]) {
    const { files } = (await get(path, caller.headers)).json() as {
      files: { id: string }[]
    }
    assert.ok(files.every(({ id }) => id === own))
  }
  const asked = await get(`/files?owner=${marks.a}`, caller.headers)
  assert.equal(asked.json().files, [])
})

test('Carcosa-Project and ?project= lead nowhere else', async () => {
  const projects = [firstOf(world.b), `prj_${newId()}`, "' OR 1=1", '*', '%', 'default']
  const answers = await Promise.all(
    projects.map(async (project) => {
      const encoded = encodeURIComponent(project)
      const headers = { ...as.a, 'X-Request-Id': 'same', 'Carcosa-Project': project }
      const { 'Carcosa-Project': _, ...without } = headers
      const answered = await get('/files', headers)
      assert.is((await get(`/me?project=${encoded}`, without)).status, 404)
      return [answered.status, answered.text.replaceAll(project, '…')]
    }),
  )
  for (const one of answers) assert.equal(one, answers[0])
})

test.run()
