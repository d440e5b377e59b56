import { type FlagTable, type Io, readArgs } from '../verb.ts'
import { required } from './files-flags.ts'
import { withCarcosa } from './maintenance.ts'
import { settingFlags } from './settings.ts'

const flagTable: FlagTable = { ...settingFlags, to: { type: 'string' } }

/** `carcosa projects transfer`. */
export async function transfer(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, flagTable, 1)
  const id = required(parsed.positionals[0], 'The id of the project')
  const to = required(parsed.flags.to, '--to <organization>')
  await withCarcosa(parsed, io, ({ api }) => api.projects.transfer(id, to))
  io.stdout.write(`${id} goes to ${to} as soon as a server works on it\n`)
  return 0
}
