import type { Carcosa } from '../../carcosa.ts'
import { printable } from '../printable.ts'
import { type FlagTable, type Io, readArgs } from '../verb.ts'
import { allOf } from './all-of.ts'
import { withCarcosa } from './maintenance.ts'
import { settingFlags } from './settings.ts'
import { table } from './table.ts'

const flagTable: FlagTable = {
  ...settingFlags,
  organization: { type: 'string' },
  deleted: { type: 'boolean' },
  json: { type: 'boolean' },
}

/** `carcosa projects list`. */
export async function list(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, flagTable)
  const { organization, deleted, json } = parsed.flags
  const options = {
    ...{ deleted: deleted === true, limit: 500 },
    ...(typeof organization === 'string' && { organizationId: organization }),
  }
  const found = await withCarcosa(parsed, io, ({ api }) =>
    allOf(async (cursor) => {
      const page = await api.projects.list({ ...options, ...cursor })
      return { rows: page.projects, nextCursor: page.nextCursor }
    }),
  )
  if (json) io.stdout.write(`${JSON.stringify(found, null, 2)}\n`)
  else if (found.length === 0) io.stdout.write('No projects.\n')
  else io.stdout.write(table(['ID', 'ORGANIZATION', 'STATE', 'NAME'], found.map(row)))
  return 0
}

type Project = Awaited<ReturnType<Carcosa['api']['projects']['list']>>['projects'][number]

function row({ id, organizationId, deleteAfter, name }: Project): string[] {
  const state = deleteAfter ? `goes ${deleteAfter.toISOString()}` : 'open'
  return [id, organizationId ?? '-', state, printable(name)]
}
