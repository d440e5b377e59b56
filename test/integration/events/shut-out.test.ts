/** Streams end when whoever watches would not be let in any more: rows SEC-29 and SEC-33. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { apiKeys } from '../../../src/auth/api-keys.ts'
import type { AuthProvider, Principal } from '../../../src/auth/principal.ts'
import { CarcosaError } from '../../../src/shared/errors.ts'
import { type EventSocket, openSocket } from '../../support/event-socket.ts'
import {
  type EventStream,
  openStream,
  openWebStream,
  until,
} from '../../support/event-stream.ts'
import { postgres, type TestDatabase } from '../../support/postgres.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const test = suite('who is shut out')

/** What each `Person <name>` is at the moment; a session that may end or change. */
const people = new Map<string, Principal | CarcosaError>()
const sessions: AuthProvider = {
  name: 'sessions',
  authenticate({ headers }) {
    const [, name] = /^Person (.+)$/.exec(headers.get('authorization') ?? '') ?? []
    if (!name) return null
    const found = people.get(name) ?? new CarcosaError('UNAUTHENTICATED')
    if (found instanceof CarcosaError) throw found
    return found
  },
}

let database: TestDatabase
let server: TestServer
let other: TestServer
const open: { close(): void }[] = []

test.before(async () => {
  database = await postgres()
  const options = { database: database.url, auth: [apiKeys(), sessions] }
  server = await startServer(options, { vigil: { quickMs: 100, fullMs: 300 } })
  // Where keys are revoked; the limits are those that everybody has.
  other = await startServer(options)
})
test.after.each(() => {
  for (const stream of open.splice(0)) stream.close()
})
test.after(async () => {
  await other.close()
  await server.close()
  await database.drop()
})

async function stream(query: string, headers = {}, on = server): Promise<EventStream> {
  const made = await openStream(on.port, `/events?${query}`, headers)
  open.push(made)
  return made
}
async function socket(
  headers: Record<string, string>,
  path = '/ws',
): Promise<EventSocket> {
  const made = await openSocket(server.port, path, headers)
  open.push(made)
  return made
}
async function key() {
  const made = await other.carcosa.api.keys.create({ name: 'a' })
  return { id: made.id, headers: { Authorization: `Bearer ${made.token}` } }
}
async function ticketOf(headers: Record<string, string>) {
  const prepared = await server.doors.http({
    method: 'POST',
    path: '/uploads/mine/prepare',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ files: [{ name: 'a', size: 5, type: '' }] }),
  })
  // What prepare answers with.
  return prepared.json() as { batchId: string; files: [{ ticket: string }] }
}

test('SEC-29: a revoked key ends what it watches, by whatever door, and comes back to 401', async () => {
  const { id, headers } = await key()
  const kept = await key()
  const sse = await stream('route=mine', headers)
  const web = await openWebStream(server.carcosa.fetch, '/events?route=mine', headers)
  const ws = await socket(headers)
  ws.send({ type: 'subscribe', topic: { route: 'mine' } })
  await ws.next('subscribed')
  const others = [await stream('route=mine', kept.headers), await socket(kept.headers)]
  await other.carcosa.api.keys.revoke(id)
  await until(() => sse.ended && web.ended && ws.closed !== null, 'an end of all three')
  assert.is(ws.closed, 1008)
  assert.is((await stream('route=mine', headers)).status, 401)
  assert.not.ok((others[0] as EventStream).ended)
  assert.is((others[1] as EventSocket).closed, null)
})

test('within seconds, with the limits that everybody has', async () => {
  const { id, headers } = await key()
  const sse = await stream('route=mine', headers, other)
  assert.is(sse.status, 200)
  const before = Date.now()
  await server.carcosa.api.keys.revoke(id)
  await until(() => sse.ended, 'the end')
  assert.ok(Date.now() - before < 5_000)
})

test('nothing that happens afterwards is told', async () => {
  const { id, headers } = await key()
  const sse = await stream('route=mine', headers)
  await other.carcosa.api.keys.revoke(id)
  await until(() => sse.ended, 'the end')
  const before = sse.events.length
  const still = await key()
  await server.doors.http({
    method: 'POST',
    path: '/uploads/mine',
    headers: { 'Upload-Length': '5', ...still.headers },
  })
  await new Promise((resolve) => setTimeout(resolve, 500))
  assert.is(sse.events.length, before)
})

test('the ticket of a revoked key ends with it, shown at first or later', async () => {
  const { id, headers } = await key()
  const { batchId, files } = await ticketOf(headers)
  const [{ ticket }] = files
  const sse = await stream(`batch=${batchId}&ticket=${ticket}`)
  const ws = await socket({})
  ws.send({ type: 'subscribe', topic: { batch: batchId }, ticket })
  await ws.next('subscribed')
  const nobody = await socket({})
  await other.carcosa.api.keys.revoke(id)
  await until(() => sse.ended && ws.closed !== null, 'an end of both')
  assert.is(nobody.closed, null)
})

const changes: [title: string, now: Principal | CarcosaError][] = [
  ['a session that ended', new CarcosaError('UNAUTHENTICATED')],
  ['another role', { id: 'ann', kind: 'user', role: 'viewer' }],
  ['another project', { id: 'ann', kind: 'user', role: 'member', projectId: 'p2' }],
  [
    'narrower scopes',
    { id: 'ann', kind: 'user', role: 'member', scopes: { routes: [] } },
  ],
]

for (const [title, now] of changes) {
  test(`${title} ends what was watched before`, async () => {
    people.set('ann', { id: 'ann', kind: 'user', role: 'member' })
    people.set('bob', { id: 'bob', kind: 'user', role: 'member' })
    const sse = await stream('route=mine', { Authorization: 'Person ann' })
    const ws = await socket({ Authorization: 'Person ann' })
    const bob = await stream('route=mine', { Authorization: 'Person bob' })
    people.set('ann', now)
    await until(() => sse.ended && ws.closed !== null, 'an end of both')
    assert.not.ok(bob.ended)
  })
}

test('who cannot be judged at the moment stays', async () => {
  people.set('ann', { id: 'ann', kind: 'user', role: 'member' })
  const sse = await stream('route=mine', { Authorization: 'Person ann' })
  people.set('ann', new CarcosaError('AUTH_UNAVAILABLE'))
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  assert.not.ok(sse.ended)
})

test.run()
