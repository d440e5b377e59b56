/** `carcosa files cp` and `carcosa files import`. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { main } from '../../src/cli/main.ts'
import { type Carcosa, createCarcosa, createRouter, route } from '../../src/index.ts'
import { file } from '../../stores/file.ts'
import { command, directory } from '../support/command.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'
import { type S3Fake, startS3Fake } from '../support/s3-fake.ts'

interface Context {
  database: TestDatabase
  fake: S3Fake
  cwd: string
}

// Filled by the hooks below before any test runs.
const test = suite('carcosa files', {} as Context)

test.before.each(async (context) => {
  context.database = await postgres()
  context.fake = await startS3Fake()
  context.cwd = directory()
  const { cwd, fake } = context
  writeFileSync(join(cwd, 'carcosa.config.ts'), configSource(cwd, fake))
})
test.after.each(async ({ database, fake }) => {
  await fake.close()
  await database.drop()
})

const root = join(import.meta.dirname, '../..')

/** Stores a and b on disk, c at the fake. */
function configSource(cwd: string, { endpoint, bucket }: S3Fake): string {
  const c = {
    endpoint,
    bucket,
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    forcePathStyle: true,
  }
  return `
    import { createRouter, defineConfig, file, route } from '${root}/src/index.ts'
    import { s3 } from '${root}/stores/s3.ts'
    export default defineConfig({
      router: createRouter({
        demo: route({ blob: { maxFileSize: '16MB' } }).public(),
        tiny: route({ blob: { maxFileSize: '2B' } }).public(),
      }),
      store: {
        a: file({ directory: '${cwd}/a' }),
        b: file({ directory: '${cwd}/b' }),
        c: s3(${JSON.stringify(c)}),
      },
    })`
}

async function run(
  { database, cwd }: Pick<Context, 'database' | 'cwd'>,
  args: string[],
  isTTY = false,
) {
  const said = { out: '', err: '' }
  const code = await main(['files', ...args, '--database', database.url], {
    stdout: { write: (text) => (said.out += text) },
    stderr: { write: (text) => (said.err += text), isTTY, columns: 60 },
    env: {},
    cwd,
  })
  return { code, ...said }
}

/** The same database and stores in this process. */
async function inside<T>(
  { database, cwd }: Context,
  work: (carcosa: Carcosa) => Promise<T>,
): Promise<T> {
  const carcosa = await createCarcosa({
    router: createRouter({ demo: route({ blob: { maxFileSize: '16MB' } }).public() }),
    store: { a: file({ directory: `${cwd}/a` }), b: file({ directory: `${cwd}/b` }) },
    database: database.url,
    dataDir: cwd,
    worker: false,
  })
  return work(carcosa).finally(() => carcosa.close())
}

/** Files in store a, one for each text. */
function fill(context: Context, bodies: readonly (string | Buffer)[]): Promise<string[]> {
  return inside(context, async ({ api }) => {
    const ids: string[] = []
    for (const body of bodies) {
      ids.push((await api.files.upload(body, { route: 'demo' })).id)
    }
    return ids
  })
}

test('cp copies, then skips, then switches, then has nothing to do', async (context) => {
  await fill(context, ['one', 'two', 'three'])
  const cp = ['cp', '--from', 'a', '--to', 'b']
  const outputs = []
  for (const flags of [[], [], ['--switch'], ['--switch']]) {
    const { code, out, err } = await run(context, [...cp, ...flags])
    assert.is(code, 0, err)
    assert.is(err, '')
    outputs.push(out)
  }
  assert.equal(outputs, [
    'copied 3 (11 B), skipped 0, failed 0\n',
    'copied 0 (0 B), skipped 3, failed 0\n',
    'copied 0 (0 B), skipped 3, switched 3, failed 0\n',
    'copied 0 (0 B), skipped 0, failed 0\n',
  ])
})

test('cp --dry-run says what it would do', async (context) => {
  await fill(context, ['one', 'two'])
  const args = ['cp', '--from', 'a', '--to', 'b', '--switch', '--dry-run']
  const { code, out } = await run(context, args)
  assert.equal(
    [code, out],
    [0, 'would copy 2 (6 B), skipped 0, would switch 2, failed 0\n'],
  )
  assert.equal(await run(context, args), { code, out, err: '' })
})

test('cp names what failed on standard error, goes on, and exits with 1', async (context) => {
  const [lost = ''] = await fill(context, ['one', 'two'])
  rmSync(join(context.cwd, 'a', lost.slice(0, 1), lost))
  const { code, out, err } = await run(context, ['cp', '--from', 'a', '--to', 'b'])
  assert.equal([code, out], [1, 'copied 1 (3 B), skipped 0, failed 1\n'])
  assert.ok(err.startsWith(`${lost}: STORAGE_CORRUPT: `), err)
  assert.is(err.split('\n').length, 2)
})

test('cp shows a terminal how far it is, and takes it away again', async (context) => {
  await fill(context, ['one', 'two'])
  const args = ['cp', '--from', 'a', '--to', 'b', '--concurrency', '1']
  const { code, err } = await run(context, args, true)
  assert.is(code, 0)
  assert.ok(err.includes('\r\x1b[K1 of 2 files, 3 B of 6 B copied'), err)
  assert.ok(err.endsWith('\r\x1b[K'))
})

