/** Files over REST: how they are found, changed, deleted, brought back and fetched. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Answered } from '../../support/exchange.ts'
import { otherProject, type RestWorld, restWorld } from '../../support/rest/world.ts'

const test = suite('files over REST')
let world: RestWorld
test.before(async () => {
  world = await restWorld()
})
test.after(() => world.server.close())

type Json = Record<string, unknown>
const filesOf = (answer: Answered) => answer.json().files as Json[]
const codeOf = ({ status, json }: Answered) => [status, json().code]
const api = () => world.server.carcosa.api

test('files are found by type, tag, name and custom id', async () => {
  const made = await api().files.upload('a,b', {
    ...{ route: 'mine', filename: 'Ü ber.csv', type: 'text/csv' },
    ...{ tags: ['red & blue'], customId: 'no. 1/2' },
  })
  await world.file()
  for (const query of [
    'type=text/csv',
    'tag=red%20%26%20blue',
    `prefix=${encodeURIComponent('Ü')}`,
    'customId=no.%201/2',
    'type=text/*&tag=red%20%26%20blue&route=mine&state=ready',
  ]) {
    const answer = await world.ask({ path: `/files?${query}` })
    assert.is(answer.status, 200, answer.text)
    assert.equal(
      filesOf(answer).map(({ id }) => id),
      [made.id],
      query,
    )
  }
  const path = `/files/by-custom-id/${encodeURIComponent('no. 1/2')}`
  const one = await world.ask({ path })
  assert.equal(
    [one.status, one.json().id, one.json().tags],
    [200, made.id, ['red & blue']],
  )
  const headers = await world.as({ projectId: otherProject })
  const foreign = await world.ask({ path, headers })
  const unknown = await world.ask({ path: '/files/by-custom-id/nobody', headers })
  assert.equal(codeOf(foreign), [404, 'FILE_NOT_FOUND'])
  assert.is(foreign.json().detail, unknown.json().detail)
})

for (const query of [
  'type=image',
  'type=%00/x',
  'prefix=',
  'tag=',
  'customId=',
  'prefix=%00',
]) {
  test(`a list by ${query} is refused`, async () => {
    const answer = await world.ask({ path: `/files?${query}` })
    assert.equal(codeOf(answer), [400, 'BAD_REQUEST'])
  })
}

test('a key for some routes is listed files of those, page by page', async () => {
  const { server } = world
  for (const route of ['demo', 'private', 'mine', 'demo']) {
    await server.carcosa.api.files.upload('x', { route, ownerId: 'scoped' })
  }
  const scopes = { routes: ['demo', 'private'] }
  const headers = await world.as({ role: 'viewer', scopes })
  const found: unknown[] = []
  for (let cursor = ''; ; ) {
    const path = `/files?owner=scoped&limit=1${cursor && `&cursor=${cursor}`}`
    const answer = await world.ask({ path, headers })
    found.push(...filesOf(answer).map(({ route }) => route))
    if (answer.json().nextCursor === null) break
    cursor = String(answer.json().nextCursor)
  }
  assert.equal(found, ['demo', 'private', 'demo'])
  const all = filesOf(await world.ask({ path: '/files', headers }))
  assert.ok(all.every(({ route }) => route !== 'mine'))
})

test('of ten changes of the same ETag one is made', async () => {
  const path = `/files/${await world.file()}`
  const before = await world.ask({ path })
  const owner = await world.as()
  const headers = { ...owner, 'If-Match': before.headers.etag ?? '' }
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      world.ask({ method: 'PATCH', path, headers, body: { tags: [`t${i}`] } }),
    ),
  )
  const statuses = answers.map(({ status }) => status).sort()
  assert.equal(statuses, [200, ...Array.from({ length: 9 }, () => 412)])
  const won = answers.find(({ status }) => status === 200)
  const after = await world.ask({ path })
  assert.equal(after.json().tags, won?.json().tags)
  assert.is(after.headers.etag, won?.headers.etag)
})

test('an acl that is changed holds for the next reader', async () => {
  const id = await world.file()
  const read = () => world.server.doors.fetch({ method: 'GET', path: `/files/${id}` })
  assert.is((await read()).status, 404)
  const change = (acl: string) =>
    world.ask({ method: 'PATCH', path: `/files/${id}`, body: { acl } })
  assert.is((await change('public-read')).status, 200)
  assert.is((await read()).status, 200)
  assert.is((await change('private')).status, 200)
  assert.is((await read()).status, 404)
})

test('a custom id that is taken, and a change of nothing, are refused', async () => {
  const [one, two] = [await world.file(), await world.file()]
  const change = (id: string, body: Json) =>
    world.ask({ method: 'PATCH', path: `/files/${id}`, body })
  assert.is((await change(one, { customId: 'mine alone' })).status, 200)
  assert.equal(codeOf(await change(two, { customId: 'mine alone' })), [
    409,
    'CUSTOM_ID_TAKEN',
  ])
  assert.equal((await change(one, { customId: null })).json().customId, null)
  for (const body of [
    {},
    { tags: ['\0'] },
    { acl: 'x' },
    { customId: '' },
    { size: 1 },
  ]) {
    assert.equal(codeOf(await change(one, body)), [400, 'BAD_REQUEST'])
  }
})

test('many are deleted, of which only those one may; they come back one by one', async () => {
  const [mine, other] = [
    await world.file({ ownerId: 'ann' }),
    await world.file({ projectId: otherProject }),
  ]
  const body = { ids: [mine, other, 'AAAAAAAAAAAAAAAAAAAAAAAA', mine] }
  const answer = await world.ask({ method: 'POST', path: '/files/delete', body })
  assert.equal(answer.json().deleted, [mine])
  assert.is((await api().files.get(other))?.state, 'ready')
  assert.is((await world.ask({ path: `/files/${mine}` })).status, 404)
  const listed = filesOf(await world.ask({ path: '/files?state=removed&owner=ann' }))
  assert.equal(
    listed.map(({ id, purgeAfter }) => [id, typeof purgeAfter]),
    [[mine, 'string']],
  )
  const restore = (id: string, headers?: { Authorization: string }) =>
    world.ask({
      ...{ method: 'POST', path: `/files/${id}/restore`, body: {} },
      ...(headers && { headers }),
    })
  const viewer = await world.as({ role: 'viewer' })
  assert.equal(codeOf(await restore(mine, viewer)), [403, 'FORBIDDEN'])
  const foreign = await world.as({ projectId: otherProject })
  assert.equal(codeOf(await restore(mine, foreign)), [404, 'FILE_NOT_FOUND'])
  assert.equal((await restore(mine)).json().state, 'ready')
  assert.is((await world.ask({ path: `/files/${mine}` })).status, 200)
  await api().files.delete(mine)
  await world.server.uploads.db.executeSql(
    `UPDATE carcosa.file SET purge_after = now() - interval '1 ms' WHERE id = $1`,
    [mine],
  )
  assert.equal(codeOf(await restore(mine)), [410, 'RESTORE_TOO_LATE'])
})

test('a URL is fetched for who may write to all files, on routes of theirs', async () => {
  const source = await api().files.sign(await world.file())
  const url = `http://127.0.0.1:${world.server.port}${source}`
  const fetch = (body: Json, headers?: { Authorization: string }) =>
    world.ask({
      ...{
        method: 'POST',
        path: '/files/from-url',
        body: { url, route: 'mine', ...body },
      },
      ...(headers && { headers }),
    })
  const made = await fetch({ filename: 'f', tags: ['t'], acl: 'public-read' })
  assert.is(made.status, 201, made.text)
  const { id, size, tags, acl, ownerId } = made.json()
  assert.equal([size, tags, acl], [5, ['t'], 'public-read'])
  assert.match(String(ownerId), /^key_/)
  const elsewhere = await fetch({}, await world.as({ projectId: otherProject }))
  assert.is((await api().files.get(String(elsewhere.json().id)))?.projectId, otherProject)
  assert.is((await world.ask({ path: `/files/${elsewhere.json().id}` })).status, 404)
  assert.ok(id)

  const uploader = await world.as({ role: 'user' })
  assert.equal(codeOf(await fetch({}, uploader)), [403, 'FORBIDDEN'])
  const refused: [Json, number, string][] = [
    [{ url: 'http://10.0.0.1/' }, 502, 'SOURCE_UNAVAILABLE'],
    [{ url: 'http://169.254.169.254/latest/meta-data' }, 502, 'SOURCE_UNAVAILABLE'],
    [{ url: 'file:///etc/passwd' }, 400, 'SOURCE_INVALID'],
    [{ url: 'http://a:b@127.0.0.1/' }, 400, 'SOURCE_INVALID'],
    [{ route: 'nowhere' }, 404, 'ROUTE_NOT_FOUND'],
    [{ route: 'image' }, 415, 'TYPE_NOT_ALLOWED'],
    [{ url: '' }, 400, 'BAD_REQUEST'],
  ]
  for (const [body, status, code] of refused) {
    const answer = await fetch(body)
    assert.equal(codeOf(answer), [status, code], JSON.stringify(body))
    assert.not.match(answer.text, /ECONN|EHOST|10\.0\.0\.1|meta-data/)
  }
})

test.run()
