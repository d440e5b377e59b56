/** What somebody reads whose database cannot be opened. */
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openDatabase } from '../../src/db/open.ts'
import { CarcosaError } from '../../src/shared/errors.ts'
import { postgres } from '../support/postgres.ts'

const server = await postgres()
const root = await mkdtemp(join(tmpdir(), 'carcosa-open-'))
const inTheWay = join(root, 'file')
await writeFile(inTheWay, '')
const deaf = createServer(() => undefined).listen(0, '127.0.0.1')
await once(deaf, 'listening')
const closed = createServer().listen(0, '127.0.0.1')
await once(closed, 'listening')
const closedPort = portOf(closed)
closed.close()

const open = suite('openDatabase')

const cases: [title: string, location: string, code: string, advice: RegExp][] = [
  ['nothing', '', 'CONFIG_INVALID', /Give a postgres:\/\/ URL, a directory/],
  ['another kind of database', 'mysql://host/db', 'CONFIG_INVALID', /mysql:\/\//],
  [
    'a malformed URL',
    'postgres://u:hunter2@host:port/db',
    'CONFIG_INVALID',
    /Write it as/,
  ],
  [
    'a URL without anything',
    'postgres:',
    'DATABASE_UNAVAILABLE',
    /cannot be reached|Start it/,
  ],
  [
    'a server that does not run',
    `postgres://u:hunter2@127.0.0.1:${closedPort}/db`,
    'DATABASE_UNAVAILABLE',
    new RegExp(`127.0.0.1:${closedPort} cannot be reached \\(ECONNREFUSED\\). Start it`),
  ],
  [
    'a server that does not answer',
    `postgres://u:hunter2@127.0.0.1:${portOf(deaf)}/db`,
    'DATABASE_UNAVAILABLE',
    /cannot be reached/,
  ],
  [
    'a host that does not exist',
    'postgres://u:hunter2@nowhere.invalid/db',
    'DATABASE_UNAVAILABLE',
    /nowhere.invalid:5432 cannot be reached/,
  ],
  [
    'a wrong password',
    change({ password: 'hunter2' }),
    'CONFIG_INVALID',
    /does not let the user "postgres" in. Correct user and password/,
  ],
  [
    'a missing database',
    change({ pathname: '/nothing_here' }),
    'CONFIG_INVALID',
    /no database "nothing_here". Create it/,
  ],
  [
    'a server without TLS where the URL asks for it',
    change({ search: '?sslmode=require' }),
    'CONFIG_INVALID',
    /sslmode/,
  ],
  [
    'a directory below a file',
    join(inTheWay, 'db'),
    'CONFIG_INVALID',
    /Make it writable/,
  ],
  ['a file in place of the directory', inTheWay, 'CONFIG_INVALID', /Make it writable/],
  [
    'a directory that takes no files',
    '/proc/1',
    'CONFIG_INVALID',
    /\/proc\/1 .*Make it writable/,
  ],
]

for (const [title, location, code, advice] of cases) {
  open(`explains ${title}`, async () => {
    const error = await codeOf(openDatabase(location, { connectTimeout: 1000 }))
    assert.is(error.code, code)
    assert.match(error.message, advice)
    assert.not.match(inspect(error, { depth: 10, showHidden: true }), 'hunter2')
  })
}

open('explains a directory that belongs to somebody else', async () => {
  const directory = join(root, 'readonly')
  const database = await openDatabase(directory)
  await database.close()
  await chmod(root, 0o755)
  await chmod(directory, 0o555)
  // Root may write anywhere, so it plays somebody else.
  const isRoot = process.getuid?.() === 0
  if (isRoot) process.seteuid?.(65534)
  const error = await codeOf(openDatabase(directory)).finally(() => {
    if (isRoot) process.seteuid?.(0)
  })
  assert.is(error.code, 'CONFIG_INVALID')
  assert.match(error.message, 'EACCES')
  await chmod(directory, 0o700)
})

open('explains a directory that holds something else', async () => {
  const directory = join(root, 'damaged')
  const database = await openDatabase(directory)
  await database.close()
  await writeFile(join(directory, 'postgres/global/pg_control'), 'not a control file')
  const error = await codeOf(openDatabase(directory))
  assert.is(error.code, 'DATABASE_UNAVAILABLE')
  assert.match(error.message, directory)
  assert.match(error.message, 'restore a backup')
})

open.after(async () => {
  deaf.close()
  await server.drop()
  await rm(root, { recursive: true, force: true })
})

open.run()

function change(parts: Partial<Pick<URL, 'password' | 'pathname' | 'search'>>): string {
  return Object.assign(new URL(server.url), parts).href
}

function portOf(listener: ReturnType<typeof createServer>): number {
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  return address.port
}

async function codeOf(attempt: Promise<unknown>): Promise<CarcosaError> {
  const error = await attempt.then(
    () => null,
    (error: unknown) => error,
  )
  if (error instanceof CarcosaError) return error
  throw new Error('No CarcosaError was thrown.', { cause: error })
}
