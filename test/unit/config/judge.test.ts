import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Config } from '../../../src/config/options.ts'
import { type ConfigSources, resolveConfig } from '../../../src/config.ts'
import { CarcosaError } from '../../../src/shared/errors.ts'

// A router is judged by its shape only; these tests are about everything around it.
const router = { routes: {} } as unknown as Config['router']
const directory = mkdtempSync(join(tmpdir(), 'carcosa-config-'))
const longSecret = 'a'.repeat(40)

function given(sources: Partial<ConfigSources>): ConfigSources {
  return { env: {}, cwd: '/srv/app', ...sources, object: { router, ...sources.object } }
}

function problemOf(sources: Partial<ConfigSources>): CarcosaError {
  try {
    resolveConfig(given(sources))
  } catch (error) {
    assert.instance(error, CarcosaError)
    return error as CarcosaError
  }
  throw new Error(`${JSON.stringify(sources)} was accepted`)
}

/** What JavaScript lets people write and TypeScript would not. */
function untyped(value: unknown): never {
  return value as never
}

function fileWith(name: string, text: string): string {
  writeFileSync(join(directory, name), text)
  return join(directory, name)
}

/** Sources, then what the message must contain, in any order. */
type Row = [sources: Partial<ConfigSources>, ...said: string[]]

const rows: Row[] = [
  [
    { env: { PORT: '80a' } },
    'PORT',
    "'80a'",
    '0 (any free port) to 65535',
    'CARCOSA_PORT',
  ],
  [{ env: { CARCOSA_PORT: '65536' } }, 'CARCOSA_PORT', "'65536'", '65535'],
  [{ env: { CARCOSA_PORT: '-1' } }, 'CARCOSA_PORT', "'-1'"],
  [{ env: { CARCOSA_PORT: '8080.5' } }, "'8080.5'", 'CARCOSA_PORT=8080'],
  [{ env: { CARCOSA_PORT: '0x50' } }, "'0x50'", 'whole number'],
  [{ env: { CARCOSA_PORT: ' 80' } }, "' 80'"],
  [{ env: { PORT: '' } }, 'PORT is set but empty', 'unset'],
  [{ flags: { port: 'http' } }, '--port', "'http'", '--port 8080'],
  [{ object: { port: untyped('8080') } }, 'port in the options', "'8080'", 'port: 8080'],
  [{ object: { port: Number.NaN } }, 'NaN', 'port in the options'],
  [{ env: { HOST: 'http://localhost' } }, 'HOST', 'without scheme', 'CARCOSA_HOST'],
  [{ flags: { host: '' } }, '--host', "''", '--host 127.0.0.1'],
  [{ env: { CARCOSA_DATA_DIR: '  ' } }, 'CARCOSA_DATA_DIR', 'a directory', '.carcosa'],
  [{ env: { DATABASE_URL: '' } }, 'DATABASE_URL is set but empty'],
  [
    { env: { DATABASE_URL: 'mysql://db/app' } },
    'DATABASE_URL',
    'CARCOSA_DATABASE, which wins',
  ],
  [{ env: { CARCOSA_DATABASE: 'postgres://' } }, 'CARCOSA_DATABASE', 'postgres://user:'],
  [{ env: { CARCOSA_DATABASE: 'postgres://h:p0rt/x' } }, 'memory://'],
  [{ flags: { database: 'localhost:5432/app' } }, '--database', 'a directory'],
  [{ flags: { database: 'file:./dev.db' } }, '--database', 'postgres://'],
  [{ env: { CARCOSA_SECRET: 'short' } }, 'CARCOSA_SECRET', 'at least 32', 'openssl rand'],
  [{ object: { secret: [] } }, 'secret in the options', 'at least 32'],
  [{ object: { secret: [longSecret, 'x'] } }, 'secret in the options', 'at least 32'],
  [
    { env: { CARCOSA_SECRET: longSecret, CARCOSA_SECRET_FILE: '/x' } },
    'CARCOSA_SECRET and CARCOSA_SECRET_FILE are both set',
    'Unset one',
  ],
  [
    { env: { DATABASE_URL: 'memory://', DATABASE_URL_FILE: '/x' } },
    'DATABASE_URL and DATABASE_URL_FILE are both set',
  ],
  [{ env: { CARCOSA_SECRET_FILE: '/nowhere/secret' } }, '/nowhere/secret', 'ENOENT'],
  [{ env: { CARCOSA_SECRET_FILE: directory } }, directory, 'EISDIR'],
  [{ env: { CARCOSA_SECRET_FILE: fileWith('empty', '\n') } }, 'empty'],
  [
    { env: { CARCOSA_PUBLIC_URL: 'files.example.com' } },
    'CARCOSA_PUBLIC_URL',
    'http or https',
  ],
  [{ env: { CARCOSA_PUBLIC_URL: 'ftp://example.com' } }, 'http or https'],
  [{ env: { CARCOSA_PUBLIC_URL: 'https://x.org/?a=1' } }, 'query'],
  [
    { object: { publicUrl: 'https://u:p@x.org' } },
    'publicUrl in the options',
    'credentials',
  ],
  [{ env: { CARCOSA_BASE_PATH: 'media' } }, "'media'", 'starts with a slash'],
  [{ object: { basePath: '/a/../b' } }, 'basePath in the options', '/media'],
  [{ object: { basePath: '/a//b' } }, "'/a//b'"],
  [{ env: { CARCOSA_CORS: 'example.com' } }, 'CARCOSA_CORS', 'https://app.example.com'],
  [{ env: { CARCOSA_CORS: 'https://a.example,*' } }, 'CARCOSA_CORS', '* for all'],
  [
    { object: { cors: { origins: ['https://x.org/path'] } } },
    'cors in the options',
    'origins',
  ],
  [
    { object: { cors: untyped('*') } },
    'cors in the options',
    "{ origins: ['https://app.example.com'] }",
  ],
  [{ env: { CARCOSA_DIGEST: 'md5' } }, "'md5'", 'sha-256 or none'],
  [
    { env: { CARCOSA_EXPIRES_IN: '60' } },
    'CARCOSA_EXPIRES_IN',
    "'60'",
    'with its unit',
    '24h',
  ],
  [{ env: { CARCOSA_EXPIRES_IN: '1 month' } }, "'1 month'"],
  [{ flags: { drainDelay: '5' } }, '--drain-delay', "'5'", '0 for none'],
  [{ flags: { drainDelay: '-5s' } }, '--drain-delay', "'-5s'", '0 for none'],
  [{ flags: { queues: 'upload.complete,' } }, '--queues', 'commas between them'],
  [{ object: { queues: [] } }, 'queues in the options', 'upload.complete'],
  [{ env: { REDIS_URL: 'localhost:6379' } }, 'REDIS_URL', 'rediss://', 'CARCOSA_REDIS'],
  [{ object: { expiresIn: 0 } }, 'expiresIn in the options', 'above zero'],
  [{ object: { expiresIn: -5 } }, '-5', 'above zero'],
  [{ object: { maxSignedUrlAge: '7' } }, 'maxSignedUrlAge in the options', "'7d'"],
  [{ env: { CARCOSA_WORKER: 'yes' } }, "'yes'", 'true or false'],
  [{ env: { CARCOSA_WORKER: 'TRUE' } }, "'TRUE'", 'CARCOSA_WORKER=true'],
  [{ object: { worker: untyped('false') } }, 'worker in the options', 'worker: true'],
  [{ flags: { logLevel: 'verbose' } }, '--log-level', 'debug, info, warn, error'],
  [{ env: { CARCOSA_SHUTDOWN_TIMEOUT: 'soon' } }, "'soon'", '10s'],
  [
    { env: { CARCOSA_DATABSE: 'memory://' } },
    'CARCOSA_DATABSE',
    'Did you mean CARCOSA_DATABASE?',
  ],
  [{ env: { CARCOSA_DATADIR: 'x' } }, 'Did you mean CARCOSA_DATA_DIR?'],
  [{ env: { CARCOSA_FROBNICATE: '1' } }, 'CARCOSA_FROBNICATE is not a setting'],
  [
    { object: untyped({ dataDirectory: 'x' }) },
    'dataDirectory in the options',
    'Did you mean dataDir?',
  ],
  [
    { object: { router: untyped({ avatar: {} }) } },
    'router in the options',
    'createRouter',
  ],
  [
    { object: { store: untyped('s3') } },
    'store in the options',
    "'s3'",
    'file({ directory',
  ],
  [
    { object: { store: untyped({}) } },
    'store in the options',
    'object of stores by name',
  ],
  [{ object: { auth: untyped([{ name: 'x' }]) } }, 'auth in the options', 'authenticate'],
  [{ object: { roles: untyped({ a: ['files.raed'] }) } }, 'roles in the', 'files.read'],
  [{ object: { roles: untyped({ a: ['files.read.all'] }) } }, 'roles in the', '.own'],
  [{ object: { roles: untyped({ 'A B': [] }) } }, 'roles in the', 'by name'],
  [{ object: { logger: untyped({ info() {} }) } }, 'logger in the options', 'pino'],
]

