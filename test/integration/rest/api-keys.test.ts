/** API keys over REST: nobody gives away more than they have, and a token is told once. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type RestWorld, restWorld } from '../../support/rest/world.ts'

const test = suite('API keys over REST')
let world: RestWorld
test.before(async () => {
  world = await restWorld()
})
test.after(() => world.server.close())

const wishes: [what: string, body: object, status: number][] = [
  ['a role below', { role: 'viewer' }, 201],
  ['the same role', { role: 'developer' }, 201],
  ['a role above', { role: 'admin' }, 403],
  [
    'a role above, narrowed to what one has',
    { role: 'admin', scopes: { actions: ['files.read'] } },
    201,
  ],
  [
    'a role above, narrowed to more',
    { role: 'admin', scopes: { actions: ['audit.read'] } },
    403,
  ],
]
for (const [what, wish, status] of wishes) {
  test(`a developer who makes a key of ${what} gets ${status}`, async () => {
    const headers = await world.as({ role: 'developer' })
    const body = { name: 'x', ...wish }
    const made = await world.ask({ method: 'POST', path: '/api-keys', headers, body })
    assert.is(made.status, status, made.text)
    if (status === 403)
      assert.ok((made.json().details as { exceeding: string[] }).exceeding.length > 0)
  })
}

test('a key that may do more than who asks is not rotated by them', async () => {
  const { id } = await world.server.carcosa.api.keys.create({ name: 'x', role: 'owner' })
  const headers = await world.as({ role: 'developer' })
  const path = `/api-keys/${id}/rotate`
  assert.is((await world.ask({ method: 'POST', path, headers })).status, 403)
  assert.is((await world.server.carcosa.api.keys.get(id))?.rotatedAt, null)
})

test('a token works, is told once, and no more after its key was revoked', async () => {
  const made = await world.ask({ method: 'POST', path: '/api-keys', body: { name: 'x' } })
  const { id, token } = made.json()
  const headers = { Authorization: `Bearer ${token}` }
  assert.is((await world.ask({ path: '/me', headers })).json().id, id)
  const shown = await world.ask({ path: `/api-keys/${id}` })
  assert.not.ok(shown.text.includes(String(token).slice(-20)))
  await world.ask({ method: 'DELETE', path: `/api-keys/${id}` })
  assert.is((await world.ask({ path: '/me', headers })).status, 401)
})

test.run()
