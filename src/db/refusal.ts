import { CarcosaError } from '../shared/errors.ts'
import type { Database } from './database.ts'

/**
 * CONFIG_INVALID with what an administrator has to do, if `error` says that the user of the
 * database lacks a right; `error` itself otherwise.
 */
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
