/** `carcosa orgs …` and `carcosa projects …`, beside a server that runs. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { jobHandlers } from '../../src/worker.ts'
import { directory } from '../support/command.ts'
import { mainIn } from '../support/main.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'
import { startServer, type TestServer } from '../support/server.ts'

const test = suite('carcosa orgs and projects')
const root = join(import.meta.dirname, '../..')
const ann = `user_${'a'.repeat(24)}`
const bob = `user_${'b'.repeat(24)}`
let database: TestDatabase
let server: TestServer
let cwd: string

test.before(async () => {
  database = await postgres()
  server = await startServer({ database: database.url, auth: undefined })
  await server.uploads.db.executeSql(
    `INSERT INTO carcosa.user_account (id, name, email)
     VALUES ('${ann}', 'Ann', 'ann@example.com'), ('${bob}', 'Bob', 'bob@example.com')`,
  )
  cwd = directory()
  const source = `
    import { createRouter, defineConfig, route } from '${root}/src/index.ts'
    export default defineConfig({
      router: createRouter({ mine: route(['blob']) }),
      database: '${database.url}',
    })`
  writeFileSync(join(cwd, 'carcosa.config.ts'), source)
})
test.after(async () => {
  await server.close()
  await database.drop()
})

const carcosa = (...args: string[]) => mainIn(cwd, args)

async function made(...args: string[]): Promise<string> {
  const { code, out, err } = await carcosa(...args)
  assert.is(code, 0, err)
  return out.trim()
}

test('an organization is made, shown with its members, and deleted', async () => {
  assert.is((await carcosa('orgs', 'list')).out, 'No organizations.\n')
  const id = await made('orgs', 'create', 'Acme', '--owner', ann, '--slug', 'acme')
  assert.match(id, /^org_[\w-]{24}$/)
  assert.match((await carcosa('orgs', 'list')).out, new RegExp(`${id} +acme `))
  const add = ['orgs', 'members', id, '--add', bob]
  assert.match((await carcosa(...add, '--role', 'admin')).out, `${bob}  admin`)
  assert.match((await carcosa(...add, '--role', 'viewer')).out, `${bob}  viewer`)
  const { out } = await carcosa('orgs', 'members', id, '--remove', bob, '--json')
  assert.equal(
    (JSON.parse(out) as { userId: string }[]).map(({ userId }) => userId),
    [ann],
  )
  const last = await carcosa('orgs', 'members', id, '--remove', ann)
  assert.is(last.code, 1)
  assert.match(last.err, 'never without an owner')
  assert.match((await carcosa('orgs', 'list', '--user', bob)).out, 'No organizations')
  assert.is((await carcosa('orgs', 'delete', id)).code, 0)
  assert.is((await carcosa('orgs', 'delete', id)).code, 1)
})

test('a project is made, deleted, restored and given away', async () => {
  const organization = await made('orgs', 'create', 'Other', '--owner', ann)
  const id = await made('projects', 'create', 'Site')
  const listed = async (...flags: string[]) =>
    (await carcosa('projects', 'list', ...flags)).out
  assert.match(await listed(), new RegExp(`${id} +- +open +Site`))
  assert.match((await carcosa('projects', 'delete', id)).out, 'restore it until')
  assert.not.match(await listed(), id)
  assert.match(await listed('--deleted'), new RegExp(`${id} .* goes 20`))
  assert.is((await carcosa('projects', 'restore', id)).code, 0)
  const given = await carcosa('projects', 'transfer', id, '--to', organization)
  assert.is(given.code, 0, given.err)
  const transfer = { projectId: id, from: null, to: organization }
  const context = { id: 'job', attempt: 1, signal: new AbortController().signal }
  await jobHandlers(server.uploads)['project.transfer'](transfer, context)
  assert.match(await listed('--organization', organization), id)
  const json = JSON.parse(await listed('--json')) as { id: string }[]
  assert.ok(json.some((one) => one.id === 'default'))
})

test('people are named by their e-mail address, and invited by it', async () => {
  const id = await made('orgs', 'create', 'Mail', '--owner', 'Ann@example.com')
  const add = ['orgs', 'members', id, '--add', 'bob@example.com', '--role', 'admin']
  assert.match((await carcosa(...add)).out, `${bob}  admin`)
  assert.match((await carcosa('orgs', 'list', '--user', 'bob@example.com')).out, id)
  const left = await carcosa('orgs', 'members', id, '--remove', 'bob@example.com')
  assert.not.match(left.out, bob)
  const invited = await carcosa(
    'orgs',
    'invite',
    id,
    'eve@example.com',
    '--role',
    'viewer',
  )
  assert.is(invited.code, 0, invited.err)
  assert.match(invited.out, /^http:\/\/127.0.0.1:8080\/auth\/invitation#inv_[\w-]{24}\n$/)
  assert.match(invited.err, 'Lets eve@example.com join as viewer')
})

const wrong: [args: string[], code: number, says: string][] = [
  [['orgs'], 2, 'There are: create, list, members, invite, delete'],
  [['orgs', 'creat'], 2, 'Did you mean'],
  [['orgs', 'create', 'x'], 2, '--owner'],
  [['orgs', 'create', 'x', '--owner', 'nobody'], 1, 'no user'],
  [['orgs', 'members', 'none', '--add', 'nobody@example.com'], 1, 'no user'],
  [['orgs', 'invite', 'none', 'eve@example.com'], 1, 'no organization'],
  [['orgs', 'invite', 'none'], 2, 'e-mail address'],
  [['projects', 'lst'], 2, 'There are: create, list, delete, restore, transfer'],
  [['projects', 'create'], 2, 'name of the project'],
  [['projects', 'create', 'x', '--organization', 'none'], 1, 'no organization'],
  [['projects', 'delete', 'default'], 1, 'default project cannot be deleted'],
  [['projects', 'restore', 'none'], 1, 'no project'],
  [['projects', 'transfer', 'default'], 2, '--to'],
]
for (const [args, code, says] of wrong) {
  test(`carcosa ${args.join(' ')} exits with ${code} and says why`, async () => {
    const ended = await carcosa(...args)
    assert.is(ended.code, code)
    assert.match(ended.err, says)
    assert.is(ended.out, '')
  })
}

test.run()
