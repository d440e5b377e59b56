import { type Io, readArgs } from '../verb.ts'
import { required } from './files-flags.ts'
import { withCarcosa } from './maintenance.ts'
import { settingFlags } from './settings.ts'

/** `carcosa orgs delete`: exit code 1 if there is none. */
export async function remove(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, settingFlags, 1)
  const id = required(parsed.positionals[0], 'The id of the organization')
  const done = await withCarcosa(parsed, io, ({ api }) => api.organizations.delete(id))
  if (done) io.stdout.write(`${id} deleted\n`)
  else io.stderr.write(`${id}: there is no such organization\n`)
  return done ? 0 : 1
}
