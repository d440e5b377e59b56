/** Lists: pages that stay what they are, and never show what is another's (SEC-38). */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { apiKeys } from '../../../src/auth/api-keys.ts'
import type { Answered } from '../../support/exchange.ts'
import { otherProject, type RestWorld, restWorld } from '../../support/rest/world.ts'
import { bearer } from '../../support/server.ts'

const test = suite('lists')
let world: RestWorld
test.before(async () => {
  world = await restWorld({ auth: [apiKeys(), bearer] })
})
test.after(() => world.server.close())

type Headers = Record<string, string>

const filesOf = (answered: Answered) => {
  assert.is(answered.status, 200, answered.text)
  return (answered.json().files as { id: string }[]).map(({ id }) => id)
}

async function pages(path: string, headers: Headers): Promise<string[][]> {
  const found: string[][] = []
  let next: string | null = path
  while (next !== null) {
    const answered: Answered = await world.ask({ path: next, headers })
    found.push(filesOf(answered))
    const [, query = null] =
      /^<(\?.+)>; rel="next"$/.exec(answered.headers.link ?? '') ?? []
    assert.is(query === null, answered.json().nextCursor === null)
    next = query && `/files${query}`
  }
  return found
}

test('pages follow each other by their links, and keep the filters', async () => {
  const ownerId = 'ann'
  const ids: string[] = []
  for (let i = 0; i < 5; i++) ids.unshift(await world.file({ ownerId }))
  await world.file({ ownerId: 'bob' })
  const headers = await world.as()
  const found = await pages('/files?limit=2&owner=ann', headers)
  assert.equal(found, [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)])
})

test('what comes and goes in between neither repeats nor hides others', async () => {
  const ids: string[] = []
  for (let i = 0; i < 4; i++) ids.unshift(await world.file({ ownerId: 'cid' }))
  const headers = await world.as()
  const first = await world.ask({ path: '/files?limit=2&owner=cid', headers })
  assert.equal(filesOf(first), ids.slice(0, 2))
  await world.file({ ownerId: 'cid' })
  await world.server.carcosa.api.files.delete(ids[1] ?? '')
  const cursor = String(first.json().nextCursor)
  const second = await world.ask({
    path: `/files?limit=2&owner=cid&cursor=${cursor}`,
    headers,
  })
  assert.equal(filesOf(second), ids.slice(2))
})

test('a cursor of another project leads nowhere else', async () => {
  for (let i = 0; i < 3; i++) await world.file({ projectId: otherProject })
  const own = await world.file()
  const there = await world.as({ projectId: otherProject })
  const here = await world.as()
  const { nextCursor } = (
    await world.ask({ path: '/files?limit=1', headers: there })
  ).json()
  const { nextCursor: mine } = (
    await world.ask({ path: '/files?limit=1', headers: here })
  ).json()
  for (const [cursor, headers, isHere] of [
    [nextCursor, here, true],
    [mine, there, false],
  ] as const) {
    const found = filesOf(
      await world.ask({ path: `/files?limit=500&cursor=${cursor}`, headers }),
    )
    for (const id of found) {
      const { projectId } = await world.server.row(id)
      assert.is(projectId, isHere ? 'default' : otherProject)
    }
  }
  assert.ok(filesOf(await world.ask({ path: '/files', headers: here })).includes(own))
})

const wrong = [
  ['', 'BAD_REQUEST'],
  ['nonsense', 'CURSOR_INVALID'],
  ["'; DROP TABLE carcosa.file; --", 'CURSOR_INVALID'],
  ['%', 'CURSOR_INVALID'],
  [Buffer.from('1.%27 OR 1=1 -- aaaaaaaaaaaaaa').toString('base64url'), 'CURSOR_INVALID'],
  [
    Buffer.from(`${'9'.repeat(16)}.${'x'.repeat(24)}`).toString('base64url'),
    'CURSOR_INVALID',
  ],
  ['\0', 'BAD_REQUEST'],
  ['x'.repeat(1_001), 'BAD_REQUEST'],
]
for (const [cursor = '', code] of wrong) {
  for (const path of ['/files', '/uploads', '/api-keys']) {
    test(`${path}: ${JSON.stringify(cursor.slice(0, 40))} is no cursor`, async () => {
      const query = new URLSearchParams({ cursor })
      const answered = await world.ask({ path: `${path}?${query}` })
      assert.is(answered.status, 400, answered.text)
      assert.is(answered.json().code, code)
    })
  }
}

test('whoever may see only what is their own is listed that, whatever they ask for', async () => {
  const own = await world.file({ ownerId: 'dan' })
  const foreign = await world.file({ ownerId: 'eve' })
  const headers = { Authorization: 'Bearer dan' }
  assert.equal(filesOf(await world.ask({ path: '/files', headers })), [own])
  assert.equal(filesOf(await world.ask({ path: '/files?owner=eve', headers })), [])
  assert.is((await world.ask({ path: `/files/${foreign}`, headers })).status, 404)
})

