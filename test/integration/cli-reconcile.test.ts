/** `carcosa gc` and `carcosa reconcile`. */
import { existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { main } from '../../src/cli/main.ts'
import { createCarcosa, type FileRecord } from '../../src/index.ts'
import { directory } from '../support/command.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'
import { longAgo } from '../support/reconciling.ts'
import { testRouter } from '../support/server.ts'

interface Context {
  database: TestDatabase
  dataDir: string
  files: FileRecord[]
}

// Filled by the hook below before any test runs. What a test adds it also takes away.
const test = suite('carcosa gc and carcosa reconcile', {} as Context)

test.before(async (context) => {
  context.database = await postgres()
  context.dataDir = directory()
  const { database, dataDir } = context
  const carcosa = await createCarcosa({
    router: testRouter,
    database: database.url,
    dataDir,
    worker: false,
  })
  context.files = []
  for (const text of ['one', 'two', 'three']) {
    context.files.push(await carcosa.api.files.upload(text, { route: 'demo' }))
  }
  await carcosa.close()
})
test.after(({ database }) => database.drop())

async function run({ database, dataDir }: Context, ...args: string[]) {
  const said = { out: '', err: '' }
  const where = ['--database', database.url, '--data-dir', dataDir]
  const code = await main([...args, ...where], {
    stdout: { write: (text) => (said.out += text) },
    stderr: { write: (text) => (said.err += text) },
    env: {},
    cwd: dataDir,
  })
  return { code, ...said }
}

const objectOf = ({ dataDir }: Context, { key }: { key: string }) =>
  join(dataDir, 'files', key.slice(0, 1), key)

/** An old object that no file knows. */
function stray(context: Context, key: string): string {
  const path = objectOf(context, { key })
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, 'stray')
  utimesSync(path, longAgo, longAgo)
  return path
}

for (const verb of ['gc', 'reconcile']) {
  test(`${verb} says that all is well, and exits with 0`, async (context) => {
    const { code, out, err } = await run(context, verb)
    assert.is(code, 0, err)
    assert.match(out, /^store default \(file\)$/m)
    assert.match(out, /without a file {2}0 found/)
    assert.match(out, /All is well\.\n$/)
    assert.is(err, '')
  })

  test(`${verb} removes an object of no file, but not in a dry run`, async (context) => {
    const path = stray(context, 'stray-object')
    const dry = await run(context, verb, '--dry-run')
    assert.is(dry.code, 0, dry.err)
    assert.match(dry.out, /^Dry run, nothing is changed/)
    assert.match(dry.out, /1 found \(5 B\), 1 would be removed\n {4}stray-object\n/)
    assert.ok(existsSync(path))
    const wet = await run(context, verb)
    assert.is(wet.code, 0, wet.err)
    assert.match(wet.out, '1 found (5 B), 1 removed')
    assert.not.ok(existsSync(path))
    assert.match((await run(context, verb)).out, '0 found')
    for (const file of context.files) assert.ok(existsSync(objectOf(context, file)))
  })

  test(`${verb} keeps what is younger than --grace`, async (context) => {
    const path = stray(context, 'stray-object')
    const { code, out } = await run(context, verb, '--grace', '30 days')
    assert.is(code, 0)
    assert.match(out, 'Older than 720 h')
    assert.ok(existsSync(path))
    rmSync(path)
  })

  test(`${verb} stops where most belongs to no file, unless it is forced`, async (context) => {
    for (let n = 10; n < 21; n++) stray(context, `stray-${n}`)
    const stopped = await run(context, verb)
    assert.is(stopped.code, 1)
    assert.match(stopped.out, /left alone: 11 of 14 objects .*force/)
    assert.match(stopped.out, /needs a person/)
    const forced = await run(context, verb, '--force')
    assert.is(forced.code, 0, forced.out)
    assert.match(forced.out, '11 removed')
  })
}

const wrong: [args: string[], code: number, said: RegExp][] = [
  [['--grace', '3'], 2, /--grace.*"3".*72h/],
  [['--only', 'nowhere'], 1, /STORE_UNKNOWN.*"nowhere".*default/],
  [['--dryrun'], 2, /no flag --dryrun.*--dry-run/],
]
for (const [args, code, said] of wrong) {
  test(`gc ${args.join(' ')} is answered in one line`, async (context) => {
    const answer = await run(context, 'gc', ...args)
    assert.is(answer.code, code)
    assert.match(answer.err, said)
    assert.is(answer.err.trimEnd().split('\n').length, 1)
  })
}

test('reconcile tells of a lost file once, with exit code 1; gc does not look', async (context) => {
  const [lost] = context.files
  assert.ok(lost)
  rmSync(objectOf(context, lost))
  assert.is((await run(context, 'gc')).code, 0)
  const dry = await run(context, 'reconcile', '--dry-run')
  assert.is(dry.code, 1)
  assert.match(dry.out, '1 of 3: 1 files would fail')
  const { code, out } = await run(context, 'reconcile')
  assert.is(code, 1)
  assert.match(out, `1 of 3: 1 files failed`)
  assert.match(out, lost.id)
  assert.is((await run(context, 'reconcile')).code, 0)
})

test.run()
