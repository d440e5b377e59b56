import { type Io, readArgs } from '../verb.ts'
import { withCarcosa } from './maintenance.ts'
import { settingFlags } from './settings.ts'
import { table } from './table.ts'

/** `carcosa jobs counts`. */
export async function counts(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, { ...settingFlags, json: { type: 'boolean' } })
  const found = await withCarcosa(parsed, io, ({ api }) => api.jobs.counts())
  if (parsed.flags.json) {
    io.stdout.write(`${JSON.stringify(found, null, 2)}\n`)
    return 0
  }
  const rows = Object.entries(found).map(
    ([queue, { waiting, running, failed, dead }]) => [
      queue,
      ...[waiting, running, failed, dead].map(String),
    ],
  )
  io.stdout.write(table(['QUEUE', 'WAITING', 'RUNNING', 'FAILED', 'DEAD'], rows))
  return 0
}