test('a key for some routes is listed what is on them', async () => {
  await world.file({ route: 'mine', ownerId: 'fay' })
  const demo = await world.file({ route: 'demo', ownerId: 'fay' })
  const headers = await world.as({ scopes: { routes: ['demo'] } })
  assert.equal(filesOf(await world.ask({ path: '/files?owner=fay', headers })), [demo])
  assert.equal(
    filesOf(await world.ask({ path: '/files?owner=fay&route=mine', headers })),
    [],
  )
})

test('deleting many deletes what one may, and says what that was', async () => {
  const own = await world.file({ ownerId: 'gus' })
  const foreign = await world.file({ ownerId: 'eve' })
  const elsewhere = await world.file({ ownerId: 'gus', projectId: otherProject })
  const answered = await world.ask({
    method: 'POST',
    path: '/files/delete',
    headers: { Authorization: 'Bearer gus' },
    body: { ids: [own, own, foreign, elsewhere, 'nonsense'] },
  })
  assert.equal(answered.json(), { deleted: [own] })
  assert.is((await world.server.row(foreign)).state, 'ready')
  assert.is((await world.server.row(elsewhere)).state, 'ready')
})

test('events are listed in order, and those of others are not there', async () => {
  const own = await world.file({ ownerId: 'hal' })
  const foreign = await world.file({ ownerId: 'eve' })
  const headers = { Authorization: 'Bearer hal' }
  assert.is((await world.ask({ path: '/events', headers })).status, 403)
  const ask = (file: string) => world.ask({ path: `/events?file=${file}`, headers })
  const types = (await ask(own)).json().events as { type: string }[]
  assert.equal([types[0]?.type, types.at(-1)?.type], ['file.created', 'file.ready'])
  const [theirs, nothing] = [await ask(foreign), await ask('x'.repeat(24))]
  assert.equal([theirs.status, nothing.status], [404, 404])
  assert.is(theirs.json().detail, nothing.json().detail)
  const all: number[] = []
  let cursor: unknown = '0'
  while (cursor !== null) {
    const page = (await world.ask({ path: `/events?limit=7&cursor=${cursor}` })).json()
    all.push(...(page.events as { id: number }[]).map(({ id }) => id))
    cursor = page.nextCursor
  }
  assert.equal(
    all,
    all.map((_, i) => i + 1),
  )
})

test('jobs are those about files of the project', async () => {
  const { jobs } = world.server.uploads
  const here = await world.file()
  const there = await world.file({ projectId: otherProject })
  for (const fileId of [here, there])
    await jobs.enqueue(null, 'upload.digest', { fileId })
  const answered = await world.ask({ path: '/jobs?limit=1000' })
  const about = (answered.json().jobs as { fileId: string }[]).map(({ fileId }) => fileId)
  assert.ok(about.includes(here))
  assert.not.ok(about.includes(there))
})

test('jobs of others, and of the server, are neither listed nor tried again', async () => {
  const { db, jobs } = world.server.uploads
  const here = await world.file()
  const there = await world.file({ projectId: otherProject })
  for (const fileId of [here, there])
    await jobs.enqueue(null, 'upload.complete', { fileId })
  await jobs.enqueue(null, 'usage.recount', { projectId: 'default' })
  // As if each had failed, and were to be tried again much later.
  await db.executeSql(
    `UPDATE carcosa_jobs.job SET state = 'retry', retry_count = 1,
    output = '{"message":"no"}', started_on = now(), start_after = now() + interval '1 day'
    WHERE data->>'fileId' = ANY($1::text[]) AND name = 'upload.complete' OR name = 'usage.recount'`,
    [[here, there]],
  )
  const all = await world.server.carcosa.api.jobs.list({ state: 'failed', limit: 1_000 })
  const foreign = all.filter(({ data }) => data.fileId !== here).map(({ id }) => id)
  assert.ok(foreign.length >= 2)
  const { jobs: listed } = (
    await world.ask({ path: '/jobs?limit=1000&state=failed' })
  ).json()
  assert.not.ok((listed as { id: string }[]).some(({ id }) => foreign.includes(id)))

  const retry = async (body: object) => {
    const path = '/jobs/retry'
    const answered = await world.ask({ method: 'POST', path, body })
    assert.is(answered.status, 200, answered.text)
    return answered.json().retried
  }
  const late = async (ids: string[]) =>
    (
      await db.executeSql(
        `SELECT id FROM carcosa_jobs.job WHERE id = ANY($1::uuid[]) AND start_after > now() + interval '1 hour'`,
        [ids],
      )
    ).rows.length
  assert.is(await retry({ ids: foreign.slice(0, 100) }), 0)
  await retry({})
  assert.is(await late(foreign), foreign.length)
  const own = all.filter(({ data }) => data.fileId === here).map(({ id }) => id)
  assert.is(await late(own), 0)
})

test.run()
