import type { Carcosa } from '../../carcosa.ts'
import { formatSize } from '../../shared/sizes.ts'
import { printable } from '../printable.ts'
import { type FlagTable, type Io, readArgs } from '../verb.ts'
import { textOf } from './files-flags.ts'
import { withCarcosa } from './maintenance.ts'
import { projectIn } from './project-flag.ts'
import { settingFlags } from './settings.ts'
import { table } from './table.ts'

type Query = NonNullable<Parameters<Carcosa['api']['usage']['get']>[0]>
type Report = Awaited<ReturnType<Carcosa['api']['usage']['get']>>

const flagTable: FlagTable = {
  ...settingFlags,
  project: { type: 'string' },
  by: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  json: { type: 'boolean' },
}

/** `carcosa usage`. */
export async function usage(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, flagTable)
  const { flags } = parsed
  const query = {
    ...textOf(flags, 'by'),
    ...textOf(flags, 'from'),
    ...textOf(flags, 'to'),
    // What is no day or kind of row, the report refuses.
  } as Query
  const report = await withCarcosa(parsed, io, async ({ api }) =>
    api.usage.get({ ...query, projectId: await projectIn(flags, api) }),
  )
  if (flags.json) io.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
  else io.stdout.write(shown(report))
  return 0
}

function shown({ projectId, bytes, files, quota, from, to, by, rows }: Report): string {
  const most = quota?.bytes == null ? '' : ` of ${formatSize(quota.bytes)}`
  const now = `${projectId} stores ${files} ${files === 1 ? 'file' : 'files'}, ${formatSize(bytes)}${most}.\n`
  if (rows.length === 0)
    return `${now}Nothing was stored or deleted from ${from} to ${to}.\n`
  const titles = [by.toUpperCase(), 'STORED', 'SIZE', 'DELETED', 'SIZE']
  const lines = rows.map((row) => [
    printable(row.name ?? '(nobody)'),
    ...[String(row.storedFiles), formatSize(row.storedBytes)],
    ...[String(row.deletedFiles), formatSize(row.deletedBytes)],
  ])
  return `${now}\n${table(titles, lines)}`
}
