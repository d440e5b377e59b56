import pg from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { main } from '../../src/cli/main.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'

async function run(args: string[], env: Record<string, string> = {}) {
  const said = { out: '', err: '' }
  const code = await main(args, {
    stdout: { write: (text) => (said.out += text) },
    stderr: { write: (text) => (said.err += text) },
    env,
    cwd: '/nowhere',
  })
  return { code, ...said }
}

// Filled by the hook below before any test runs.
const test = suite('carcosa migrate', {} as TestDatabase)

test.before.each(async (context) => {
  Object.assign(context, await postgres())
})
test.after.each(({ drop }) => drop())

test('--status lists what is missing and applies nothing', async ({ url }) => {
  const first = await run(['migrate', '--status', '--database', url])
  assert.is(first.code, 1, first.err)
  assert.match(first.out, /^pending {2}\d{14}_init$/m)
  assert.equal(await run(['migrate', '--status'], { DATABASE_URL: url }), first)
})

test('applies each migration once, by name', async ({ url }) => {
  const first = await run(['migrate'], { DATABASE_URL: url })
  assert.is(first.code, 0, first.err)
  assert.match(first.out, /^applied {2}\d{14}_init$/m)
  const second = await run(['migrate'], { DATABASE_URL: url })
  assert.is(second.code, 0)
  assert.match(second.out, 'up to date')
  assert.not.match(second.out, 'applied')
  assert.is((await run(['migrate', '--status'], { DATABASE_URL: url })).code, 0)
})

test('a database that a newer version has used is refused by both', async ({ url }) => {
  await run(['migrate'], { DATABASE_URL: url })
  const client = new pg.Client(url)
  await client.connect()
  await client.query(
    "update carcosa._prisma_migrations set migration_name = '29990101000000_later' where migration_name like '%_init'",
  )
  await client.end()
  for (const flags of [[], ['--status']]) {
    const { code, err } = await run(['migrate', ...flags], { DATABASE_URL: url })
    assert.is(code, 1)
    assert.match(err, /^carcosa: MIGRATION_UNKNOWN: [^\n]*29990101000000_later[^\n]+\n$/)
  }
})

test('a database that is not there is one line without the password', async ({ url }) => {
  const wrong = new URL(url)
  wrong.pathname = '/nowhere'
  wrong.password = 'hunter2'
  const { code, out, err } = await run(['migrate'], { DATABASE_URL: wrong.href })
  assert.is(code, 1)
  assert.match(err, /^carcosa: [A-Z_]+: [^\n]+\n$/)
  assert.not.match(out + err, 'hunter2')
})

test.run()
