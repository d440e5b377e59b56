import { printable } from '../printable.ts'
import { type FlagTable, type Io, readArgs } from '../verb.ts'
import { required, textOf } from './files-flags.ts'
import { withCarcosa } from './maintenance.ts'
import { settingFlags } from './settings.ts'
import { userIdOf } from './user-flag.ts'

const flagTable: FlagTable = {
  ...settingFlags,
  owner: { type: 'string' },
  slug: { type: 'string' },
  json: { type: 'boolean' },
}

/** `carcosa orgs create`. */
export async function create(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, flagTable, 1)
  const { flags, positionals } = parsed
  const wanted = {
    name: required(positionals[0], 'The name of the organization'),
    ...textOf(flags, 'slug'),
  }
  const owner = required(flags.owner, '--owner <user>')
  const made = await withCarcosa(parsed, io, async ({ api }) =>
    api.organizations.create({ ...wanted, ownerId: await userIdOf(owner, api) }),
  )
  if (flags.json) io.stdout.write(`${JSON.stringify(made, null, 2)}\n`)
  else io.stdout.write(`${made.id}\n`)
  io.stderr.write(`${made.slug} (${printable(made.name)})\n`)
  return 0
}
