import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PrismaPGlite } from 'pglite-prisma-adapter'
import type { Database, Statement, Transaction } from './database.ts'
import { acquireLock, type EmbeddedLock } from './embedded-lock.ts'
import { type Engine, type Queryable, startEngine } from './engine.ts'
import { directoryError } from './errors.ts'
import { createPrisma } from './prisma.ts'
import { startUpkeep } from './upkeep.ts'
import { parsers } from './values.ts'

export interface EmbeddedOptions {
  /** Milliseconds between two looks at what the embedded database neglects. Default 60,000. */
  upkeepInterval?: number
  /** Told about failures that nobody waits for. */
  onBackgroundError?: (error: Error) => void
}

/**
 * Opens the embedded database in `directory`, created if it is missing; `null` keeps it in
 * memory. See openDatabase for the errors.
 */
export async function openEmbedded(
  directory: string | null,
  options: EmbeddedOptions = {},
): Promise<Database> {
  if (directory === null) return connect(await startEngine(null), null, options)
  await mkdir(directory, { recursive: true }).catch((error) => {
    throw directoryError(directory, error)
  })
  const lock = await acquireLock(directory)
  try {
    return connect(await startEngine(join(directory, 'postgres')), lock, options)
  } catch (error) {
    await lock.release()
    throw error
  }
}

function connect(
  engine: Engine,
  lock: EmbeddedLock | null,
  { upkeepInterval = 60_000, onBackgroundError = () => undefined }: EmbeddedOptions,
): Database {
  const prisma = createPrisma(prismaAdapter(engine), () => lock?.assertHeld())
  const upkeep = startUpkeep(engine, upkeepInterval, onBackgroundError)
  let closing: Promise<void> | undefined
  const close = async () => {
    await upkeep.stop()
    await prisma.$disconnect()
    if (!lock?.lost) await engine.close()
    await lock?.release()
  }
  return {
    kind: 'pglite',
    prisma,
    query: async (statement, values) => {
      lock?.assertHeld()
      return await engine.run((pglite) => runNamed(pglite, statement, values))
    },
    executeSql: async (sql, values) => {
      lock?.assertHeld()
      return await executeSql(engine, sql, values)
    },
    transaction: async (work) => {
      lock?.assertHeld()
      return await engine.transaction((tx) => work(transactionOn(tx)))
    },
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

function prismaAdapter(engine: Engine): PrismaPGlite {
  const client = {
    query: (...args: Parameters<Queryable['query']>) =>
      engine.run((pglite) => pglite.query(...args)),
    exec: (...args: Parameters<Queryable['exec']>) =>
      engine.run((pglite) => pglite.exec(...args)),
    transaction: engine.transaction,
  }
  // The adapter asks for a whole PGlite and uses these three methods of it.
  return new PrismaPGlite(
    client as unknown as ConstructorParameters<typeof PrismaPGlite>[0],
  )
}

function transactionOn(tx: Queryable): Transaction {
  return {
    query: (statement, values) => runNamed(tx, statement, values),
    executeSql: (sql, values) => runScript(tx, sql, values),
  }
}

async function runNamed<Row>(
  db: Queryable,
  { sql }: Statement,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  return (await db.query<Row>(sql, [...values], { parsers })).rows
}

async function executeSql(engine: Engine, sql: string, values?: unknown[]) {
  // A script with a BEGIN of its own that fails leaves the only connection in an aborted
  // transaction, which the next caller would run into. Around it, ours is rolled back.
  if (!values?.length && /^\s*BEGIN\b/i.test(sql)) {
    return await engine.transaction((tx) => runScript(tx, sql))
  }
  return await engine.run((pglite) => runScript(pglite, sql, values))
}

async function runScript(db: Queryable, sql: string, values?: unknown[]) {
  const options = { parsers }
  const results = values?.length
    ? [await db.query(sql, values, options)]
    : await db.exec(sql, options)
  return { rows: results.flatMap(({ rows }) => rows as Record<string, unknown>[]) }
}
