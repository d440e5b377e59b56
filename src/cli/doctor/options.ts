import { parseDuration } from '../../shared/durations.ts'
import { parseSize } from '../../shared/sizes.ts'
import { settingFlags } from '../server/settings.ts'
import { parseHeaders, parseInput, parseUrl } from '../upload/options.ts'
import { type FlagTable, type ParsedArgs, readArgs, UsageError } from '../verb.ts'
import type { Wishes } from './patient.ts'

/** What `carcosa doctor` was asked to do. */
export interface DoctorArgs {
  /** Null: where the configuration says. */
  readonly to: URL | null
  readonly wishes: Wishes
  readonly json: boolean
  /** Whether to look at the server's side; null: if its configuration is here. */
  readonly local: boolean | null
  /** With the flags of settings, for the configuration. */
  readonly parsed: ParsedArgs
}

const flagTable: FlagTable = {
  ...settingFlags,
  to: { type: 'string' },
  route: { type: 'string' },
  header: { type: 'string', multiple: true },
  input: { type: 'string' },
  origin: { type: 'string' },
  pause: { type: 'string', default: '5s' },
  slow: { type: 'boolean', default: false },
  'max-body': { type: 'string', default: '16MB' },
  json: { type: 'boolean', default: false },
  local: { type: 'boolean' },
}

/** Just under the minute after which a server gives up a body that has fallen silent. */
const slowPause = 55_000

/** @throws {UsageError} that says which part is wrong */
export function parseDoctorArgs(args: string[]): DoctorArgs {
  const parsed = readArgs(args, flagTable)
  const { flags } = parsed
  const pause = measure(
    flags.pause,
    parseDuration,
    '--pause must be a duration such as 5s',
  )
  return {
    to: typeof flags.to === 'string' ? parseUrl(flags.to) : null,
    wishes: {
      route: textOf(flags.route),
      // `multiple` makes it a list, which the type of the flags does not tell.
      headers: parseHeaders((flags.header ?? []) as unknown as string[]),
      input: parseInput(flags.input),
      origin: textOf(flags.origin),
      maxBody: measure(
        flags['max-body'],
        parseSize,
        '--max-body must be a size such as 128MB',
      ),
      pause: flags.slow ? slowPause : pause,
    },
    json: flags.json === true,
    local: typeof flags.local === 'boolean' ? flags.local : null,
    parsed,
  }
}

function textOf(flag: string | boolean | undefined): string | null {
  return typeof flag === 'string' ? flag : null
}

function measure(
  flag: string | boolean | undefined,
  parse: (text: string) => number,
  what: string,
): number {
  try {
    return parse(String(flag))
  } catch (cause) {
    throw new UsageError(`${what}, not "${flag}".`, { cause })
  }
}
