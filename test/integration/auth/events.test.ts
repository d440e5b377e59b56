/** Who may watch: `events.read`, by role, project, scope and ticket. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { apiKeys } from '../../../src/auth/api-keys.ts'
import { custom } from '../../../src/auth/custom.ts'
import type { NewApiKey } from '../../../src/auth/keys.ts'
import { type EventStream, openStream } from '../../support/event-stream.ts'
import { created } from '../../support/records.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const test = suite('who may watch')
let server: TestServer
const open: EventStream[] = []

/** `People <id> <role> <project>` */
const people = custom(({ headers }) => {
  const [, text = ''] = /^People (.+)$/.exec(headers.get('authorization') ?? '') ?? []
  const [id, role, projectId] = text.split(' ')
  return id
    ? { id, kind: 'user', ...(role && { role }), ...(projectId && { projectId }) }
    : null
})

test.before(async () => {
  const events = { allow: () => false }
  server = await startServer({ auth: [apiKeys(), people], events })
  await server.uploads.db.prisma.project.create({ data: { id: 'p2', name: 'Two' } })
})
test.after.each(() => {
  for (const stream of open.splice(0)) stream.close()
})
test.after(() => server.close())

async function watch(query: string, headers: Record<string, string>): Promise<number> {
  const stream = await openStream(server.port, `/events?${query}`, headers)
  open.push(stream)
  return stream.status
}
const person = (text: string) => ({ Authorization: `People ${text}` })
async function key(more: Partial<NewApiKey> = {}) {
  const made = await server.carcosa.api.keys.create({ name: 'a', ...more })
  return { id: made.id, headers: { Authorization: `Bearer ${made.token}` } }
}

test('a role with events.read watches its project, one without what is its own', async () => {
  const url = await created(server.doors.http, { route: 'mine', headers: person('ann') })
  const id = url.split('/').pop()
  const rows: [who: string, own: number, route: number, project: number][] = [
    ['ann', 200, 404, 404],
    ['bob', 404, 404, 404],
    ['bob viewer', 200, 200, 200],
    ['bob member', 200, 200, 200],
    ['bob billing', 404, 404, 404],
    ['ann user p2', 404, 404, 404],
    ['bob owner p2', 404, 200, 404],
  ]
  for (const [who, ...expected] of rows) {
    const found = []
    for (const query of [`file=${id}`, 'route=mine', 'project=default']) {
      found.push(await watch(query, person(who)))
    }
    assert.equal(found, expected, who)
  }
  assert.is(await watch('project=p2', person('bob owner p2')), 200)
})

test('a key watches as far as its scopes go', async () => {
  const { headers } = await key({ scopes: { routes: ['mine'] } })
  assert.is(await watch('route=mine', headers), 200)
  assert.is(await watch('route=private', headers), 404)
  assert.is(await watch('project=default', headers), 404)
  const uploader = await key({ scopes: { actions: ['uploads.create'] } })
  assert.is(await watch('route=mine', uploader.headers), 404)
  const url = await created(server.doors.http, {
    route: 'mine',
    headers: uploader.headers,
  })
  assert.is(await watch(`file=${url.split('/').pop()}`, uploader.headers), 200)
})

test('the ticket of a revoked key watches nothing more', async () => {
  const { id, headers } = await key()
  const prepared = await server.doors.http({
    method: 'POST',
    path: '/uploads/mine/prepare',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ files: [{ name: 'a', size: 5, type: '' }] }),
  })
  const { batchId, files } = prepared.json() as {
    batchId: string
    files: { ticket: string }[]
  }
  const query = `batch=${batchId}&ticket=${files[0]?.ticket}`
  assert.is(await watch(query, {}), 200)
  await server.carcosa.api.keys.revoke(id)
  assert.is(await watch(query, {}), 401)
})

test('the option events lets in whom a role leaves out, never past project and scopes', async () => {
  const other = await startServer({
    auth: [apiKeys(), people],
    events: { allow: () => true },
  })
  try {
    const url = await created(other.doors.http, { route: 'mine', headers: person('ann') })
    const query = `file=${url.split('/').pop()}`
    const { token } = await other.carcosa.api.keys.create({
      name: 'a',
      scopes: { actions: ['uploads.create'] },
    })
    const rows: [headers: Record<string, string>, status: number][] = [
      [person('bob'), 200],
      [person('bob owner p2'), 404],
      [{ Authorization: `Bearer ${token}` }, 404],
      [{}, 404],
    ]
    for (const [headers, status] of rows) {
      const stream = await openStream(other.port, `/events?${query}`, headers)
      stream.close()
      assert.is(stream.status, status, JSON.stringify(headers).slice(0, 40))
    }
  } finally {
    await other.close()
  }
})

test.run()
