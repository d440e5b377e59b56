import type { Carcosa } from '../../carcosa.ts'
import { printable } from '../printable.ts'
import { type Io, readArgs } from '../verb.ts'
import { listFlags, listOptions, show } from './audit-flags.ts'
import { textOf } from './files-flags.ts'
import { withCarcosa } from './maintenance.ts'

type ListOptions = NonNullable<Parameters<Carcosa['api']['audit']['list']>[0]>
type Entry = Awaited<ReturnType<Carcosa['api']['audit']['list']>>['entries'][number]

const flagTable = {
  ...listFlags,
  action: { type: 'string' },
  outcome: { type: 'string' },
  target: { type: 'string' },
} as const

/** `carcosa audit list`. */
export async function list(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, flagTable)
  const { flags } = parsed
  const options = {
    ...listOptions(parsed),
    ...textOf(flags, 'action'),
    ...textOf(flags, 'outcome'),
    ...textOf(flags, 'target'),
    // What is no action or outcome, the list refuses.
  } as ListOptions
  const page = await withCarcosa(parsed, io, ({ api }) => api.audit.list(options))
  show(parsed, io, { page, titles, rows: page.entries.map(row) })
  return 0
}

const titles = ['TIME', 'ACTION', 'OUTCOME', 'BY', 'TO', 'PROJECT', 'DETAILS']

function row({ at, action, outcome, code, actor, target, ...entry }: Entry): string[] {
  const { projectId, details } = entry
  return [
    at.toISOString(),
    action,
    code ? `${outcome} (${code})` : outcome,
    ...[actor.id === null ? actor.kind : `${actor.kind} ${actor.id}`].map(printable),
    ...[target.id ?? '-', projectId ?? '-'].map(printable),
    printable(details ? JSON.stringify(details) : '-'),
  ]
}
