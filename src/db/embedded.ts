import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite, type Transaction as PgliteTransaction } from '@electric-sql/pglite'
import { PrismaPGlite } from 'pglite-prisma-adapter'
import { CarcosaError } from '../shared/errors.ts'
import type { Database, Transaction } from './database.ts'
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
  let closing: Promise<void> | undefined
  return {
    kind: 'pglite',
    prisma,
    query: (statement, values) =>
      guarded(lock, async () => {
        const { rows } = await pglite.query(statement.sql, values as unknown[])
        return rows as never[]
      }),
    executeSql: (sql, values) => guarded(lock, () => executeSql(pglite, sql, values)),
    transaction: (work) =>
      guarded(lock, () => pglite.transaction((tx) => work(wrap(tx)))),
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

/** Refuses to touch files that another process has taken over, and translates errors. */
async function guarded<T>(lock: EmbeddedLock | null, use: () => Promise<T>): Promise<T> {
  lock?.assertHeld()
  try {
    return await use()
  } catch (error) {
    throw toDatabaseError(error)
  }
}

function wrap(tx: PgliteTransaction): Transaction {
  return {
    query: async ({ sql }, values) => {
      const { rows } = await tx.query(sql, values as unknown[])
      return rows as never[]
    },
    executeSql: (sql, values) => executeInside(tx, sql, values),
  }
}

async function executeSql(pglite: PGlite, sql: string, values?: unknown[]) {
  // A script with a BEGIN of its own that fails leaves the only connection in an aborted
  // transaction, which the next caller would run into. Around it, ours is rolled back.
  if (!values?.length && /^\s*BEGIN\b/i.test(sql)) {
    return await pglite.transaction((tx) => executeInside(tx, sql))
  }
  return await executeInside(pglite, sql, values)
}

type Queryable = Pick<PGlite, 'query' | 'exec'>

async function executeInside(db: Queryable, sql: string, values?: unknown[]) {
  const results = values?.length ? [await db.query(sql, values)] : await db.exec(sql)
  return { rows: results.flatMap(({ rows }) => rows as Record<string, unknown>[]) }
}
