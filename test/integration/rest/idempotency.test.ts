/** `Idempotency-Key`: what is sent several times is done once. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createIdempotencyKeys } from '../../../src/idempotency/keys.ts'
import { dropKeys } from '../../../src/idempotency/rows.ts'
import { newId } from '../../../src/shared/ids.ts'
import { silentLogger } from '../../../src/shared/logger.ts'
import { otherProject, type RestWorld, restWorld } from '../../support/rest/world.ts'

const test = suite('Idempotency-Key')
let world: RestWorld
let owner: { Authorization: string }
test.before(async () => {
  world = await restWorld()
  owner = await world.as()
})
test.after(() => world.server.close())

const create = (
  key: string,
  { body = { name: 'once' } as object, headers = owner } = {},
) =>
  world.ask({
    method: 'POST',
    path: '/api-keys',
    headers: { ...headers, 'Idempotency-Key': key },
    body,
  })

const named = async (name: string) => {
  const { keys } = await world.server.carcosa.api.keys.list({ limit: 500 })
  return keys.filter((key) => key.name === name)
}

test('a repetition is answered as the first one was, the token included, and nothing is done', async () => {
  const key = newId()
  const first = await create(key, { body: { name: 'first' } })
  assert.is(first.status, 201)
  assert.is(first.headers['idempotency-replayed'], undefined)
  const again = await create(key, { body: { name: 'first' } })
  assert.is(again.status, 201)
  assert.is(again.headers['idempotency-replayed'], 'true')
  assert.is(again.text, first.text)
  assert.is((await named('first')).length, 1)
})

test('ten at once create one', async () => {
  const key = newId()
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => create(key, { body: { name: 'parallel' } })),
  )
  assert.is((await named('parallel')).length, 1)
  for (const { status, headers, json } of answers) {
    assert.ok(status === 201 || status === 409, String(status))
    if (status === 201) continue
    assert.is(json().code, 'IDEMPOTENCY_IN_PROGRESS')
    assert.is(headers['retry-after'], '1')
  }
  assert.is((await create(key, { body: { name: 'parallel' } })).status, 201)
})

test('a key that came with another request is refused, and nothing is done', async () => {
  const key = newId()
  await create(key, { body: { name: 'one' } })
  const other = await create(key, { body: { name: 'two' } })
  assert.is(other.status, 422)
  assert.is(other.json().code, 'IDEMPOTENCY_KEY_REUSED')
  assert.equal(await named('two'), [])
  const elsewhere = await world.ask({
    method: 'POST',
    path: '/files/delete',
    headers: { ...owner, 'Idempotency-Key': key },
    body: { ids: [newId()] },
  })
  assert.is(elsewhere.status, 422)
})

test('keys of others are none of one’s own, neither of a colleague nor of another project', async () => {
  const key = newId()
  const body = { name: 'shared', role: 'viewer' }
  const callers = [owner, await world.as(), await world.as({ projectId: otherProject })]
  const ids = new Set<unknown>()
  for (const headers of callers) {
    const answered = await create(key, { body, headers })
    assert.is(answered.status, 201, answered.text)
    assert.is(answered.headers['idempotency-replayed'], undefined)
    ids.add(answered.json().id)
  }
  assert.is(ids.size, 3)
})

test('what failed has done nothing, and may be sent again with the same key', async () => {
  const key = newId()
  const refused = await create(key, { body: { name: 'later', role: 'nonsense' } })
  assert.is(refused.status, 400)
  assert.is((await create(key, { body: { name: 'later' } })).status, 201)
})

test('who lost the permission in between is not told the answer', async () => {
  const headers = await world.as()
  const key = newId()
  assert.is((await create(key, { headers })).status, 201)
  const { id } = (await world.ask({ path: '/me', headers })).json()
  const narrow = { scopes: { actions: ['files.read'] } }
  const { prisma } = world.server.uploads.db
  await prisma.apiKey.update({ where: { id: String(id) }, data: narrow })
  await world.server.carcosa.api.keys.rotate(String(id))
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.is((await create(key, { headers })).status, 403)
})

for (const key of [
  '',
  'x'.repeat(15),
  'a b of sixteen chars',
  'schlüsselschlüssel',
  'x'.repeat(256),
]) {
  test(`${JSON.stringify(key.slice(0, 20))} is no key`, async () => {
    const answered = await create(key)
    assert.is(answered.status, 400)
    assert.is(answered.json().code, 'HEADER_INVALID')
  })
}

test('what a process that died was doing may be done by another after a while', async () => {
  const { db } = world.server.uploads
  const parts = { secrets: ['s'.repeat(32)], log: silentLogger, holdMs: 300 }
  const request = { projectId: 'p', principalId: 'x', key: newId(), content: 'a' }
  // It takes the key, and is not heard of again.
  const query: typeof db.query = async (statement, values) => {
    if (statement.name !== 'idempotency_take') throw new Error('killed')
    return db.query(statement, values)
  }
  const work = () => Promise.reject(new Error('killed'))
  const dead = createIdempotencyKeys({ ...parts, db: { query } })
  assert.is(await dead.once(request, work).catch(({ message }) => message), 'killed')
  const living = createIdempotencyKeys({ ...parts, db })
  const early = await living.once(request, async () => 'early').catch(({ code }) => code)
  assert.is(early, 'IDEMPOTENCY_IN_PROGRESS')
  await new Promise((resolve) => setTimeout(resolve, 350))
  const late = await living.once(request, async () => 'late')
  assert.equal(late, { answer: 'late', isReplayed: false })
})

test('one that takes longer than it is held goes on being its own', async () => {
  const { db } = world.server.uploads
  const keys = createIdempotencyKeys({
    db,
    secrets: ['s'],
    log: silentLogger,
    holdMs: 300,
  })
  const request = { projectId: 'p', principalId: 'x', key: newId(), content: 'a' }
  const slow = keys.once(
    request,
    () => new Promise((resolve) => setTimeout(() => resolve('slow'), 900)),
  )
  await new Promise((resolve) => setTimeout(resolve, 700))
  const other = await keys.once(request, async () => 'other').catch(({ code }) => code)
  assert.is(other, 'IDEMPOTENCY_IN_PROGRESS')
  assert.is((await slow).answer, 'slow')
})

test('answers are forgotten after 24 hours, and unreadable for who has the database', async () => {
  const { db } = world.server.uploads
  const key = newId()
  const { token } = (await create(key)).json()
  const rows = await db.query<{ id: string; answer: Uint8Array | null }>({
    name: 'test_keys',
    sql: 'SELECT id, answer FROM carcosa.idempotency_key',
  })
  const kept = Buffer.concat(rows.map(({ answer }) => answer ?? Buffer.alloc(0)))
  assert.not.ok(kept.includes(String(token)))
  assert.not.ok(JSON.stringify(rows.map(({ id }) => id)).includes(key))
  await db.query({
    name: 'test_expire_keys',
    sql: "UPDATE carcosa.idempotency_key SET expires_at = now() - interval '1 ms'",
  })
  const again = await create(key)
  assert.is(again.headers['idempotency-replayed'], undefined)
  assert.ok((await dropKeys(db)) > 0)
})

test.run()
