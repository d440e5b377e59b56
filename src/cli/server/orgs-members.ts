import type { Carcosa } from '../../carcosa.ts'
import { printable } from '../printable.ts'
import { type FlagTable, type Io, type ParsedArgs, readArgs } from '../verb.ts'
import { allOf } from './all-of.ts'
import { required } from './files-flags.ts'
import { withCarcosa } from './maintenance.ts'
import { settingFlags } from './settings.ts'
import { table } from './table.ts'
import { userIdOf } from './user-flag.ts'

const flagTable: FlagTable = {
  ...settingFlags,
  add: { type: 'string' },
  remove: { type: 'string' },
  role: { type: 'string' },
  json: { type: 'boolean' },
}

/** `carcosa orgs members`: changes what is asked for, then shows them. */
export async function members(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, flagTable, 1)
  const id = required(parsed.positionals[0], 'The id of the organization')
  const found = await withCarcosa(parsed, io, async ({ api }) => {
    await change(api, id, parsed.flags)
    return allOf(async (cursor) => {
      const page = await api.members.list({ organizationId: id, limit: 500, ...cursor })
      return { rows: page.members, nextCursor: page.nextCursor }
    })
  })
  const rows = found.map(({ userId, role, email, name }) => [
    ...[userId, role, printable(email), printable(name)],
  ])
  if (parsed.flags.json) io.stdout.write(`${JSON.stringify(found, null, 2)}\n`)
  else if (rows.length === 0) io.stdout.write('No members.\n')
  else io.stdout.write(table(['USER', 'ROLE', 'E-MAIL', 'NAME'], rows))
  return 0
}

async function change(
  api: Carcosa['api'],
  organizationId: string,
  { add, remove, role }: ParsedArgs['flags'],
): Promise<void> {
  if (typeof add === 'string') {
    const userId = await userIdOf(add, api)
    const named = typeof role === 'string' ? { role } : {}
    const member = await api.members.add({ organizationId, userId, ...named })
    if (typeof role === 'string' && member.role !== role)
      await api.members.setRole(organizationId, userId, role)
  }
  if (typeof remove === 'string')
    await api.members.remove(organizationId, await userIdOf(remove, api))
}
