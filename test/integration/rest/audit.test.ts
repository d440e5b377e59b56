/** What the REST API leaves in both logs, and who may read them. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../../support/raw-http.ts'
import { otherProject, type RestWorld, restWorld } from '../../support/rest/world.ts'

const test = suite('the logs of the REST API')
let world: RestWorld
test.before(async () => {
  world = await restWorld()
})
test.after(() => world.server.close())

const entries = async () => (await world.server.carcosa.api.audit.list()).entries
const requests = async () => (await world.server.carcosa.api.audit.requests()).requests

test('what is done by request is told with who did it, from where and in which request', async () => {
  const id = await world.file()
  const { status } = await world.ask({
    method: 'PATCH',
    path: `/files/${id}`,
    body: { filename: 'b.txt' },
    headers: { ...(await world.as({ name: 'renamer' })), 'X-Request-Id': 'renaming' },
  })
  assert.is(status, 200)
  const [entry] = await entries()
  assert.is(entry?.action, 'file.renamed')
  assert.is(entry?.requestId, 'renaming')
  assert.is(entry?.actor.kind, 'api-key')
  assert.match(entry?.actor.id ?? '', /^key_/)
  assert.equal(entry?.details, { filename: { before: 'a.txt', after: 'b.txt' } })
})

test('what is refused is told, with its code, in the project of who asked', async () => {
  const id = await world.file()
  const key = await world.server.carcosa.api.keys.create({ name: 'v', role: 'viewer' })
  const other = await world.as({ projectId: otherProject })
  const asked: [headers: Record<string, string>, status: number, projectId: string][] = [
    [{ Authorization: `Bearer ${key.token}` }, 403, 'default'],
    [other, 404, otherProject],
  ]
  for (const [headers, status, projectId] of asked) {
    const answer = await world.ask({ method: 'DELETE', path: `/files/${id}`, headers })
    assert.is(answer.status, status)
    const [entry] = await entries()
    assert.equal(
      [entry?.action, entry?.outcome, entry?.code, entry?.projectId, entry?.target],
      [
        'request.refused',
        status === 403 ? 'denied' : 'refused',
        status === 403 ? 'FORBIDDEN' : 'FILE_NOT_FOUND',
        projectId,
        { type: 'request', id: 'DELETE /api/v1/files/{id}' },
      ],
    )
  }
})

test('reading, and who is not known, leave nothing in the audit log', async () => {
  const before = await entries()
  await world.ask({ path: '/files' })
  await world.ask({ path: '/files/none' })
  const nobody = { Authorization: 'Bearer ck_live_wrong' }
  await world.ask({ method: 'POST', path: '/api-keys', headers: nobody, body: {} })
  assert.equal(await entries(), before)
})

test('every request is in the request log by default, refused ones too', async () => {
  const named = (headers = {}, name = '') => ({ ...headers, 'X-Request-Id': name })
  const owner = await world.as()
  await world.ask({ path: '/files?limit=1', headers: named(owner, 'one') })
  await world.ask({ path: '/files/none', headers: named(owner, 'two') })
  await world.ask({
    path: '/me',
    headers: named({ Authorization: 'Bearer expired' }, 'three'),
  })
  const lines = await eventually(requests, (all) =>
    all.some(({ requestId }) => requestId === 'three'),
  )
  const found = ['one', 'two', 'three'].map((name) =>
    lines.find(({ requestId }) => requestId === name),
  )
  assert.equal(
    found.map((line) => [line?.pattern, line?.path, line?.status, line?.actor?.kind]),
    [
      ['/api/v1/files', '/api/v1/files?limit=1', 200, 'api-key'],
      ['/api/v1/files/none', '/api/v1/files/none', 404, 'api-key'],
      ['/api/v1/me', '/api/v1/me', 401, undefined],
    ],
  )
})

test('admins read both logs of their project, and nobody else does', async () => {
  await world.server.carcosa.api.keys.create({ name: 'x', projectId: otherProject })
  const roles: [role: string, status: number][] = [
    ['owner', 200],
    ['admin', 200],
    ['developer', 403],
    ['viewer', 403],
  ]
  for (const [role, status] of roles) {
    const headers = await world.as({ role, projectId: otherProject })
    for (const path of ['/audit', '/audit/requests']) {
      const answer = await world.ask({ path, headers })
      assert.is(answer.status, status, `${role} ${path}`)
      if (status !== 200) continue
      const found = answer.json() as Record<string, { projectId: string }[]>
      const all = found.entries ?? found.requests ?? []
      assert.ok(all.every(({ projectId }) => projectId === otherProject))
      if (path === '/audit') assert.ok(all.length > 0)
    }
  }
})

const bad = ['limit=0', 'status=999', 'after=yesterday', 'action=x', 'actor=%00', 'x=1']

for (const query of bad) {
  test(`refuses ?${query}`, async () => {
    for (const path of ['/audit', '/audit/requests']) {
      const { status, text } = await world.ask({ path: `${path}?${query}` })
      assert.is(status, 400, text)
    }
  })
}

test('SEC-38: a cursor is of its own list, and of this server', async () => {
  for (const cursor of ["'", '%25', 'MTcwMC5hYmM', 'x'.repeat(900)]) {
    for (const path of ['/audit/requests', '/audit']) {
      const { status } = await world.ask({ path: `${path}?cursor=${cursor}` })
      assert.ok(status === 400 || (path === '/audit' && status === 200), `${status}`)
    }
  }
})

test.run()
