import { type FlagTable, type Io, readArgs } from '../verb.ts'
import { required, textOf } from './files-flags.ts'
import { withCarcosa } from './maintenance.ts'
import { showLink, userFlags } from './users-link.ts'

const flagTable: FlagTable = {
  ...userFlags,
  name: { type: 'string' },
  role: { type: 'string' },
  organization: { type: 'string' },
}

/** `carcosa users create`. */
export async function create(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, flagTable, 1)
  const { flags, positionals } = parsed
  const { organization } = flags
  const wanted = {
    email: required(positionals[0], 'The e-mail address of the user'),
    ...textOf(flags, 'name'),
    ...textOf(flags, 'role'),
    ...(typeof organization === 'string' && { organizationId: organization }),
  }
  const made = await withCarcosa(parsed, io, ({ api }) => api.users.create(wanted))
  if (flags.json) io.stdout.write(`${JSON.stringify(made, null, 2)}\n`)
  else await showLink(made.login, { parsed, io, who: made.user.email })
  return 0
}
