/** The same scenes in the process of a Carcosa and from elsewhere, over HTTP with a real key. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { same } from '../../support/remote/same.ts'
import { scenes } from '../../support/remote/scenes.ts'
import { openStages } from '../../support/remote/stage.ts'

const test = suite('the API from elsewhere')
const { world, local, remote, api } = await openStages()
test.after(() => world.server.close())
await world.server.carcosa.api.files.upload('x', { route: 'mine', customId: 'taken' })

/** What is there from elsewhere only, or is said in another way; tested in remote.test.ts. */
const others = [
  ...['organizations.create', 'invitations.create', 'invitations.accept'],
  ...['me.get', 'settings.get'],
]

test('every method has a scene, and every scene is of one', () => {
  const methods = Object.entries(api).flatMap(([noun, methods]) =>
    typeof methods === 'function'
      ? []
      : Object.keys(methods).map((one) => `${noun}.${one}`),
  )
  assert.equal(methods.sort(), [...Object.keys(scenes), ...others].sort())
})

for (const [name, scene] of Object.entries(scenes)) {
  test(`${name} is the same as in process`, async () => {
    const expected = same(await scene(local))
    assert.equal(same(await scene(remote)), expected)
  })
}

test.run()
