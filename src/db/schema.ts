import { CarcosaError } from '../shared/errors.ts'
import type { Database, ExecuteSql } from './database.ts'

/** The key that Prisma's schema engine locks: one of the two migrates at a time. */
const lockKey = 72707369

/**
 * Runs `work` in a transaction while nobody else changes tables. The lock ends with the
 * transaction, which, unlike one of the session, also works behind a pooler.
 */
export async function withMigrationLock<T>(
  database: Database,
  work: (execute: ExecuteSql) => Promise<T>,
): Promise<T> {
  return await database.transaction(async ({ executeSql }) => {
    await executeSql(`SELECT pg_advisory_xact_lock(${lockKey})`)
    return await work(executeSql)
  })
}

/**
 * Makes the Postgres schema `name` unless it is there. Throws CONFIG_INVALID with what an
 * administrator has to do if the user may not.
 *
 * Not `CREATE SCHEMA IF NOT EXISTS`: that asks for the right to create even if there is
 * nothing to do, and fails with a duplicate key when two processes run it at once.
 */
export async function ensureSchema(database: Database, name: string): Promise<void> {
  if (await exists(database.executeSql, name)) return
  try {
    await withMigrationLock(database, async (execute) => {
      if (!(await exists(execute, name))) await execute(`CREATE SCHEMA ${name}`)
    })
  } catch (error) {
    throw await explainRefusal(database, error)
  }
}

/** CONFIG_INVALID if `error` says that the user lacks a right; `error` itself otherwise. */
export async function explainRefusal(
  database: Database,
  error: unknown,
): Promise<unknown> {
  if ((error as { code?: string }).code !== '42501') return error
  const { rows } = await database.executeSql(
    'SELECT current_user AS "user", current_database() AS "name"',
  )
  const { user, name } = rows[0] as { user: string; name: string }
  return new CarcosaError('CONFIG_INVALID', {
    message:
      `The user "${user}" may not create what Carcosa needs in the database "${name}". ` +
      `Run as an administrator: CREATE SCHEMA carcosa AUTHORIZATION "${user}"; ` +
      `CREATE SCHEMA carcosa_jobs AUTHORIZATION "${user}"`,
    cause: error,
  })
}

/**
 * Asks the catalogue itself. `to_regnamespace` may answer from a cache of the session that is
 * not refreshed by waiting for an advisory lock: it goes on denying a schema that another
 * process has made meanwhile, and so does CREATE SCHEMA, up to the unique index.
 */
async function exists(execute: ExecuteSql, name: string): Promise<boolean> {
  const { rows } = await execute('SELECT FROM pg_namespace WHERE nspname = $1', [name])
  return rows.length > 0
}
