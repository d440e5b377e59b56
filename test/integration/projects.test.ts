/** Projects: what belongs to one is nobody else's, what they allow, and how they end. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { apiKeys } from '../../src/auth/api-keys.ts'
import { jobHandlers } from '../../src/worker.ts'
import { memory } from '../../stores/memory.ts'
import { openStream } from '../support/event-stream.ts'
import type { Answered } from '../support/exchange.ts'
import { begin, upload } from '../support/lifecycle.ts'
import { stray } from '../support/reconciling.ts'
import { created } from '../support/records.ts'
import { bearer, startServer, type TestServer } from '../support/server.ts'

const test = suite('projects')
const main = memory()
let server: TestServer
test.before(async () => {
  server = await startServer({ auth: [apiKeys(), bearer], store: { main } })
})
test.after(() => server.close())

const api = () => server.carcosa.api
const unknown = 'unknownunknownunknown'

interface Tenant {
  id: string
  headers: Record<string, string>
}

async function tenant(name = 'tenant'): Promise<Tenant> {
  const { id } = await api().projects.create({ name })
  const { token } = await api().keys.create({ name, projectId: id, role: 'admin' })
  return { id, headers: { Authorization: `Bearer ${token}` } }
}

const get = (path: string, headers: Record<string, string> = {}) =>
  server.doors.http({ method: 'GET', path, headers })

const post = (route: string, headers: Record<string, string> = {}) =>
  server.doors.http({
    method: 'POST',
    path: `/uploads/${route}`,
    headers: { 'Upload-Length': '5', ...headers },
  })

const send = (who: Tenant, body: string, route = 'mine') =>
  upload(server, route, { body, headers: who.headers })

function codeOf({ text }: Answered): string {
  return (JSON.parse(text) as { code: string }).code
}

/** Whatever comes next has a later time. */
const apart = () => new Promise((resolve) => setTimeout(resolve, 3))

