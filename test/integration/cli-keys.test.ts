/** `carcosa keys create|list|rotate|revoke`, beside a server that runs. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { directory } from '../support/command.ts'
import { mainIn } from '../support/main.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'
import { eventually } from '../support/raw-http.ts'
import { startServer, type TestServer } from '../support/server.ts'

const test = suite('carcosa keys')
const root = join(import.meta.dirname, '../..')
let database: TestDatabase
let server: TestServer
let cwd: string

test.before(async () => {
  database = await postgres()
  server = await startServer({ database: database.url, auth: undefined })
  cwd = directory()
  const source = `
    import { createRouter, defineConfig, route } from '${root}/src/index.ts'
    export default defineConfig({
      router: createRouter({ mine: route(['blob']), demo: route(['blob']).public() }),
      database: '${database.url}',
    })`
  writeFileSync(join(cwd, 'carcosa.config.ts'), source)
})
test.after(async () => {
  await server.close()
  await database.drop()
})

const keys = (...args: string[]) => mainIn(cwd, ['keys', ...args])

const upload = async (token: string) => {
  const answer = await server.doors.http({
    method: 'POST',
    path: '/uploads/mine',
    headers: { 'Upload-Length': '5', Authorization: `Bearer ${token.trim()}` },
  })
  return answer.status
}
const idIn = (text: string) => /key_[\w-]{24}/.exec(text)?.[0] ?? ''

test('the token is all that create prints to standard output, and it works at once', async () => {
  const { code, out, err } = await keys('create', 'ci')
  assert.is(code, 0)
  assert.match(out, /^ck_live_\w{12}_\w{38}\n$/)
  assert.match(err, 'role developer, project default')
  assert.match(err, 'shown this once')
  assert.is(await upload(out), 201)
})

test('flags say what it may do', async () => {
  const flags = ['--role', 'viewer', '--routes', 'mine, demo', '--actions', 'files.read']
  const more = [
    '--allow',
    '10.0.0.0/8,loopback',
    '--expires',
    '90 days',
    '--test',
    '--json',
  ]
  const { code, out } = await keys('create', 'reader', ...flags, ...more)
  assert.is(code, 0)
  const key = JSON.parse(out)
  assert.match(key.token, /^ck_test_/)
  assert.is(key.role, 'viewer')
  assert.equal(key.scopes, { routes: ['mine', 'demo'], actions: ['files.read'] })
  assert.equal(key.allowedAddresses, ['10.0.0.0/8', 'loopback'])
  const days = (Date.parse(key.expiresAt) - Date.now()) / 86_400_000
  assert.ok(Math.abs(days - 90) < 0.01)
  const listed = await keys('list')
  assert.match(listed.out, 'mine,demo,files.read')
  assert.not.ok(listed.out.includes(key.token))
})

test('rotate gives another token, and the old one works on for a while', async () => {
  const first = await keys('create', 'turning')
  const second = await keys('rotate', idIn(first.err))
  assert.is(second.code, 0)
  assert.match(second.err, 'The old token works until')
  assert.is(await upload(first.out), 201)
  assert.is(await upload(second.out), 201)
  const third = await keys('rotate', idIn(first.err), '--overlap', '0s')
  assert.is(await upload(third.out), 201)
  await eventually(
    () => upload(second.out),
    (status) => status === 401,
  )
})

test('revoke ends it, on the server that runs as well', async () => {
  const { out, err } = await keys('create', 'leaving')
  assert.is(await upload(out), 201)
  const revoked = await keys('revoke', idIn(err))
  assert.equal([revoked.code, revoked.out], [0, `${idIn(err)} revoked\n`])
  await eventually(
    () => upload(out),
    (status) => status === 401,
  )
  const again = await keys('revoke', idIn(err))
  assert.is(again.code, 1)
  assert.not.match((await keys('list')).out, 'leaving')
  assert.match((await keys('list', '--all')).out, /revoked.*leaving/)
})

const refused: [args: string[], code: number, says: string][] = [
  [[], 2, 'Keys? There are: create, list, revoke, rotate.'],
  [['craete', 'x'], 2, 'Did you mean create?'],
  [['create'], 2, 'The name of the key is missing.'],
  [['create', 'a', 'b'], 2, '"b" was not expected'],
  [['create', 'a', '--role', 'amdin'], 1, 'Did you mean admin?'],
  [['create', 'a', '--routes', 'mien'], 1, 'Did you mean mine?'],
  [['create', 'a', '--expires', '90'], 1, 'expiresIn'],
  [['create', 'a', '--project', 'x'], 1, 'PROJECT_NOT_FOUND'],
  [['rotate', 'key_x'], 1, 'KEY_NOT_FOUND'],
  [['rotate'], 2, 'The id of the key is missing.'],
  [['revoke'], 2, 'Name the keys'],
]
for (const [args, code, says] of refused) {
  test(`carcosa keys ${args.join(' ')}: ${says}`, async () => {
    const outcome = await keys(...args)
    assert.is(outcome.code, code)
    assert.match(outcome.err, says)
  })
}

test.run()
