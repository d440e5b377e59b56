import { printable } from '../printable.ts'
import { type FlagTable, type Io, readArgs } from '../verb.ts'
import { allOf } from './all-of.ts'
import { withCarcosa } from './maintenance.ts'
import { settingFlags } from './settings.ts'
import { table } from './table.ts'
import { userIdOf } from './user-flag.ts'

const flagTable: FlagTable = {
  ...settingFlags,
  user: { type: 'string' },
  json: { type: 'boolean' },
}

/** `carcosa orgs list`. */
export async function list(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, flagTable)
  const { user, json } = parsed.flags
  const found = await withCarcosa(parsed, io, async ({ api }) => {
    const mine = typeof user === 'string' && { userId: await userIdOf(user, api) }
    return allOf(async (cursor) => {
      const page = await api.organizations.list({ limit: 500, ...mine, ...cursor })
      return { rows: page.organizations, nextCursor: page.nextCursor }
    })
  })
  const rows = found.map(({ id, slug, createdAt, name }) => [
    ...[id, slug, createdAt.toISOString().slice(0, 10), printable(name)],
  ])
  if (json) io.stdout.write(`${JSON.stringify(found, null, 2)}\n`)
  else if (rows.length === 0) io.stdout.write('No organizations.\n')
  else io.stdout.write(table(['ID', 'SLUG', 'SINCE', 'NAME'], rows))
  return 0
}