const refusals = suite('what is refused')

for (const [sources, ...said] of rows) {
  refusals(`${JSON.stringify(sources)} is refused in a sentence that helps`, () => {
    const error = problemOf(sources)
    assert.is(error.code, 'CONFIG_INVALID')
    for (const part of said) {
      assert.ok(error.message.includes(part), `"${part}" is missing in: ${error.message}`)
    }
    assert.not.match(error.message, '\n', 'one problem is one line')
  })
}

refusals('a missing router is a problem', () => {
  const sources = { object: {}, env: {}, objectName: 'carcosa.config.ts' }
  assert.throws(
    () => resolveConfig(sources),
    (error: unknown) =>
      error instanceof CarcosaError &&
      error.message.startsWith('router in carcosa.config.ts is missing. Allowed: '),
  )
})

refusals('all problems are told at once, each with its source', () => {
  const error = problemOf({ env: { PORT: 'x', CARCOSA_DIGEST: 'md5', CARCOSA_X: '1' } })
  assert.match(error.message, /^3 settings are wrong:\n {2}- /)
  const { problems } = error.details as { problems: { source: string }[] }
  assert.equal(problems.map((problem) => problem.source).sort(), [
    'CARCOSA_DIGEST',
    'CARCOSA_X',
    'PORT',
  ])
})

refusals.after(() => rmSync(directory, { recursive: true, force: true }))
refusals.run()
