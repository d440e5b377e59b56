import type { Carcosa } from '../../carcosa.ts'
import { parseQuotaText, type QuotaLimits } from '../../shared/quota.ts'
import { formatSize } from '../../shared/sizes.ts'
import { didYouMean } from '../../shared/suggest.ts'
import { type FlagTable, type Io, readArgs, UsageError } from '../verb.ts'
import { required } from './files-flags.ts'
import { withCarcosa } from './maintenance.ts'
import { projectIn } from './project-flag.ts'
import { settingFlags } from './settings.ts'
import { table } from './table.ts'

type Quota = Awaited<ReturnType<Carcosa['api']['usage']['setQuota']>>

const names = ['show', 'set']

const flagTable: FlagTable = {
  ...settingFlags,
  project: { type: 'string' },
  json: { type: 'boolean' },
}

/** `carcosa quota show` and `carcosa quota set`. */
export async function quota([name = '', ...args]: string[], io: Io): Promise<number> {
  if (!names.includes(name)) {
    const said = name
      ? `There is no "quota ${name}".${didYouMean(name, names)}`
      : 'Quota?'
    throw new UsageError(`${said} There are: ${names.join(', ')}.`)
  }
  const parsed = readArgs(args, flagTable, name === 'set' ? 1 : 0)
  const { flags, positionals } = parsed
  const limits = name === 'set' ? limitsOf(positionals[0]) : null
  const found = await withCarcosa(parsed, io, async ({ api }) => {
    const id = await projectIn(flags, api)
    return limits ? api.usage.setQuota(id, limits) : api.usage.quota(id)
  })
  if (flags.json) io.stdout.write(`${JSON.stringify(found, null, 2)}\n`)
  else io.stdout.write(shown(found))
  return 0
}

/** @throws {UsageError} */
function limitsOf(text: string | undefined): QuotaLimits {
  const given = required(text, 'What may be stored, such as bytes=100GB or off,')
  try {
    return parseQuotaText(given)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError(why, { cause })
  }
}

function shown(quota: Quota | null): string {
  const { bytes, files, perOwner } = quota ?? { bytes: null, files: null, perOwner: null }
  const limits = [bytes, files, perOwner?.bytes ?? null, perOwner?.files ?? null]
  if (!quota || limits.every((limit) => limit === null)) return 'Nothing is limited.\n'
  const size = (limit: number | null | undefined) =>
    limit == null ? 'any' : formatSize(limit)
  const count = (limit: number | null | undefined) =>
    limit == null ? 'any' : String(limit)
  return table(
    ['', 'USED', 'PROJECT', 'EACH OWNER'],
    [
      ['bytes', formatSize(quota.usedBytes), size(bytes), size(perOwner?.bytes)],
      ['files', String(quota.usedFiles), count(files), count(perOwner?.files)],
    ],
  )
}
