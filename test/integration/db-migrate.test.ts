/** Migrations: applied once, by anybody, and the same ones that Prisma sees. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { deployWithPrisma, missingSql, schemaFile } from '../../prisma/schema-engine.ts'
import type { Database } from '../../src/db/database.ts'
import { migrate, pendingMigrations } from '../../src/db/migrate.ts'
import { migrationsDirectory, readMigrations } from '../../src/db/migrations.ts'
import { openDatabase } from '../../src/db/open.ts'
import { CarcosaError } from '../../src/shared/errors.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'

const ours = (await readMigrations()).map(({ name }) => name)
const root = await mkdtemp(join(tmpdir(), 'carcosa-migrations-'))
let copies = 0

interface Context {
  server: TestDatabase
  database: Database
  /** A copy of prisma/migrations that a test may change. */
  directory: string
}

const migrations = suite<Context>('db/migrate')

migrations.before.each(async (context) => {
  context.server = await postgres()
  context.database = await openDatabase(context.server.url)
  context.directory = join(root, String(copies++))
  await cp(migrationsDirectory, context.directory, { recursive: true })
})

migrations.after.each(async ({ database, server }) => {
  await database.close()
  await server.drop()
})

migrations.after(() => rm(root, { recursive: true, force: true }))

migrations(
  'applies everything to an empty database, and nothing twice',
  async ({ database }) => {
    assert.equal(await pendingMigrations(database), ours)
    assert.equal(await migrate(database), ours)
    assert.equal(await migrate(database), [])
    assert.equal(await pendingMigrations(database), [])
  },
)

migrations('makes the default project', async ({ database }) => {
  await migrate(database)
  const projects = await database.prisma.project.findMany()
  assert.equal(
    projects.map(({ id }) => id),
    ['default'],
  )
})