/** All that says something, without what every answer has anew. */
function essence({ status, text }: Answered, id: string): unknown {
  const { requestId: _, ...body } = JSON.parse(text.replaceAll(id, '<id>'))
  return { status, body }
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

async function runDue(projectId: string): Promise<void> {
  await server.uploads.db.executeSql(
    "UPDATE carcosa.project SET delete_after = now() - interval '1 ms' WHERE id = $1",
    [projectId],
  )
  await remove(projectId)
}

const remove = (projectId: string, signal = new AbortController().signal) =>
  jobHandlers(server.uploads)['project.delete'](
    { projectId },
    { id: 'job', attempt: 1, signal },
  )

test('two projects see disjoint uploads, files and events', async () => {
  const [a, b] = [await tenant('a'), await tenant('b')]
  const ofA = await send(a, 'of a')
  const ofB = await send(b, 'of b')
  const growing = await begin(server, 'mine', { length: 5, headers: a.headers })
  assert.is((await get(`/files/${ofA.id}`, a.headers)).text, 'of a')
  for (const path of [
    `/files/${ofA.id}`,
    ofA.url,
    growing.url,
    `/events?file=${ofA.id}`,
  ]) {
    const foreign = await get(path, b.headers)
    const id = path === growing.url ? growing.id : ofA.id
    const none = await get(path.replace(id, unknown), b.headers)
    assert.equal(essence(foreign, id), essence(none, unknown), path)
    assert.is(foreign.status, 404)
  }
  for (const [who, own, other] of [
    [a, ofA, ofB],
    [b, ofB, ofA],
  ] as const) {
    const { files } = await api().files.list({ projectId: who.id })
    assert.equal(
      files.map(({ id }) => id),
      [own.id],
    )
    const told = await api().events.list({ projectId: who.id })
    assert.ok(told.some(({ data }) => data.id === own.id))
    assert.not.ok(told.some(({ data }) => data.id === other.id))
    assert.equal(await api().events.list({ topic: { project: who.id } }), told)
  }
  assert.is((await get(`/events?project=${a.id}`, b.headers)).status, 404)
  const inDefault = await api().files.list()
  assert.not.ok(inDefault.files.some(({ id }) => id === ofA.id || id === ofB.id))
})

test('who watches a project is told of it alone, from number 1 on', async () => {
  const [a, b] = [await tenant('a'), await tenant('b')]
  const path = `/events?project=${a.id}&lastEventId=0`
  const stream = await openStream(server.port, path, a.headers)
  try {
    await send(b, 'of b')
    const { id } = await send(a, 'of a')
    await stream.next('file.ready')
    assert.equal(
      stream.stored.map((event) => event.id),
      ['1', '2', '3'],
    )
    assert.ok(stream.stored.every(({ data }) => data.id === id))
  } finally {
    stream.close()
  }
})

test('a program names the project it uploads to, imports into and watches', async () => {
  const { id: projectId } = await tenant()
  const file = await api().files.upload('bytes', { route: 'mine', projectId })
  assert.is(file.projectId, projectId)
  stray(main, 'stray-object')
  const report = await api().files.import({ store: 'main', route: 'mine', projectId })
  assert.is(report.imported, 1)
  const { files } = await api().files.list({ projectId })
  assert.is(files.length, 2)
  const seen: unknown[] = []
  for await (const { type } of api().events.subscribe(
    { project: projectId },
    { after: 0 },
  )) {
    seen.push(type)
    if (seen.filter((one) => one === 'file.ready').length === 2) break
  }
  assert.ok(seen.includes('file.created'))
  for (const wrong of ['nowhere', 'a\0b', '', 7 as unknown as string]) {
    await fails(
      'PROJECT_NOT_FOUND',
      api().files.upload('x', { route: 'mine', projectId: wrong }),
    )
    const options = { store: 'main', route: 'mine', projectId: wrong }
    await fails('PROJECT_NOT_FOUND', api().files.import(options))
  }
  await fails('PROJECT_NOT_FOUND', api().events.list({ projectId: 'a\0b' }))
})

test('keys and projects are listed in pages, newest first', async () => {
  const { id: projectId } = await tenant()
  for (const name of ['a', 'b', 'c', 'd']) {
    await apart()
    await api().keys.create({ name, projectId })
  }
  const first = await api().keys.list({ projectId, limit: 3 })
  const second = await api().keys.list({
    projectId,
    limit: 3,
    cursor: first.nextCursor ?? '',
  })
  assert.equal(
    [...first.keys, ...second.keys].map(({ name }) => name),
    ['d', 'c', 'b', 'a', 'tenant'],
  )
  assert.is(second.nextCursor, null)
  const page = await api().projects.list({ limit: 1 })
  assert.is(page.projects[0]?.id, projectId)
  const next = await api().projects.list({ limit: 500, cursor: page.nextCursor ?? '' })
  assert.is(next.projects.at(-1)?.id, 'default')
  for (const wrong of [{ limit: 0 }, { limit: 501 }, { limit: 1.5 }]) {
    await fails('BAD_REQUEST', api().projects.list(wrong))
    await fails('BAD_REQUEST', api().keys.list(wrong))
  }
  await fails('CURSOR_INVALID', api().projects.list({ cursor: 'x' }))
})

const bad: [what: string, change: object][] = [
  ['no name', { name: '' }],
  ['a blank name', { name: '  ' }],
  ['a long name', { name: 'x'.repeat(201) }],
  ['a name with NUL', { name: 'a\0b' }],
  ['a lone surrogate', { name: '\ud800' }],
  ['a setting that does not exist', { name: 'x', settings: { allowedRoute: [] } }],
  ['a route that does not exist', { name: 'x', settings: { allowedRoutes: ['mien'] } }],
  ['routes that are no list', { name: 'x', settings: { allowedRoutes: 'mine' } }],
  ['a flag that is none', { name: 'x', settings: { publicUploads: 'no' } }],
  ['no duration', { name: 'x', settings: { eventRetention: 'long' } }],
  ['a duration of nothing', { name: 'x', settings: { eventRetention: 0 } }],
  ['longer than the server', { name: 'x', settings: { eventRetention: '400 days' } }],
  ['settings that are no object', { name: 'x', settings: [] }],
]
for (const [what, change] of bad) {
  test(`${what} is refused`, async () => {
    await fails('BAD_REQUEST', api().projects.create(change as { name: string }))
    await fails('BAD_REQUEST', api().projects.update('default', change))
  })
}

test('a change leaves what it does not name, and null is the default again', async () => {
  const { id } = await api().projects.create({
    name: 'before',
    settings: { allowedRoutes: ['mine'], publicUploads: false },
  })
  const changed = await api().projects.update(id, { settings: { eventRetention: '1d' } })
  assert.equal(changed.settings, {
    allowedRoutes: ['mine'],
    publicUploads: false,
    eventRetention: 86_400_000,
  })
  const back = { allowedRoutes: null, publicUploads: null, eventRetention: null }
  const reset = await api().projects.update(id, { name: 'after', settings: back })
  assert.is(reset.name, 'after')
  assert.equal(reset.settings, {
    allowedRoutes: null,
    publicUploads: true,
    eventRetention: null,
  })
})

test('allowedRoutes: uploads begin on no other route, by whatever way', async () => {
  const who = await tenant()
  const ticket = await ticketFor(who, 'mine')
  await api().projects.update(who.id, { settings: { allowedRoutes: ['private'] } })
  assert.is((await post('private', who.headers)).status, 201)
  const refused = await post('mine', who.headers)
  assert.is(refused.status, 403)
  assert.is(codeOf(refused), 'ROUTE_DISABLED')
  assert.is(codeOf(await post('mine', { 'Upload-Ticket': ticket })), 'ROUTE_DISABLED')
  assert.is(codeOf(await prepare(who, 'mine')), 'ROUTE_DISABLED')
  const { id: projectId } = who
  await fails('ROUTE_DISABLED', api().files.upload('x', { route: 'mine', projectId }))
})

test('publicUploads: without it, public routes are for those who may upload anyway', async () => {
  assert.is((await post('demo')).status, 201)
  await api().projects.update('default', { settings: { publicUploads: false } })
  try {
    const refused = await post('demo')
    assert.is(refused.status, 401)
    assert.is(codeOf(refused), 'UNAUTHENTICATED')
    assert.is((await post('demo', { Authorization: 'Bearer ann' })).status, 201)
    const { token } = await api().keys.create({ name: 'reader', role: 'viewer' })
    assert.is((await post('demo', { Authorization: `Bearer ${token}` })).status, 403)
  } finally {
    await api().projects.update('default', { settings: { publicUploads: null } })
  }
})

test('eventRetention: events of a project may be kept for less long than all others', async () => {
  const [brief, other] = [await tenant(), await tenant()]
  await api().projects.update(brief.id, { settings: { eventRetention: '1h' } })
  for (const who of [brief, other]) await send(who, 'old')
  await server.uploads.db.executeSql(
    `UPDATE carcosa.event SET created_at = now() - interval '2 hours'`,
  )
  await send(brief, 'new')
  const context = { id: 'job', attempt: 1, signal: new AbortController().signal }
  await jobHandlers(server.uploads)['uploads.sweep']({}, context)
  const left = await api().events.list({ projectId: brief.id })
  assert.equal(
    left.map(({ id }) => id),
    [4, 5, 6],
  )
  assert.is((await api().events.list({ projectId: other.id })).length, 3)
})

test('a deleted project is shut at once: keys, uploads, files, links and events', async () => {
  const who = await tenant()
  const file = await send(who, 'bytes')
  const open = await api().files.upload('open', { route: 'demo', projectId: who.id })
  const growing = await begin(server, 'mine', { length: 5, headers: who.headers })
  const ticket = await ticketFor(who, 'mine')
  const signed = await api().files.sign(file.id)
  const deleted = await api().projects.delete(who.id)
  assert.instance(deleted.deletedAt, Date)
  const grace = Number(deleted.deleteAfter) - Number(deleted.deletedAt)
  assert.is(grace, 7 * 24 * 3_600_000)

  assert.is((await get(growing.url, who.headers)).status, 401)
  assert.is(codeOf(await post('mine', { 'Upload-Ticket': ticket })), 'UNAUTHENTICATED')
  for (const path of [
    new URL(signed, 'http://x').pathname + new URL(signed, 'http://x').search,
    `/files/${open.id}`,
  ]) {
    const answer = await get(path)
    assert.is(answer.status, 404, path)
    assert.is(codeOf(answer), 'FILE_NOT_FOUND')
  }
  const { id: projectId } = who
  await fails('PROJECT_DELETED', api().files.upload('x', { route: 'mine', projectId }))
  await fails('PROJECT_DELETED', api().keys.create({ name: 'x', projectId }))
  await fails('PROJECT_DELETED', api().projects.update(projectId, { name: 'x' }))
  await fails('PROJECT_DELETED', api().projects.transfer(projectId, null))
  const listed = (await api().projects.list()).projects
  assert.not.ok(listed.some(({ id }) => id === projectId))
  const again = await api().projects.delete(projectId)
  assert.equal(again.deleteAfter, deleted.deleteAfter)
})

test('who is in a deleted project is told so, anybody else that there is nothing', async () => {
  const { id: projectId } = await tenant()
  const insider = await startServer({
    auth: [
      {
        name: 'jwt-like',
        authenticate: ({ headers }) =>
          headers.has('x-in')
            ? { id: 'ann', kind: 'user', projectId, role: 'admin' }
            : null,
      },
      bearer,
    ],
    database: 'memory://',
  })
  try {
    const { projects, files } = insider.carcosa.api
    const { id } = await projects.create({ name: 'mine' })
    await insider.uploads.db.executeSql(
      'UPDATE carcosa.project SET id = $1 WHERE id = $2',
      [projectId, id],
    )
    const file = await files.upload('bytes', { route: 'demo', projectId })
    const exchange = insider.doors.http
    const url = await created(exchange, {
      route: 'mine',
      length: 5,
      headers: { 'X-In': '1' },
    })
    await projects.delete(projectId)
    const rest = [`/api/v1/files/${file.id}`, '/api/v1/files', '/api/v1/api-keys']
    for (const path of rest) {
      const inside = await exchange({
        method: 'GET',
        path,
        headers: { 'X-In': '1', 'Tus-Resumable': null },
      })
      assert.is(inside.status, 410, `${path}: ${inside.text}`)
      assert.is(codeOf(inside), 'PROJECT_DELETED')
    }
    const elsewhere = await exchange({
      method: 'GET',
      path: `/api/v1/files/${file.id}`,
      headers: { Authorization: 'Bearer bob', 'Tus-Resumable': null },
    })
    assert.is(elsewhere.status, 404)
    const asked = [`/files/${file.id}`, url, `/events?project=${projectId}`]
    for (const path of asked) {
      const inside = await exchange({ method: 'GET', path, headers: { 'X-In': '1' } })
      assert.is(inside.status, 410, path)
      assert.is(codeOf(inside), 'PROJECT_DELETED')
      const outside = await exchange({
        method: 'GET',
        path,
        headers: { Authorization: 'Bearer bob' },
      })
      assert.is(outside.status, 404, path)
    }
    const more = await exchange({
      method: 'POST',
      path: '/uploads/mine',
      headers: { 'X-In': '1', 'Upload-Length': '5' },
    })
    assert.is(codeOf(more), 'PROJECT_DELETED')
  } finally {
    await insider.close()
  }
})

test('within its grace period a project is restored, but for its keys', async () => {
  const who = await tenant()
  const file = await send(who, 'bytes')
  await api().projects.delete(who.id)
  const restored = await api().projects.restore(who.id)
  assert.is(restored.deletedAt, null)
  assert.is(restored.deleteAfter, null)
  assert.equal(await api().projects.restore(who.id), restored)
  assert.is((await get(`/files/${file.id}`, who.headers)).status, 401)
  const { token } = await api().keys.create({ name: 'new', projectId: who.id })
  const read = await get(`/files/${file.id}`, { Authorization: `Bearer ${token}` })
  assert.is(read.text, 'bytes')
  await remove(who.id)
  assert.is((await api().files.get(file.id))?.state, 'ready')
})

test('after it, it goes with all it has: bytes, rows and keys, told to those who watch', async () => {
  const [who, other] = [await tenant(), await tenant()]
  await api().usage.setQuota(who.id, { bytes: '1MB', perOwner: { bytes: '1MB' } })
  const kept = await send(other, 'kept')
  const file = await send(who, 'bytes')
  const growing = await begin(server, 'mine', { length: 5, headers: who.headers })
  const { key } = await server.row(file.url)
  const told: string[] = []
  const end = new AbortController()
  const watching = (async () => {
    const events = api().events.subscribe({ project: who.id }, { signal: end.signal })
    for await (const { type, data } of events) told.push(`${type} ${data.id}`)
  })()
  await api().usage.get({ projectId: who.id })
  await api().projects.delete(who.id)
  await runDue(who.id)
  await fails('PROJECT_NOT_FOUND', api().projects.restore(who.id))
  assert.is(await api().projects.get(who.id), null)
  assert.is(await api().files.get(file.id), null)
  assert.not.ok(main.objects.has(key))
  assert.equal(
    told.sort(),
    [`file.removed ${file.id}`, `file.removed ${growing.id}`].sort(),
  )
  end.abort()
  await watching
  const { rows } = await server.uploads.db.executeSql(
    `SELECT (SELECT count(*) FROM carcosa.event WHERE project_id = $1)
      + (SELECT count(*) FROM carcosa.event_sequence WHERE project_id = $1)
      + (SELECT count(*) FROM carcosa.api_key WHERE project_id = $1)
      + (SELECT count(*) FROM carcosa.quota WHERE project_id = $1)
      + (SELECT count(*) FROM carcosa.owner_usage WHERE project_id = $1)
      + (SELECT count(*) FROM carcosa.usage_day WHERE project_id = $1)
      + (SELECT count(*) FROM carcosa.usage_cursor WHERE project_id = $1) AS left`,
    [who.id],
  )
  assert.is(Number(rows[0]?.left), 0)
  assert.is((await get(`/files/${kept.id}`, other.headers)).text, 'kept')
})

test('a removal that is stopped half-way, or by a store, goes on where it stopped', async () => {
  const who = await tenant()
  const files = [await send(who, 'one'), await send(who, 'two'), await send(who, 'three')]
  await api().projects.delete(who.id)
  const own = main.remove.bind(main)
  let removals = 0
  main.remove = async (...args) => {
    if (++removals > 1) throw new Error('the store is away')
    await own(...args)
  }
  try {
    await runDue(who.id).then(
      () => assert.unreachable(),
      (error) => assert.match(error.message, /2 files/),
    )
  } finally {
    main.remove = own
  }
  assert.instance((await api().projects.get(who.id))?.deletedAt, Date)
  const stopped = AbortSignal.abort(new Error('stopped'))
  await remove(who.id, stopped).then(
    () => assert.unreachable(),
    (error) => assert.is(error.message, 'stopped'),
  )
  await remove(who.id)
  assert.is(await api().projects.get(who.id), null)
  for (const { id } of files) assert.is(await api().files.get(id), null)
})

test('the default project is not deleted, and what is not there is not found', async () => {
  await fails('PROJECT_PROTECTED', api().projects.delete('default'))
  for (const id of ['nowhere', '', 'a\0b', 'x'.repeat(300)]) {
    assert.is(await api().projects.get(id), null)
    await fails('PROJECT_NOT_FOUND', api().projects.delete(id))
    await fails('PROJECT_NOT_FOUND', api().projects.restore(id))
    await fails('PROJECT_NOT_FOUND', api().projects.update(id, { name: 'x' }))
    await fails('PROJECT_NOT_FOUND', api().projects.transfer(id, null))
  }
  await fails('ORGANIZATION_NOT_FOUND', api().projects.transfer('default', 'org_none'))
  await fails(
    'ORGANIZATION_NOT_FOUND',
    api().projects.create({ name: 'x', organizationId: 'a\0' }),
  )
  await fails(
    'ORGANIZATION_NOT_FOUND',
    api().projects.create({ name: 'x', organizationId: 'org_none' }),
  )
})

test('a transfer ends the keys of the project', async () => {
  const who = await tenant()
  await server.uploads.db.executeSql(
    `INSERT INTO carcosa.organization (id, name, slug) VALUES ('org_new', 'New', 'new')`,
  )
  await api().projects.transfer(who.id, 'org_new')
  const transfer = { projectId: who.id, from: null, to: 'org_new' }
  const context = { id: 'job', attempt: 1, signal: new AbortController().signal }
  await jobHandlers(server.uploads)['project.transfer'](transfer, context)
  assert.is((await api().projects.get(who.id))?.organizationId, 'org_new')
  assert.is((await get(`/files/${unknown}`, who.headers)).status, 401)
  const { projects } = await api().projects.list({ organizationId: 'org_new' })
  assert.equal(
    projects.map(({ id }) => id),
    [who.id],
  )
})

async function ticketFor(who: Tenant, route: string): Promise<string> {
  const { files } = (await prepare(who, route)).json() as { files: { ticket: string }[] }
  return files[0]?.ticket ?? ''
}

function prepare({ headers }: Tenant, route: string): Promise<Answered> {
  return server.doors.http({
    method: 'POST',
    path: `/uploads/${route}/prepare`,
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify({ files: [{ name: 'a', size: 5, type: '' }] }),
  })
}

test.run()
