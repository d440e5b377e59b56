import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** One folder of prisma/migrations. */
export interface Migration {
  /** The folder's name: `<timestamp>_<what it does>`. Names sort in the order of application. */
  readonly name: string
  readonly sql: string
  /** Hex SHA-256 of migration.sql, which is what Prisma records too. */
  readonly checksum: string
}

/**
 * The migrations that come with this version. The same relative path holds for the sources
 * (src/db) and for the published build (dist/src/db), which carries a copy.
 */
export const migrationsDirectory = join(import.meta.dirname, '../../prisma/migrations')

/** Reads all migrations in `directory`, oldest first. */
export async function readMigrations(
  directory: string = migrationsDirectory,
): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return Promise.all(names.sort().map((name) => readMigration(directory, name)))
}

async function readMigration(directory: string, name: string): Promise<Migration> {
  const bytes = await readFile(join(directory, name, 'migration.sql'))
  const checksum = createHash('sha256').update(bytes).digest('hex')
  return { name, sql: bytes.toString('utf8'), checksum }
}
