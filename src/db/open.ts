import { resolve } from 'node:path'
import { CarcosaError } from '../shared/errors.ts'
import type { Database } from './database.ts'
import { type EmbeddedOptions, openEmbedded } from './embedded.ts'
import { openPostgres, type PostgresOptions } from './postgres.ts'

/** Each kind of database takes the settings that concern it. */
export type DatabaseOptions = PostgresOptions & EmbeddedOptions

/**
 * Opens the database at `location`: a `postgres://` URL, a directory for the embedded
 * database (created if missing), or `memory://` for an embedded one that is gone with the
 * process. Does not migrate: see migrate.
 *
 * Throws CONFIG_INVALID (malformed URL, refused user, missing database, directory that
 * cannot be written), DATABASE_UNAVAILABLE (nothing answers) or DATABASE_LOCKED (another
 * process has the directory). Messages say what to do and never hold the password.
 */
export async function openDatabase(
  location: string,
  options: DatabaseOptions = {},
): Promise<Database> {
  if (location === 'memory://') return await openEmbedded(null, options)
  if (/^postgres(ql)?:/i.test(location)) return await openPostgres(location, options)
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(location)?.[1]
  if (scheme === undefined && location.trim() !== '') {
    return await openEmbedded(resolve(location), options)
  }
  throw new CarcosaError('CONFIG_INVALID', {
    message:
      `The database ${scheme ? `cannot be reached by ${scheme}://` : 'is not named'}. Give a ` +
      'postgres:// URL, a directory for the embedded database, or memory://.',
  })
}
