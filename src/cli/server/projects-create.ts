import { printable } from '../printable.ts'
import { type FlagTable, type Io, readArgs } from '../verb.ts'
import { required } from './files-flags.ts'
import { withCarcosa } from './maintenance.ts'
import { settingFlags } from './settings.ts'

const flagTable: FlagTable = {
  ...settingFlags,
  organization: { type: 'string' },
  json: { type: 'boolean' },
}

/** `carcosa projects create`. */
export async function create(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, flagTable, 1)
  const { organization, json } = parsed.flags
  const wanted = {
    name: required(parsed.positionals[0], 'The name of the project'),
    ...(typeof organization === 'string' && { organizationId: organization }),
  }
  const made = await withCarcosa(parsed, io, ({ api }) => api.projects.create(wanted))
  if (json) io.stdout.write(`${JSON.stringify(made, null, 2)}\n`)
  else io.stdout.write(`${made.id}\n`)
  io.stderr.write(`${printable(made.name)}: organization ${made.organizationId ?? '-'}\n`)
  return 0
}
