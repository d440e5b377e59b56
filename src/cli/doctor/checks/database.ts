import type { Database } from '../../../db/database.ts'
import { CarcosaError } from '../../../shared/errors.ts'
import { Broken, type Check, type Finding, ok, skipped } from '../check.ts'

/** Whether the database is there, of this version, and of this time. */
export const check: Check = {
  name: 'database',
  needs: [],
  async run({ local }) {
    if (!local) return skipped('not beside the server: its database is not known here')
    if (!/^postgres(ql)?:/.test(local.database)) {
      return skipped('the embedded database belongs to the process that has it open')
    }
    // Loaded here so that a look from outside needs none of it.
    const { openDatabase } = await import('../../../db/open.ts')
    try {
      const database = await openDatabase(local.database)
      try {
        const findings = [...(await behind(database)), ...(await skewed(database))]
        return findings.length > 0 ? findings : ok('the database is there and up to date')
      } finally {
        await database.close()
      }
    } catch (error) {
      if (!(error instanceof CarcosaError)) throw error
      throw new Broken({
        code: error.code,
        message: error.message,
        mend: { carcosa: '--database postgres://user:password@host:5432/name' },
      })
    }
  },
}

async function behind(database: Database): Promise<Finding[]> {
  const { pendingMigrations } = await import('../../../db/migrate.ts')
  const pending = await pendingMigrations(database)
  if (pending.length === 0) return []
  return [
    {
      level: 'warning',
      code: 'MIGRATIONS_PENDING',
      message: `The database lacks ${pending.join(', ')}.`,
      mend: { carcosa: 'carcosa migrate  # or start the server, which does it' },
    },
  ]
}

/** Milliseconds. */
const tolerated = 30_000

async function skewed(database: Database): Promise<Finding[]> {
  const before = Date.now()
  const { rows } = await database.executeSql('select now() as now')
  const time = new Date(String(rows[0]?.now)).getTime()
  const skew = time < before ? time - before : Math.max(time - Date.now(), 0)
  if (Math.abs(skew) <= tolerated) return []
  return [
    {
      level: 'warning',
      code: 'CLOCK_SKEW',
      message: `The clock of the database differs from the one here by ${Math.round(skew / 1_000)} s.`,
      mend: {
        carcosa: 'timedatectl set-ntp true  # on the machine whose clock is wrong',
      },
    },
  ]
}
