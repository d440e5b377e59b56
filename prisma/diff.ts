/**
 * `npm run migration:new -- <name>` writes the migration that leads from prisma/migrations to
 * prisma/schema.prisma. `npm run migration:check` only says whether one is missing.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { migrationsDirectory } from '../src/db/migrations.ts'
import { missingSql } from './schema-engine.ts'

const name = process.argv[2]
const sql = await missingSql()

if (sql === '') {
  console.log('schema.prisma and prisma/migrations agree.')
} else if (name === undefined) {
  console.error(`A migration is missing. Run: npm run migration:new -- <name>\n\n${sql}`)
  process.exitCode = 1
} else if (!/^[a-z][a-z0-9_]*$/.test(name)) {
  console.error(`"${name}" is no name for a migration: use a-z, 0-9 and _.`)
  process.exitCode = 1
} else {
  console.log(`Wrote ${write(name, sql)}. Read it before you commit it.`)
}

function write(name: string, sql: string): string {
  const timestamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14)
  const folder = join(migrationsDirectory, `${timestamp}_${name}`)
  mkdirSync(folder)
  const file = join(folder, 'migration.sql')
  writeFileSync(file, sql)
  return file
}