migrations('touches nothing outside of its schema', async ({ database }) => {
  await migrate(database)
  const { rows } = await database.executeSql(
    `SELECT DISTINCT schemaname AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  )
  assert.equal(rows, [{ name: 'carcosa' }])
})

migrations(
  'lets several processes start at once on an empty database',
  async (context) => {
    const others = await Promise.all(
      [1, 2, 3, 4].map(() => openDatabase(context.server.url)),
    )
    const applied = await Promise.all(others.map((database) => migrate(database)))
    assert.equal(applied.flat().sort(), ours)
    await Promise.all(others.map((database) => database.close()))
  },
)

migrations('works where an administrator made the schema', async (context) => {
  const { url, clean } = await restrictedUser(context)
  await context.database.executeSql('CREATE SCHEMA carcosa AUTHORIZATION restricted')
  const database = await openDatabase(url)
  assert.equal(await migrate(database), ours)
  await database.close()
  await clean()
})

migrations('says what to do when the user may not create the schema', async (context) => {
  const { url, clean } = await restrictedUser(context)
  const database = await openDatabase(url)
  const error = await codeOf(migrate(database))
  assert.is(error.code, 'CONFIG_INVALID')
  assert.match(error.message, 'CREATE SCHEMA carcosa AUTHORIZATION "restricted"')
  await database.close()
  await clean()
})

migrations('refuses a database that a newer version has migrated', async (context) => {
  const { database, directory } = context
  await addMigration(directory, '20991231000000_future', 'CREATE TABLE carcosa.future ()')
  await migrate(database, directory)
  const error = await codeOf(migrate(database))
  assert.is(error.code, 'MIGRATION_UNKNOWN')
  assert.match(error.message, '20991231000000_future')
})

migrations(
  'refuses a migration that was changed after it was applied',
  async (context) => {
    const { database, directory } = context
    await migrate(database, directory)
    const file = join(directory, ours[0] ?? '', 'migration.sql')
    await writeFile(file, `${await readFile(file, 'utf8')}\n-- harmless\n`)
    const error = await codeOf(migrate(database, directory))
    assert.is(error.code, 'MIGRATION_CHANGED')
    assert.equal(error.details, { migration: ours[0] })
  },
)

migrations('undoes the whole of a migration that fails halfway', async (context) => {
  const { database, directory } = context
  const sql = 'CREATE TABLE carcosa.half (); SELECT * FROM nowhere'
  await addMigration(directory, '20991231000000_half', sql)
  const error = await codeOf(migrate(database, directory))
  assert.is(error.code, 'MIGRATION_FAILED')
  assert.match(error.message, /20991231000000_half failed and was rolled back: .*nowhere/)
  const { rows } = await database.executeSql(
    `SELECT to_regclass('carcosa.half') AS found`,
  )
  assert.equal(rows, [{ found: null }])
  assert.equal(await pendingMigrations(database, directory), ['20991231000000_half'])

  await addMigration(directory, '20991231000000_half', 'CREATE TABLE carcosa.half ()')
  assert.equal(await migrate(database, directory), ['20991231000000_half'])
})

migrations('refuses what another tool left half done', async ({ database }) => {
  await migrate(database)
  await database.executeSql(
    `UPDATE carcosa._prisma_migrations SET finished_at = NULL WHERE migration_name = $1`,
    [ours.at(-1)],
  )
  const error = await codeOf(migrate(database))
  assert.is(error.code, 'MIGRATION_FAILED')
  assert.match(error.message, `prisma migrate resolve --rolled-back ${ours.at(-1)}`)
})

migrations(
  'leaves nothing to do for `prisma migrate deploy`',
  async ({ database, server }) => {
    await migrate(database)
    assert.equal(await prismaDeploy(server), [])
  },
)

migrations(
  'has nothing to do after `prisma migrate deploy`',
  async ({ database, server }) => {
    // The CLI makes the schema of `?schema=` when it connects.
    await database.executeSql('CREATE SCHEMA carcosa')
    assert.equal(await prismaDeploy(server), ours)
    assert.equal(await migrate(database), [])
  },
)

migrations.run()

const drift = suite('prisma/migrations')

drift('lead to schema.prisma', async () => {
  assert.is(await missingSql(), '')
})

drift('are known to be too few when schema.prisma has changed', async () => {
  const schema = await readFile(schemaFile, 'utf8')
  const changed = schema.replace('model Project {', 'model Project {\n  colour String?')
  assert.match(await missingSql(changed), 'ADD COLUMN     "colour" TEXT')
})

drift('have names that sort by time and are no longer than Prisma can record', () => {
  for (const name of ours) assert.match(name, /^\d{14}_[a-z0-9_]{1,200}$/)
})

drift.run()

async function addMigration(directory: string, name: string, sql: string): Promise<void> {
  await mkdir(join(directory, name), { recursive: true })
  await writeFile(join(directory, name, 'migration.sql'), sql)
}

/** A user who may connect and nothing else. Roles are the server's: tests take turns. */
async function restrictedUser({ database, server }: Context) {
  await database.executeSql(`CREATE ROLE restricted LOGIN PASSWORD 'pw'`)
  const url = new URL(server.url)
  url.username = 'restricted'
  url.password = 'pw'
  const clean = async () => {
    await database.executeSql('DROP OWNED BY restricted CASCADE')
    await database.executeSql('DROP ROLE restricted')
  }
  return { url: url.href, clean }
}

/** As with `?schema=carcosa` in the URL, see src/db/migrate.ts. */
async function prismaDeploy({ url }: TestDatabase): Promise<string[]> {
  const connection = { connectionString: url, options: '-c search_path=carcosa' }
  const factory = new PrismaPg(connection, { schema: 'carcosa' })
  const connect = factory.connect.bind(factory)
  factory.connect = async () => {
    const adapter = await connect()
    // The adapter cuts scripts at every semicolon, which the engine of the CLI does not.
    adapter.executeScript = async (script) => {
      await adapter.underlyingDriver().query(script)
    }
    return adapter
  }
  return await deployWithPrisma(factory)
}

async function codeOf(attempt: Promise<unknown>): Promise<CarcosaError> {
  const error = await attempt.then(
    () => null,
    (error: unknown) => error,
  )
  if (error instanceof CarcosaError) return error
  throw new Error('No CarcosaError was thrown.', { cause: error })
}
