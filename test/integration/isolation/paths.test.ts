/** Who is answered what by uploads, files and events: test/support/isolation/paths-table.ts. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { callers, refused } from '../../support/isolation/callers.ts'
import { matrix } from '../../support/isolation/matrix.ts'
import { pathRequests } from '../../support/isolation/paths.ts'
import { pathsTable } from '../../support/isolation/paths-table.ts'
import { type IsolationWorld, isolationWorld } from '../../support/isolation/world.ts'
import { codes, table as rowsIn } from '../../support/markdown.ts'
import { expectAnswer } from '../../support/records.ts'

const test = suite('isolation of uploads, files and events')
let world: IsolationWorld
test.before(async () => {
  world = await isolationWorld()
})
test.after(() => world.server.close())

const kept = matrix(test, {
  ...{ world: () => world, table: pathsTable, requests: pathRequests },
})

test('what was refused is still as it was', async () => {
  const untouched = [...kept].filter(([name]) => / (other|absent)$/.test(name))
  let count = 0
  for (const [name, { path }] of untouched) {
    const [, id = ''] = /\/uploads\/mine\/([\w-]+)/.exec(path) ?? []
    if (id === '') continue
    count++
    const { state, offset } = await world.server.row(id)
    const wanted = name.includes('file') ? ['ready', 5] : ['receiving', 2]
    assert.equal([state, offset], wanted, name)
  }
  assert.ok(count >= 12)
})

/** Open to all by their nature: whatever credential comes along, the answer is the same. */
const open = [
  '/healthz',
  '/readyz',
  '/routes',
  '/docs',
  '/api/v1/openapi.json',
  '/auth/jwks',
]

for (const path of open) {
  test(`${path} is the same for everybody`, async () => {
    const nobody = await world.server.doors.http({ method: 'GET', path })
    assert.is(nobody.status, 200)
    for (const [name, make] of Object.entries({ ...callers, ...refused })) {
      const { headers } = await make(world)
      const answered = await world.server.doors.http({ method: 'GET', path, headers })
      assert.is(answered.text, nobody.text, name)
    }
  })
}

const mine: [method: string, path: string][] = [
  ['GET', '/auth/session'],
  ['GET', '/auth/sessions'],
  ['DELETE', '/auth/sessions'],
  ['GET', '/auth/invitations'],
]

for (const [method, path] of mine) {
  test(`${method} ${path} is for who is signed in`, async () => {
    const signedIn = ['owner', 'viewr', 'billg', 'siblg', 'strng', 'outsd']
    const others = ['key', 'readr', 'jwt', 'nobdy', ...Object.keys(refused)]
    for (const name of [...signedIn, ...others]) {
      const isKnown = signedIn.includes(name)
      const make = callers[name] ?? refused[name]
      if (!make) throw new TypeError(`nobody is called ${name}`)
      const { headers } = await make(world)
      const answered = await world.server.doors.http({ method, path, headers })
      assert.is(answered.status, isKnown ? 200 : 401, `${name}: ${answered.text}`)
    }
  })
}

test('a URL that is signed opens one file, for one method, until its end, and nothing else', async () => {
  const { doors, carcosa } = world.server
  const [projectId = ''] = world.a.projects
  const { id: organizationId, ownerId } = world.a
  const place = { organizationId, ownerId, projectId, route: 'mine' }
  const [one, other] = [await world.file(place), await world.file(place)]
  const signed = await carcosa.api.files.sign(one)
  const ask = (path: string) => doors.http({ method: 'GET', path })
  assert.is((await ask(signed)).status, 200)
  const wrong: string[] = [
    signed.replace(one, other),
    `${signed}&disposition=attachment`,
    signed.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
  ]
  for (const path of wrong) assert.is((await ask(path)).status, 403, path)
  for (const path of [`/files/${one}`, `/files/${one}/thumb`, `/files/${one}.jpg`]) {
    expectAnswer(await ask(path), { status: 404, code: 'FILE_NOT_FOUND' })
  }
})

test('every request under /uploads, /files and /events that the README names has a row', async () => {
  const readme = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8')
  const documented = rowsIn(readme, ['Request', 'Answer'])
    .map(([cell = '']) => codes(cell)[0] ?? '')
    .filter((request) => /^(?!OPTIONS).* \/(uploads|files|events)\b/.test(request))
  const tested = new Set<string>()
  for (const make of Object.values(pathRequests)) {
    const { method, path } = await make(world, { place: null })
    const [plain = ''] = path.split('?')
    const named = plain.replace('/mine', '/:route').replace(/\/[\w-]{24}(?=\/|$)/, '/:id')
    tested.add(`${method} ${named}`)
    // It is answered as GET is, without a body.
    if (named === '/events') tested.add('GET /events')
  }
  assert.equal(
    documented.filter((request) => !tested.has(request.replace(/\?.*/, ''))),
    [],
  )
})

test.run()
