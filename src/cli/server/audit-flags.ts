import { type FlagTable, type Io, type ParsedArgs, UsageError } from '../verb.ts'
import { textOf } from './files-flags.ts'
import { settingFlags } from './settings.ts'
import { table } from './table.ts'

/** The flags that both lists take. */
export const listFlags: FlagTable = {
  ...settingFlags,
  project: { type: 'string' },
  organization: { type: 'string' },
  actor: { type: 'string' },
  after: { type: 'string' },
  before: { type: 'string' },
  limit: { type: 'string' },
  cursor: { type: 'string' },
  json: { type: 'boolean' },
}

/** What they ask for. @throws {UsageError} */
export function listOptions({ flags }: ParsedArgs) {
  const { project, organization, limit } = flags
  return {
    ...(typeof project === 'string' && { projectId: project }),
    ...(typeof organization === 'string' && { organizationId: organization }),
    ...textOf(flags, 'actor'),
    ...textOf(flags, 'cursor'),
    ...timeOf(flags, 'after'),
    ...timeOf(flags, 'before'),
    ...(typeof limit === 'string' && { limit: numberOf('limit', limit) }),
  }
}

/** @throws {UsageError} */
export function numberOf(flag: string, text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text)
  throw new UsageError(`--${flag} is a whole number, not "${text}".`)
}

/** @throws {UsageError} */
export function timeOf<Name extends string>(
  flags: ParsedArgs['flags'],
  name: Name,
): { [N in Name]?: Date } {
  const text = flags[name]
  if (typeof text !== 'string') return {}
  const time = new Date(text)
  if (Number.isNaN(time.getTime()))
    throw new UsageError(
      `--${name} is a time such as 2026-11-26T18:00:00Z, not "${text}".`,
    )
  // The computed name is a text to the compiler.
  return { [name]: time } as { [N in Name]: Date }
}

interface Shown {
  page: { nextCursor: string | null }
  titles: readonly string[]
  rows: readonly string[][]
}

/** A page for people, or with `--json` for programs. */
export function show({ flags }: ParsedArgs, io: Io, { page, titles, rows }: Shown): void {
  if (flags.json) {
    io.stdout.write(`${JSON.stringify(page, null, 2)}\n`)
    return
  }
  io.stdout.write(rows.length > 0 ? table(titles, rows) : 'Nothing.\n')
  if (page.nextCursor) io.stderr.write(`There is more: --cursor ${page.nextCursor}\n`)
}
