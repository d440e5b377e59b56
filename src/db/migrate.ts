import { randomUUID } from 'node:crypto'
import { CarcosaError } from '../shared/errors.ts'
import type { Database, ExecuteSql } from './database.ts'
import { toDatabaseError } from './errors.ts'
import { type Migration, readMigrations } from './migrations.ts'
import { ensureSchema, explainRefusal, withMigrationLock } from './schema.ts'

/**
 * Prisma keeps its records in the first schema of the search path, which is `public` unless
 * the URL says `?schema=…`. Ours are in our own schema, so that the records of a host
 * application that uses Prisma too are never touched; `prisma migrate deploy` with
 * `?schema=carcosa` reads and writes the same ones. Columns and checksums are Prisma's.
 */
const table = 'carcosa._prisma_migrations'

/**
 * Applies the migrations that the database has not seen and returns their names, oldest
 * first. Any number of processes may do so at once: one applies, the others wait.
 *
 * Each migration is one transaction together with its record, so that it is applied wholly
 * or not at all.
 *
 * Throws MIGRATION_UNKNOWN (a newer version was here), MIGRATION_CHANGED, MIGRATION_FAILED,
 * or CONFIG_INVALID if the user may not create the schema.
 */
export async function migrate(database: Database, directory?: string): Promise<string[]> {
  const migrations = await readMigrations(directory)
  const applied: string[] = []
  if ((await pending(database, migrations)).length === 0) return applied
  await prepare(database)
  for (;;) {
    const name = await applyNext(database, migrations)
    if (name === null) return applied
    applied.push(name)
  }
}

/** Names of the migrations that `migrate` would apply, oldest first. Changes nothing. */
export async function pendingMigrations(
  database: Database,
  directory?: string,
): Promise<string[]> {
  const migrations = await pending(database, await readMigrations(directory))
  return migrations.map(({ name }) => name)
}

async function pending(
  database: Database,
  migrations: Migration[],
): Promise<Migration[]> {
  const { rows } = await database.executeSql(`SELECT to_regclass('${table}') AS found`)
  const records = rows[0]?.found ? await readRecords(database.executeSql) : []
  return compare(migrations, records)
}

/** Makes the schema and the table of records. */
async function prepare(database: Database): Promise<void> {
  await ensureSchema(database, 'carcosa')
  try {
    await withMigrationLock(database, (execute) => execute(createTable))
  } catch (error) {
    throw await explainRefusal(database, error)
  }
}

/** Applies the oldest pending migration; null if there is none. */
async function applyNext(
  database: Database,
  migrations: Migration[],
): Promise<string | null> {
  return await withMigrationLock(database, async (execute) => {
    const next = compare(migrations, await readRecords(execute))[0]
    if (!next) return null
    await runScript(execute, next)
    await execute(
      `INSERT INTO ${table}
         (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
      [randomUUID(), next.checksum, next.name],
    )
    return next.name
  })
}

async function runScript(execute: ExecuteSql, { name, sql }: Migration): Promise<void> {
  try {
    await execute(sql)
  } catch (error) {
    const known = toDatabaseError(error)
    if (known instanceof CarcosaError) throw known
    throw new CarcosaError('MIGRATION_FAILED', {
      message:
        `The migration ${name} failed and was rolled back: ${(error as Error).message}. ` +
        'Remove what is in its way and start again.',
      details: { migration: name },
      cause: error,
    })
  }
}

interface MigrationRecord {
  name: string
  checksum: string
  finished: boolean
}

async function readRecords(execute: ExecuteSql): Promise<MigrationRecord[]> {
  const { rows } = await execute(
    `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished
     FROM ${table} WHERE rolled_back_at IS NULL ORDER BY started_at`,
  )
  return rows as unknown as MigrationRecord[]
}

/** What is left to apply. Throws if the records and our migrations do not fit together. */
function compare(migrations: Migration[], records: MigrationRecord[]): Migration[] {
  const known = new Map(migrations.map((migration) => [migration.name, migration]))
  for (const { name, checksum, finished } of records) {
    const migration = known.get(name)
    if (!migration) throw unknown(name)
    if (!finished) throw unfinished(name)
    if (migration.checksum !== checksum) throw changed(name)
    known.delete(name)
  }
  return [...known.values()]
}

function unknown(name: string): CarcosaError {
  return new CarcosaError('MIGRATION_UNKNOWN', {
    message:
      `The database holds the migration ${name}, which this version does not know: a newer ` +
      'one has used it. Run that version, or restore a backup from before it.',
    details: { migration: name },
  })
}

function changed(name: string): CarcosaError {
  return new CarcosaError('MIGRATION_CHANGED', {
    message:
      `The file of the migration ${name} is not the one that was applied to the database. ` +
      'Restore the file; a change belongs into a new migration.',
    details: { migration: name },
  })
}

/** Only Prisma's CLI leaves such a record: it does not put a migration into a transaction. */
function unfinished(name: string): CarcosaError {
  return new CarcosaError('MIGRATION_FAILED', {
    message:
      `The migration ${name} was started by another tool and did not finish. Undo its ` +
      `changes, then run: prisma migrate resolve --rolled-back ${name}`,
    details: { migration: name },
  })
}

const createTable = `CREATE TABLE IF NOT EXISTS ${table} (
  id                  VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum            VARCHAR(64) NOT NULL,
  finished_at         TIMESTAMPTZ,
  migration_name      VARCHAR(255) NOT NULL,
  logs                TEXT,
  rolled_back_at      TIMESTAMPTZ,
  started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
  applied_steps_count INTEGER NOT NULL DEFAULT 0
)`
