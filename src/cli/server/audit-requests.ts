import type { Carcosa } from '../../carcosa.ts'
import { printable } from '../printable.ts'
import { type Io, readArgs } from '../verb.ts'
import { listFlags, listOptions, numberOf, show } from './audit-flags.ts'
import { withCarcosa } from './maintenance.ts'

type Logged = Awaited<ReturnType<Carcosa['api']['audit']['requests']>>['requests'][number]

const flagTable = { ...listFlags, status: { type: 'string' } } as const

/** `carcosa audit requests`. */
export async function requests(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, flagTable)
  const { status } = parsed.flags
  const options = {
    ...listOptions(parsed),
    ...(typeof status === 'string' && { status: numberOf('status', status) }),
  }
  const page = await withCarcosa(parsed, io, ({ api }) => api.audit.requests(options))
  show(parsed, io, { page, titles, rows: page.requests.map(row) })
  return 0
}

const titles = ['TIME', 'STATUS', 'MS', 'BY', 'ADDRESS', 'METHOD', 'PATH']

function row({ at, status, code, ms, actor, address, method, path }: Logged): string[] {
  const by = actor ? `${actor.kind} ${actor.id}` : '-'
  return [
    at.toISOString(),
    code ? `${status} ${code}` : String(status),
    ms.toFixed(1),
    printable(by),
    address ?? '-',
    printable(method),
    printable(path),
  ]
}
