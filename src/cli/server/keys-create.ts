import { type FlagTable, type Io, readArgs } from '../verb.ts'
import { required, textOf } from './files-flags.ts'
import { showToken } from './keys-token.ts'
import { withCarcosa } from './maintenance.ts'
import { settingFlags } from './settings.ts'

const flagTable: FlagTable = {
  ...settingFlags,
  role: { type: 'string' },
  routes: { type: 'string' },
  actions: { type: 'string' },
  allow: { type: 'string' },
  expires: { type: 'string' },
  test: { type: 'boolean' },
  project: { type: 'string' },
  json: { type: 'boolean' },
}

/** `carcosa keys create`. */
export async function create(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, flagTable, 1)
  const { flags, positionals } = parsed
  const { routes, actions, allow, expires, project, test } = flags
  const scopes = { ...listOf('routes', routes), ...listOf('actions', actions) }
  const key = {
    name: required(positionals[0], 'The name of the key'),
    ...textOf(flags, 'role'),
    ...(Object.keys(scopes).length > 0 && { scopes }),
    ...listOf('allowedAddresses', allow),
    ...(typeof expires === 'string' && { expiresIn: expires }),
    ...(typeof project === 'string' && { projectId: project }),
    mode: test ? ('test' as const) : ('live' as const),
  }
  const made = await withCarcosa(parsed, io, ({ api }) => api.keys.create(key))
  showToken(made, io, flags.json === true)
  return 0
}

/** A list under `name`, or nothing. */
function listOf<Name extends string>(
  name: Name,
  flag: string | boolean | undefined,
): { [N in Name]?: string[] } {
  if (typeof flag !== 'string') return {}
  // The computed name is a text to the compiler.
  return { [name]: flag.split(',').map((one) => one.trim()) } as { [N in Name]: string[] }
}
