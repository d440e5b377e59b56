import { type FlagTable, type Io, readArgs } from '../verb.ts'
import { required, textOf } from './files-flags.ts'
import { showToken } from './keys-token.ts'
import { withCarcosa } from './maintenance.ts'
import { settingFlags } from './settings.ts'

const flagTable: FlagTable = {
  ...settingFlags,
  overlap: { type: 'string' },
  json: { type: 'boolean' },
}

/** `carcosa keys rotate`. */
export async function rotate(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, flagTable, 1)
  const { flags, positionals } = parsed
  const id = required(positionals[0], 'The id of the key')
  const options = textOf(flags, 'overlap')
  const key = await withCarcosa(parsed, io, ({ api }) => api.keys.rotate(id, options))
  showToken(key, io, flags.json === true)
  return 0
}
