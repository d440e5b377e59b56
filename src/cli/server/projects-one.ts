import { type Io, readArgs } from '../verb.ts'
import { required } from './files-flags.ts'
import { withCarcosa } from './maintenance.ts'
import { settingFlags } from './settings.ts'

/** `carcosa projects delete`. */
export async function remove(args: string[], io: Io): Promise<number> {
  const { parsed, id } = read(args)
  const { deleteAfter } = await withCarcosa(parsed, io, ({ api }) =>
    api.projects.delete(id),
  )
  io.stdout.write(`${id} deleted; restore it until ${deleteAfter?.toISOString()}\n`)
  return 0
}

/** `carcosa projects restore`. */
export async function restore(args: string[], io: Io): Promise<number> {
  const { parsed, id } = read(args)
  await withCarcosa(parsed, io, ({ api }) => api.projects.restore(id))
  io.stdout.write(`${id} restored; its keys stay revoked\n`)
  return 0
}

function read(args: string[]) {
  const parsed = readArgs(args, settingFlags, 1)
  return { parsed, id: required(parsed.positionals[0], 'The id of the project') }
}
