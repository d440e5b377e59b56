/**
 * Prisma's schema engine as WebAssembly over a throw-away PGlite, so that migrations are
 * written and checked without the engine binary that the Prisma CLI would download.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils'
import type { MigrationList, SchemaEngine } from '@prisma/schema-engine-wasm'
import * as binding from '@prisma/schema-engine-wasm/schema_engine_bg'
import { PrismaPGlite } from 'pglite-prisma-adapter'
import { migrationsDirectory, readMigrations } from '../src/db/migrations.ts'

const noFilter = { externalTables: [], externalEnums: [] }
const lockFile = 'migration_lock.toml'

/** Where schema.prisma is. */
export const schemaFile = join(import.meta.dirname, 'schema.prisma')

/** The SQL that leads from the migrations in `directory` to `schema`; empty if they agree. */
export async function missingSql(
  schema: string = readFileSync(schemaFile, 'utf8'),
  directory: string = migrationsDirectory,
): Promise<string> {
  const database = await PGlite.create('memory://')
  const engine = await openEngine(pgliteFactory(database))
  try {
    const { stdout } = await engine.diff({
      from: { tag: 'migrations', ...(await migrationList(directory)) },
      to: {
        tag: 'schemaDatamodel',
        files: [{ path: schemaFile, content: schema }],
      },
      script: true,
      exitCode: null,
      filters: noFilter,
    })
    const sql = stdout ?? ''
    return sql.trim() === '-- This is an empty migration.' ? '' : sql
  } finally {
    engine.free()
    await database.close()
  }
}

/** What `prisma migrate deploy` does: applies what is pending, returns the names. */
export async function deployWithPrisma(
  factory: SqlMigrationAwareDriverAdapterFactory,
  directory: string = migrationsDirectory,
): Promise<string[]> {
  const engine = await openEngine(factory)
  try {
    const result = await engine.applyMigrations({
      migrationsList: await migrationList(directory),
      filters: noFilter,
    })
    return result.appliedMigrationNames
  } finally {
    engine.free()
  }
}

async function openEngine(
  factory: SqlMigrationAwareDriverAdapterFactory,
): Promise<SchemaEngine> {
  const wasm = binding as unknown as WasmBinding
  if (!instantiated) {
    const main = fileURLToPath(import.meta.resolve('@prisma/schema-engine-wasm'))
    const file = join(dirname(main), 'schema_engine_bg.wasm')
    const { instance } = await WebAssembly.instantiate(readFileSync(file), {
      './schema_engine_bg.js': binding as unknown as WebAssembly.ModuleImports,
    })
    wasm.__wbg_set_wasm(instance.exports)
    ;(instance.exports.__wbindgen_start as () => void)()
    instantiated = true
  }
  return await wasm.SchemaEngine.new(
    { datamodels: undefined },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(factory),
  )
}

let instantiated = false

/** The binding's declarations leave out the initialiser that wasm-bindgen generates. */
interface WasmBinding {
  __wbg_set_wasm(exports: WebAssembly.Exports): void
  SchemaEngine: typeof SchemaEngine
}

async function migrationList(directory: string): Promise<MigrationList> {
  const migrations = await readMigrations(directory)
  return {
    baseDir: directory,
    lockfile: { path: lockFile, content: readOptional(join(directory, lockFile)) },
    shadowDbInitScript: '',
    migrationDirectories: migrations.map(({ name, sql }) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
    })),
  }
}

function readOptional(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

/** One database is both the main and the shadow one: a diff only writes to the latter. */
function pgliteFactory(database: PGlite): SqlMigrationAwareDriverAdapterFactory {
  const connect = async (): Promise<SqlDriverAdapter> => {
    const adapter: SqlDriverAdapter = await new PrismaPGlite(database).connect()
    // The adapter starts the script without waiting for it and loses its errors.
    adapter.executeScript = async (script) => {
      await database.exec(script)
    }
    return adapter
  }
  return {
    provider: 'postgres',
    adapterName: 'pglite-prisma-adapter',
    connect,
    connectToShadowDb: connect,
  }
}
