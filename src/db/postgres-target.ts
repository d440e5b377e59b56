import pg from 'pg'
import { CarcosaError } from '../shared/errors.ts'

/** Where a database URL leads, without the password. */
export interface PostgresTarget {
  host: string
  port: number
  user: string
  database: string
}

/** Reads a database URL. Throws CONFIG_INVALID, without the URL: it holds the password. */
export function parseUrl(url: string): PostgresTarget {
  try {
    const client = new pg.Client({ connectionString: url })
    const { host, port, user = '', database = user } = client
    if (Number.isInteger(port) && port > 0 && port < 65536) {
      return { host, port, user, database }
    }
  } catch {
    // Not kept as the cause either: Node's error for an invalid URL repeats the input.
  }
  throw new CarcosaError('CONFIG_INVALID', {
    message:
      'The database URL is malformed. Write it as ' +
      'postgres://user:password@host:5432/database, and percent-encode special ' +
      'characters in the password.',
  })
}

/** What to tell somebody whose database could not be connected to at start. */
export function connectError(error: unknown, target: PostgresTarget): CarcosaError {
  const { code, message } = error as { code?: string; message: string }
  const server = `Postgres at ${target.host}:${target.port}`
  switch (code) {
    case '28P01':
    case '28000':
      return invalid(
        `${server} does not let the user "${target.user}" in. ` +
          'Correct user and password in the database URL, or allow the user in pg_hba.conf.',
      )
    case '3D000':
      return invalid(
        `${server} has no database "${target.database}". ` +
          `Create it (createdb ${target.database}) or correct the database URL.`,
      )
    case '42501':
      return invalid(
        `The user "${target.user}" may not connect to the database "${target.database}". ` +
          `Run: GRANT CONNECT ON DATABASE "${target.database}" TO "${target.user}"`,
      )
    case '53300':
    case '57P03':
      return unavailable(`${server} takes no connections at the moment (${message}).`)
  }
  if (/SSL|certificate|self.signed/i.test(message)) {
    return invalid(
      `${server} and the database URL disagree about TLS (${message}). Correct "sslmode" in the URL.`,
    )
  }
  return unavailable(
    `${server} cannot be reached (${code ?? message}). ` +
      'Start it, or correct host and port in the database URL.',
  )

  function unavailable(message: string): CarcosaError {
    const headers = { 'Retry-After': '5' }
    return new CarcosaError('DATABASE_UNAVAILABLE', { message, headers, cause: error })
  }

  function invalid(message: string): CarcosaError {
    return new CarcosaError('CONFIG_INVALID', { message, cause: error })
  }
}
