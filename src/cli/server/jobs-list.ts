import type { Carcosa } from '../../carcosa.ts'
import { printable } from '../printable.ts'
import { type FlagTable, type Io, readArgs, UsageError } from '../verb.ts'
import { textOf } from './files-flags.ts'
import { withCarcosa } from './maintenance.ts'
import { settingFlags } from './settings.ts'
import { table } from './table.ts'

const flagTable: FlagTable = {
  ...settingFlags,
  queue: { type: 'string' },
  state: { type: 'string' },
  limit: { type: 'string' },
  json: { type: 'boolean' },
}

/** `carcosa jobs list`. */
export async function list(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, flagTable)
  const { flags } = parsed
  const filter = {
    ...textOf(flags, 'queue'),
    ...textOf(flags, 'state'),
    ...(typeof flags.limit === 'string' && { limit: parseLimit(flags.limit) }),
  }
  const jobs = await withCarcosa(parsed, io, ({ api }) => api.jobs.list(filter))
  if (flags.json) io.stdout.write(`${JSON.stringify(jobs, null, 2)}\n`)
  else if (jobs.length > 0) io.stdout.write(table(titles, jobs.map(row)))
  else io.stdout.write('No jobs.\n')
  return 0
}

type Job = Awaited<ReturnType<Carcosa['api']['jobs']['list']>>[number]

const titles = ['ID', 'QUEUE', 'STATE', 'TRIES', 'CREATED', 'PAYLOAD', 'LAST ERROR']

function row({ id, queue, state, attempts, createdAt, data, lastError }: Job): string[] {
  const payload = Object.entries(data).map(([name, value]) => `${name}=${value}`)
  return [
    ...[id, queue, state, String(attempts), createdAt.toISOString()],
    ...[payload.join(' ') || '-', lastError ?? '-'].map(printable),
  ]
}

function parseLimit(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text)
  throw new UsageError(`--limit is a whole number from 1 to 1000, not "${text}".`)
}