test('import adopts what is there, warns, and knows it afterwards', async (context) => {
  const { fake } = context
  for (const name of ['ok', 'large file', 'large']) {
    fake.putObject(`carcosa/old/${name}`, name)
  }
  fake.putObject('carcosa/new/ok', 'ok')
  const args = ['import', '--store', 'c', '--route', 'tiny']
  const dry = await run(context, [...args, '--dry-run'])
  assert.is(dry.out, 'would import 3 (9 B), known 0, refused 1, failed 0\n')
  const some = [...args, '--prefix', 'old/', '--owner', 'ann']
  const { code, out, err } = await run(context, some)
  assert.is(code, 1)
  assert.is(out, 'imported 2 (7 B), known 0, refused 1, failed 0, warnings 1\n')
  const [warning, refused, end] = err.split('\n')
  assert.match(warning ?? '', /^warning: old\/large: FILE_TOO_LARGE: /)
  assert.match(refused ?? '', /^old\/large file: BAD_REQUEST: /)
  assert.is(end, '')
  fake.deleteObject('carcosa/old/large file')
  const again = await run(context, args)
  assert.is(again.out, 'imported 1 (2 B), known 2, refused 0, failed 0\n')
  assert.is(again.code, 0)
})

test('a store or route that is not there is exit code 1 and one line', async (context) => {
  for (const [args, code] of [
    [['cp', '--from', 'a', '--to', 'x'], 'STORE_UNKNOWN'],
    [['cp', '--from', 'a', '--to', 'a'], 'BAD_REQUEST'],
    [['import', '--store', 'a', '--route', 'x'], 'ROUTE_NOT_FOUND'],
  ] as const) {
    const outcome = await run(context, [...args])
    assert.is(outcome.code, 1)
    assert.match(outcome.err, new RegExp(`^carcosa: ${code}: [^\\n]+\\n$`))
  }
})

const bodies = Array.from({ length: 24 }, (_, i) => Buffer.alloc(200_000, `${i} `))

/** Starts `cp --switch` to the slow fake in a process of its own, once it has put five. */
async function halfWay(context: Context) {
  const { database, cwd, fake } = context
  fake.faults.delayMs = () => 40
  const args = ['cp', '--from', 'a', '--to', 'c', '--switch', '--database', database.url]
  const running = command(['files', ...args], { cwd })
  while (fake.objects.size < 5) await sleep(5)
  return running
}

/** What a second run makes of it: all copied, none twice but what was in the air. */
async function expectCompletion(context: Context, most: number): Promise<void> {
  const { fake } = context
  await sleep(200)
  const before = fake.objects.size
  fake.faults.delayMs = () => 0
  fake.forgetRequests()
  const { code, out, err } = await run({ ...context }, [
    'cp',
    '--from',
    'a',
    '--to',
    'c',
    '--switch',
  ])
  assert.is(code, 0, err)
  assert.match(out, /failed 0\n$/)
  assert.is(fake.objects.size, bodies.length)
  const puts = fake.count('PutObject')
  const missing = bodies.length - before
  assert.ok(puts >= missing && puts <= missing + most, `${puts} of ${missing}`)
  const held = [...fake.objects.values()].map(({ size }) => size)
  assert.ok(held.every((size) => size === 200_000))
  await inside(context, async ({ api }) => {
    const { files } = await api.files.list({ limit: 500 })
    assert.ok(files.every(({ storeName }) => storeName === 'c'))
    assert.is(files.length, bodies.length)
  })
}

test('cp that is killed is finished by doing it again, and copies nothing twice', async (context) => {
  await fill(context, bodies)
  const running = await halfWay(context)
  running.child.kill('SIGKILL')
  await running.ended
  // Four were in the air: what they had put without a row is put again.
  await expectCompletion(context, 4)
})

test('cp that is interrupted leaves nothing half, says so, and exits with 130', async (context) => {
  await fill(context, bodies)
  const running = await halfWay(context)
  running.child.kill('SIGINT')
  const { code, out, err } = await running.ended
  assert.is(code, 130, err)
  assert.match(out, /^copied \d+ .*failed 0\n$/)
  assert.match(err, 'Run it again to go on.')
  await expectCompletion(context, 0)
})

test.run()

const usage = suite('a command line of carcosa files')
const nowhere = { url: 'postgres://127.0.0.1:1/x', drop: async () => {} }

const wrong: [args: string[], said: string][] = [
  [[], 'There are: list, get, sign, tag, delete, restore, cp, import.'],
  [['copy'], 'There is no "files copy".'],
  [['improt'], 'Did you mean import?'],
  [['cp'], '--from <store> is missing'],
  [['cp', '--from', 'a'], '--to <store> is missing'],
  [['cp', '--from', 'a', '--to', 'b', '--concurrency', 'x'], 'not "x"'],
  [['cp', '--from', 'a', '--to', 'b', '--swich'], 'Did you mean --switch?'],
  [['cp', 'a', 'b'], '"a" was not expected here'],
  [['import', '--store', 'a'], '--route <route> is missing'],
]
for (const [args, said] of wrong) {
  usage(`"files ${args.join(' ')}" makes no sense and is exit code 2`, async () => {
    // It ends before anything is opened.
    const { code, err } = await run({ cwd: '/nowhere', database: nowhere }, args)
    assert.is(code, 2, err)
    assert.ok(err.includes(said), err)
  })
}

usage.run()
