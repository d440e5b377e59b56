import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { describeDatabase } from '../../../../src/cli/server/describe.ts'
import { describeSettings, loadSettings } from '../../../../src/cli/server/settings.ts'
import { defaults, type Setting, settings } from '../../../../src/config/settings.ts'
import { CarcosaError } from '../../../../src/shared/errors.ts'

const root = join(import.meta.dirname, '../../../..')
const directories: string[] = []

/** An empty working directory with these files in it. */
function place(files: Record<string, string> = {}): string {
  const cwd = mkdtempSync(join(tmpdir(), 'carcosa-settings-'))
  directories.push(cwd)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text)
  return cwd
}

/** The source of a configuration file with one route and these other options. */
function configSource(options = ''): string {
  return `
    import { route } from '${root}/src/routes/route.ts'
    import { createRouter } from '${root}/src/routes/router.ts'
    export default { router: createRouter({ mine: route(['image']) }), ${options} }`
}

function load(cwd: string, args: string[] = [], env: Record<string, string> = {}) {
  const output = { write() {} }
  return loadSettings(args, { stdout: output, stderr: output, env, cwd })
}

async function refusal(cwd: string, args: string[] = []): Promise<string> {
  try {
    await load(cwd, args)
  } catch (error) {
    assert.instance(error, CarcosaError)
    assert.is((error as CarcosaError).code, 'CONFIG_INVALID')
    return (error as CarcosaError).message
  }
  throw new Error('it was accepted')
}

const test = suite('the settings of a server')

test('without a configuration file the demo runs: one public route for anything', async () => {
  const { config, file } = await load(place())
  assert.is(file, null)
  assert.equal(Object.keys(config.router.routes), ['demo'])
  const demo = config.router.routes.demo
  assert.is(demo?.isPublic, true)
  assert.equal(demo?.types.blob?.maxFileSize, 5 * 1024 ** 3)
  assert.equal(demo?.types.blob?.acl, 'public-read')
})

for (const name of ['carcosa.config.ts', 'carcosa.config.mts', 'carcosa.config.mjs']) {
  test(`${name} in the working directory is found`, async () => {
    const { config, file, origins } = await load(
      place({ [name]: configSource('port: 1') }),
    )
    assert.is(file, name)
    assert.is(config.port, 1)
    assert.is(origins.port, name)
    assert.equal(Object.keys(config.router.routes), ['mine'])
  })
}

test('--config names another file', async () => {
  const cwd = place({ 'other.ts': configSource(), 'carcosa.config.ts': 'throw 1' })
  assert.is((await load(cwd, ['--config', 'other.ts'])).file, 'other.ts')
})

test('directories start where the command was given', async () => {
  const cwd = place({ 'carcosa.config.ts': configSource("dataDir: 'data'") })
  const { config } = await load(cwd)
  assert.is(config.dataDir, join(cwd, 'data'))
  assert.is(config.database, join(cwd, 'data', 'db'))
})

test('a flag that the file overrules is told', async () => {
  const cwd = place({ 'carcosa.config.ts': configSource('port: 1') })
  const { config, unusedFlags } = await load(cwd, ['--port', '2', '--host', '::1'])
  assert.is(config.port, 1)
  assert.is(config.host, '::1')
  assert.equal(unusedFlags, ['--port'])
})

test('a boolean flag has a negative', async () => {
  assert.is((await load(place(), ['--no-worker'])).config.worker, false)
  assert.is(
    (await load(place(), ['--worker'], { CARCOSA_WORKER: '0' })).config.worker,
    true,
  )
})

const refused: [what: string, source: string | null, ...said: string[]][] = [
  ['is missing', null, 'There is no file', 'here.ts', 'Check --config'],
  ['throws', "\n\nthrow new Error('no luck')", 'here.ts:3 cannot be loaded: no luck'],
  ['is not TypeScript', '\nconst = 1', 'here.ts', 'cannot be loaded'],
  ['imports what is not there', "import 'nowhere-to-be-found'", 'nowhere-to-be-found'],
  [
    'has no default export',
    'export const router = {}',
    'here.ts must export',
    'defineConfig',
  ],
  ['exports a function', 'export default () => ({})', 'here.ts must export'],
  ['has no router', 'export default {}', 'router in here.ts is missing'],
  [
    'misspells',
    configSource('dataDirr: 1'),
    'dataDirr in here.ts',
    'Did you mean dataDir?',
  ],
  [
    'has a wrong value',
    configSource("port: '80'"),
    "port in here.ts is '80'",
    'port: 8080',
  ],
]

for (const [what, source, ...said] of refused) {
  test(`a configuration file that ${what} is refused`, async () => {
    const cwd = place(source === null ? {} : { 'here.ts': source })
    const message = await refusal(cwd, ['--config', 'here.ts'])
    for (const part of said)
      assert.ok(message.includes(part), `"${part}" not in: ${message}`)
  })
}

test('help lists every setting that has a variable', () => {
  for (const variable of Object.values(settings).flatMap(({ env }) => env)) {
    assert.ok(describeSettings().includes(variable), variable)
  }
})

for (const [name, setting] of Object.entries(settings) as [string, Setting<unknown>][]) {
  // Of these the fallback is a sentence.
  const isSaid = ['secret', 'store', 'directDatabase', 'queues'].includes(name)
  if (!(name in defaults) || setting.fallback === undefined || isSaid) continue
  test(`help tells the true default of ${name}`, () => {
    const parsed = (setting.text ?? setting.schema).parse(setting.fallback)
    assert.equal(parsed, defaults[name as keyof typeof defaults])
  })
}

test('a database is described without its password', () => {
  const url =
    'postgresql://app:hunter2@db.internal:6432/media?sslmode=require&password=hunter2'
  assert.is(describeDatabase(url), 'Postgres, db.internal:6432/media')
  assert.is(describeDatabase('postgres:///app?host=/run/pg'), 'Postgres, /run/pg/app')
  assert.is(describeDatabase('/srv/db'), 'embedded, /srv/db')
})

test.after(() => {
  for (const directory of directories) rmSync(directory, { recursive: true })
})
test.run()
