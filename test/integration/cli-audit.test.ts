/** `carcosa audit list|requests`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { directory } from '../support/command.ts'
import { mainIn } from '../support/main.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'
import { startServer } from '../support/server.ts'

const test = suite('carcosa audit')
const root = join(import.meta.dirname, '../..')
let database: TestDatabase
let cwd: string

test.before(async () => {
  database = await postgres()
  cwd = directory()
  const source = `
    import { createRouter, defineConfig, route } from '${root}/src/index.ts'
    export default defineConfig({
      router: createRouter({ mine: route(['blob']) }),
      database: '${database.url}',
    })`
  writeFileSync(join(cwd, 'carcosa.config.ts'), source)
})
test.after(() => database.drop())

const carcosa = (...args: string[]) => mainIn(cwd, args)

test('list prints who did what at the command line, in pages, and never a token', async () => {
  assert.is((await carcosa('audit', 'list')).out, 'Nothing.\n')
  const { out: token } = await carcosa('keys', 'create', 'ci')
  await carcosa('keys', 'create', 'another')
  const page = await carcosa('audit', 'list', '--limit', '1')
  assert.is(page.code, 0)
  assert.match(page.out, /key\.created +done +cli \S+ +key_\S+ +default +.*another/)
  const [, cursor = ''] = /--cursor (\S+)/.exec(page.err) ?? []
  const next = await carcosa('audit', 'list', '--json', '--cursor', cursor)
  const { entries, nextCursor } = JSON.parse(next.out)
  assert.is(entries.length, 1)
  assert.is(entries[0].details.name, 'ci')
  assert.is(entries[0].actor.kind, 'cli')
  assert.is(nextCursor, null)
  assert.not.match(page.out + next.out, token.trim().slice(21))
})

test('requests prints what was asked', async () => {
  const server = await startServer({ database: database.url, requestLog: 'all' })
  await server.doors.http({ method: 'GET', path: '/routes?ticket=hush' })
  await server.doors.http({ method: 'GET', path: '/uploads/none/x' })
  await server.close()
  const all = await carcosa('audit', 'requests')
  assert.match(all.out, /200 .* GET +\/routes\?ticket=\[redacted\]/)
  const { out } = await carcosa('audit', 'requests', '--status', '404')
  assert.match(out, /404 ROUTE_NOT_FOUND .* GET +\/uploads\/none\/x/)
  assert.not.match(out, '/routes')
})

const wrong: [title: string, args: string[], said: string, code: number][] = [
  ['no subcommand', [], 'There are: list, requests', 2],
  ['an unknown one', ['lists'], 'Did you mean', 2],
  ['an unknown flag', ['list', '--actr', 'x'], 'Did you mean', 2],
  ['a limit that is no number', ['list', '--limit', 'all'], '--limit is a whole', 2],
  ['a time that is none', ['list', '--after', 'yesterday'], '--after is a time', 2],
  ['an action there is not', ['list', '--action', 'x'], 'BAD_REQUEST', 1],
  ['a cursor of nobody', ['requests', '--cursor', 'x'], 'CURSOR_INVALID', 1],
]

for (const [title, args, said, code] of wrong) {
  test(`says what is wrong with ${title}`, async () => {
    const answer = await carcosa('audit', ...args)
    assert.is(answer.code, code, answer.err)
    assert.match(answer.err, said)
  })
}

test.run()
