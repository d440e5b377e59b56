import { type Io, readArgs, UsageError } from '../verb.ts'
import { withCarcosa } from './maintenance.ts'
import { settingFlags } from './settings.ts'

/** `carcosa keys revoke`: exit code 1 if one of them was not there to be revoked. */
export async function revoke(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, settingFlags, Number.POSITIVE_INFINITY)
  const ids = parsed.positionals
  if (ids.length === 0) throw new UsageError('Name the keys by their ids.')
  const revoked = await withCarcosa(parsed, io, async ({ api }) => {
    const done: boolean[] = []
    for (const id of ids) done.push(await api.keys.revoke(id))
    return done
  })
  for (const [i, id] of ids.entries()) {
    if (revoked[i]) io.stdout.write(`${id} revoked\n`)
    else io.stderr.write(`${id}: there is no such key, or it was revoked before\n`)
  }
  return revoked.every(Boolean) ? 0 : 1
}
