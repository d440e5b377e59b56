import { type Io, readArgs, UsageError } from '../verb.ts'
import { textOf } from './files-flags.ts'
import { withCarcosa } from './maintenance.ts'
import { settingFlags } from './settings.ts'

/** `carcosa jobs retry`. */
export async function retry(args: string[], io: Io): Promise<number> {
  const flagTable = {
    ...settingFlags,
    queue: { type: 'string' },
    all: { type: 'boolean' },
  } as const
  const parsed = readArgs(args, flagTable, Number.POSITIVE_INFINITY)
  const { flags, positionals: ids } = parsed
  if (flags.all ? ids.length > 0 : ids.length === 0) {
    throw new UsageError('Name the jobs by their ids, or say --all.')
  }
  if (!flags.all && flags.queue !== undefined) {
    throw new UsageError('--queue goes with --all; an id says its queue by itself.')
  }
  const selection = flags.all
    ? ({ all: true, ...textOf(flags, 'queue') } as const)
    : { ids }
  const count = await withCarcosa(parsed, io, ({ api }) => api.jobs.retry(selection))
  io.stdout.write(`${count} ${count === 1 ? 'job' : 'jobs'} put back.\n`)
  return 0
}
