import type { Carcosa } from '../../carcosa.ts'
import { formatSize } from '../../shared/sizes.ts'
import { printable } from '../printable.ts'
import { type FlagTable, type Io, readArgs } from '../verb.ts'
import { numberOf, show, timeOf } from './audit-flags.ts'
import { textOf } from './files-flags.ts'
import { withCarcosa } from './maintenance.ts'
import { projectIn } from './project-flag.ts'
import { settingFlags } from './settings.ts'

type ListOptions = NonNullable<Parameters<Carcosa['api']['files']['list']>[0]>
export type FileRecord = Awaited<
  ReturnType<Carcosa['api']['files']['list']>
>['files'][number]

const flagTable: FlagTable = {
  ...settingFlags,
  project: { type: 'string' },
  route: { type: 'string' },
  owner: { type: 'string' },
  states: { type: 'string' },
  type: { type: 'string' },
  tag: { type: 'string' },
  prefix: { type: 'string' },
  after: { type: 'string' },
  before: { type: 'string' },
  limit: { type: 'string' },
  cursor: { type: 'string' },
  json: { type: 'boolean' },
}

/** `carcosa files list`. */
export async function list(args: string[], io: Io): Promise<number> {
  const parsed = readArgs(args, flagTable)
  const { flags } = parsed
  const { owner, states, limit } = flags
  const { after, before } = { ...timeOf(flags, 'after'), ...timeOf(flags, 'before') }
  const options = {
    ...textOf(flags, 'route'),
    ...textOf(flags, 'type'),
    ...textOf(flags, 'tag'),
    ...textOf(flags, 'prefix'),
    ...textOf(flags, 'cursor'),
    ...(typeof owner === 'string' && { ownerId: owner }),
    ...(typeof states === 'string' && { states: states.split(',') }),
    ...(typeof limit === 'string' && { limit: numberOf('limit', limit) }),
    ...(after && { createdAfter: after }),
    ...(before && { createdBefore: before }),
    // What is no state, the list refuses.
  } as ListOptions
  const page = await withCarcosa(parsed, io, async ({ api }) =>
    api.files.list({ ...options, projectId: await projectIn(flags, api) }),
  )
  show(parsed, io, { page, titles, rows: page.files.map(row) })
  return 0
}

const titles = ['ID', 'STATE', 'ROUTE', 'SIZE', 'TYPE', 'CREATED', 'NAME']

function row({ id, state, route, size, createdAt, filename, ...file }: FileRecord) {
  const type = file.contentType ?? file.declaredType ?? '-'
  return [
    ...[id, state, route, size === null ? '-' : formatSize(size), printable(type)],
    ...[createdAt.toISOString().slice(0, 16), printable(filename ?? '-')],
  ]
}
