import type { Database } from '../db/database.ts'
import { describeDatabase } from './server/describe.ts'
import { settingFlags, settingsFrom } from './server/settings.ts'
import { type Io, readArgs, type Verb } from './verb.ts'

/** `carcosa migrate`: brings the database to this version. */
export const verb: Verb = {
  name: 'migrate',
  summary: 'bring the database to this version, or show what is missing: --status',
  usage: `carcosa migrate [--status] [--config <file>] [--database <…>] [--data-dir <…>]

Applies the migrations that the database has not seen and prints their names. The server
does the same when it starts; run this first where its database user may not create tables.

  --status   applies nothing, prints what would be applied; exit code 1 if there is any

The database is found as by carcosa start: see carcosa help start.`,
  async run(args, io) {
    const parsed = readArgs(args, { ...settingFlags, status: { type: 'boolean' } })
    const { config } = await settingsFrom(parsed, io)
    // Loaded here so that other verbs start without it.
    const { openDatabase } = await import('../db/open.ts')
    io.stdout.write(`Database: ${describeDatabase(config.database)}\n`)
    const database = await openDatabase(config.database)
    try {
      return parsed.flags.status ? await status(database, io) : await apply(database, io)
    } finally {
      await database.close()
    }
  },
}

async function apply(database: Database, io: Io): Promise<number> {
  const { migrate } = await import('../db/migrate.ts')
  const names = await migrate(database)
  for (const name of names) io.stdout.write(`applied  ${name}\n`)
  if (names.length === 0)
    io.stdout.write('Nothing to apply: the database is up to date.\n')
  return 0
}

async function status(database: Database, io: Io): Promise<number> {
  const { pendingMigrations } = await import('../db/migrate.ts')
  const names = await pendingMigrations(database)
  for (const name of names) io.stdout.write(`pending  ${name}\n`)
  if (names.length === 0)
    io.stdout.write('Nothing to apply: the database is up to date.\n')
  return names.length === 0 ? 0 : 1
}
