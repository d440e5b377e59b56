import type { Carcosa } from '../../carcosa.ts'
import { printable } from '../printable.ts'
import { type FlagTable, type Io, readArgs } from '../verb.ts'
import { allOf } from './all-of.ts'
import { withCarcosa } from './maintenance.ts'
import { settingFlags } from './settings.ts'
import { table } from './table.ts'

const flagTable: FlagTable = {
  ...settingFlags,
  all: { type: 'boolean' },
  project: { type: 'string' },
  json: { type: 'boolean' },
}

/** `carcosa keys list`. */
export async function list(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, flagTable)
  const { all, project, json } = parsed.flags
  const options = {
    revoked: all === true,
    ...(typeof project === 'string' && { projectId: project }),
  }
  const keys = await withCarcosa(parsed, io, ({ api }) =>
    allOf(async (cursor) => {
      const page = await api.keys.list({ ...options, limit: 500, ...cursor })
      return { rows: page.keys, nextCursor: page.nextCursor }
    }),
  )
  if (json) io.stdout.write(`${JSON.stringify(keys, null, 2)}\n`)
  else if (keys.length > 0) io.stdout.write(table(titles, keys.map(row)))
  else io.stdout.write('No keys.\n')
  return 0
}

type Key = Awaited<ReturnType<Carcosa['api']['keys']['list']>>['keys'][number]

const titles = ['ID', 'TOKEN', 'ROLE', 'SCOPES', 'STATE', 'LAST USED', 'NAME']

function row({ id, start, role, scopes, lastUsedAt, name, ...key }: Key): string[] {
  const narrowed = [...(scopes?.routes ?? []), ...(scopes?.actions ?? [])].join(',')
  return [
    ...[id, `${start}…`, role, narrowed || '-', stateOf(key)],
    ...[lastUsedAt?.toISOString() ?? 'never', printable(name)],
  ]
}

function stateOf({ revokedAt, expiresAt }: Pick<Key, 'revokedAt' | 'expiresAt'>): string {
  if (revokedAt) return 'revoked'
  if (expiresAt && expiresAt.getTime() <= Date.now()) return 'expired'
  return expiresAt ? `until ${expiresAt.toISOString().slice(0, 10)}` : 'works'
}
