/** ETags: nobody changes what somebody else has changed since, and nothing is sent twice for nothing. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type RestWorld, restWorld } from '../../support/rest/world.ts'

const test = suite('ETags')
let world: RestWorld
let owner: { Authorization: string }
test.before(async () => {
  world = await restWorld()
  owner = await world.as()
})
test.after(() => world.server.close())

const get = (id: string, headers = {}) =>
  world.ask({ path: `/files/${id}`, headers: { ...owner, ...headers } })
const rename = (id: string, filename: string, headers = {}) =>
  world.ask({
    method: 'PATCH',
    path: `/files/${id}`,
    headers: { ...owner, ...headers },
    body: { filename },
  })
const etagOf = async (id: string) => (await get(id)).headers.etag ?? ''

test('one thing has a strong ETag, which changes with it and with nothing else', async () => {
  const id = await world.file()
  const etag = await etagOf(id)
  assert.match(etag, /^"[\w-]{22}"$/)
  assert.is(await etagOf(id), etag)
  const renamed = await rename(id, 'b.txt')
  assert.not.equal(renamed.headers.etag, etag)
  assert.is(await etagOf(id), renamed.headers.etag)
})

test('who has it already is told so, without a body', async () => {
  const id = await world.file()
  const etag = await etagOf(id)
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const answered = await get(id, { 'If-None-Match': known })
    assert.is(answered.status, 304, known)
    assert.is(answered.text, '')
    assert.is(answered.headers.etag, etag)
  }
  assert.is((await get(id, { 'If-None-Match': '"other"' })).status, 200)
})

const conditions: [what: string, known: (etag: string) => string, status: number][] = [
  ['as it is', (etag) => etag, 200],
  ['one of several', (etag) => `"other", ${etag}`, 200],
  ['anything', () => '*', 200],
  ['as it was', () => '"other"', 412],
  ['a weak tag', (etag) => `W/${etag}`, 412],
  ['nonsense', () => 'nonsense', 412],
]
for (const [what, known, status] of conditions) {
  test(`If-Match with ${what}: a change is answered with ${status}`, async () => {
    const id = await world.file()
    const condition = { 'If-Match': known(await etagOf(id)) }
    const answered = await rename(id, 'b.txt', condition)
    assert.is(answered.status, status, answered.text)
    if (status === 412) assert.is(answered.json().code, 'PRECONDITION_FAILED')
    assert.is((await get(id)).json().filename, status === 200 ? 'b.txt' : 'a.txt')
  })

  test(`If-Match with ${what}: so is a deletion`, async () => {
    const id = await world.file()
    const headers = { ...owner, 'If-Match': known(await etagOf(id)) }
    const answered = await world.ask({ method: 'DELETE', path: `/files/${id}`, headers })
    assert.is(answered.status, status === 200 ? 204 : status)
    assert.is((await get(id)).status, status === 200 ? 404 : 200)
  })
}

test('of twenty changes with one ETag exactly one wins', async () => {
  const id = await world.file()
  const condition = { 'If-Match': await etagOf(id) }
  const names = Array.from({ length: 20 }, (_, i) => `${i}.txt`)
  const answers = await Promise.all(names.map((name) => rename(id, name, condition)))
  const statuses = answers.map(({ status }) => status)
  assert.equal(statuses.filter((status) => status !== 412).sort(), [200])
  const winner = names[statuses.indexOf(200)]
  assert.is((await get(id)).json().filename, winner)
})

test('what was changed after it was compared is left alone', async () => {
  const id = await world.file()
  const { files } = world.server.carcosa.api
  const ifMatch = (await files.get(id))?.revision ?? -1
  await files.rename(id, 'first.txt')
  const second = files.update(id, { filename: 'second.txt' }, { ifMatch })
  assert.is(await second.catch(({ code }) => code), 'PRECONDITION_FAILED')
  assert.is((await files.get(id))?.filename, 'first.txt')
})

test('what was changed after it was compared is not deleted, and what was not is', async () => {
  const id = await world.file()
  const { files } = world.server.carcosa.api
  const ifMatch = (await files.get(id))?.revision ?? -1
  await files.rename(id, 'first.txt')
  const refused = files.delete(id, { ifMatch })
  assert.is(await refused.catch(({ code }) => code), 'PRECONDITION_FAILED')
  assert.is((await files.get(id))?.state, 'ready')
  assert.is(await files.delete(id, { ifMatch: ifMatch + 1 }), true)
  assert.is(await files.delete(id, { ifMatch: ifMatch + 1 }), false, 'it is gone')
})

test('of a change and a deletion with one ETag exactly one is done', async () => {
  for (let i = 0; i < 30; i++) {
    const id = await world.file()
    const condition = { 'If-Match': await etagOf(id) }
    const headers = { ...owner, ...condition }
    const path = `/files/${id}`
    const remove = () => world.ask({ method: 'DELETE', path, headers })
    const change = () => rename(id, 'changed.txt', condition)
    const [first, second] = i % 2 ? [remove, change] : [change, remove]
    const statuses = (await Promise.all([first(), second()])).map(({ status }) => status)
    const done = statuses.filter((status) => status < 300)
    assert.is(done.length, 1, `${statuses}`)
    const found = await get(id)
    assert.is(found.status, done[0] === 204 ? 404 : 200)
    if (done[0] === 200) assert.is(found.json().filename, 'changed.txt')
  }
})

test('lists and what is not there have none', async () => {
  assert.is((await world.ask({ path: '/files' })).headers.etag, undefined)
  const nowhere = await get('x'.repeat(24), { 'If-None-Match': '*', 'If-Match': '*' })
  assert.is(nowhere.status, 404)
})

test.run()
