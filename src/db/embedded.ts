import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite, type Transaction as PgliteTransaction } from '@electric-sql/pglite'
import { PrismaPGlite } from 'pglite-prisma-adapter'
import { CarcosaError } from '../shared/errors.ts'
import type { Database, Statement, Transaction } from './database.ts'
import { acquireLock, type EmbeddedLock } from './embedded-lock.ts'
import { directoryError, toDatabaseError } from './errors.ts'
import { createPrisma } from './prisma.ts'
import { parsers } from './values.ts'

/**
 * Opens the embedded database in `directory`, created if it is missing; `null` keeps it in
 * memory. See openDatabase for the errors.
 */
export async function openEmbedded(directory: string | null): Promise<Database> {
  if (directory === null) return await openPglite('memory://', null)
  await prepareDirectory(directory)
  const lock = await acquireLock(directory)
  try {
    return await openPglite(join(directory, 'postgres'), lock)
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function prepareDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true })
  } catch (error) {
    throw directoryError(directory, error)
  }
}

async function openPglite(dataDir: string, lock: EmbeddedLock | null): Promise<Database> {
  const pglite = await start(dataDir)
  const prisma = createPrisma(new PrismaPGlite(pglite), () => lock?.assertHeld())
  const whileHeld = async <T>(use: () => Promise<T>): Promise<T> => {
    lock?.assertHeld()
    return await use()
  }
  let closing: Promise<void> | undefined
  return {
    kind: 'pglite',
    prisma,
    query: (statement, values) => whileHeld(() => runNamed(pglite, statement, values)),
    executeSql: (sql, values) => whileHeld(() => executeSql(pglite, sql, values)),
    transaction: (work) =>
      whileHeld(() => pglite.transaction((tx) => work(transactionOn(tx)))),
    close: () => {
      closing ??= prisma
        .$disconnect()
        .then(() => (lock?.lost ? undefined : pglite.close()))
        .finally(() => lock?.release())
      return closing
    },
  }
}

async function start(dataDir: string): Promise<PGlite> {
  try {
    const pglite = await PGlite.create({ dataDir, parsers })
    // Prisma's adapter reads timestamps as if the session were in UTC.
    await pglite.exec("SET TIME ZONE 'UTC'")
    return pglite
  } catch (error) {
    throw new CarcosaError('DATABASE_UNAVAILABLE', {
      message:
        `The embedded database in ${dataDir} cannot be opened. ` +
        'Is there room on the disk? If it was damaged, restore a backup or move the directory away.',
      cause: error,
    })
  }
}

function transactionOn(tx: PgliteTransaction): Transaction {
  return {
    query: (statement, values) => runNamed(tx, statement, values),
    executeSql: (sql, values) => runScript(tx, sql, values),
  }
}

type Queryable = Pick<PGlite, 'query' | 'exec'>

async function runNamed<Row>(
  db: Queryable,
  { sql }: Statement,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  try {
    return (await db.query<Row>(sql, [...values])).rows
  } catch (error) {
    throw toDatabaseError(error)
  }
}

async function executeSql(pglite: PGlite, sql: string, values?: unknown[]) {
  // A script with a BEGIN of its own that fails leaves the only connection in an aborted
  // transaction, which the next caller would run into. Around it, ours is rolled back.
  if (!values?.length && /^\s*BEGIN\b/i.test(sql)) {
    return await pglite.transaction((tx) => runScript(tx, sql))
  }
  return await runScript(pglite, sql, values)
}

async function runScript(db: Queryable, sql: string, values?: unknown[]) {
  try {
    const results = values?.length ? [await db.query(sql, values)] : await db.exec(sql)
    return { rows: results.flatMap(({ rows }) => rows as Record<string, unknown>[]) }
  } catch (error) {
    throw toDatabaseError(error)
  }
}
