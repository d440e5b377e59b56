import { type FlagTable, type ParsedArgs, UsageError } from '../verb.ts'
import { settingFlags } from './settings.ts'

/** The flags of every subcommand of `carcosa files`. */
export const commonFlags: FlagTable = {
  ...settingFlags,
  'dry-run': { type: 'boolean' },
  concurrency: { type: 'string' },
}

type Flag = ParsedArgs['flags'][string] | undefined

/** What they say. @throws {UsageError} */
export function commonOptions({ flags }: ParsedArgs) {
  const { concurrency } = flags
  return {
    dryRun: flags['dry-run'] === true,
    ...(concurrency !== undefined && { concurrency: parseConcurrency(concurrency) }),
  }
}

/** @throws {UsageError} if the flag is missing or empty; `what` shows how it is written */
export function required(flag: Flag, what: string): string {
  if (typeof flag === 'string' && flag !== '') return flag
  throw new UsageError(`${what} is missing.`)
}

/** The flag under its own name, or nothing. */
export function textOf<Name extends string>(
  flags: ParsedArgs['flags'],
  name: Name,
): { [N in Name]?: string } {
  const flag = flags[name]
  // The computed name is a text to the compiler.
  return (typeof flag === 'string' ? { [name]: flag } : {}) as { [N in Name]?: string }
}

function parseConcurrency(flag: string | boolean): number {
  const value = Number(flag)
  if (Number.isInteger(value) && value >= 1 && value <= 64) return value
  throw new UsageError(`--concurrency is 1 to 64, not "${flag}".`)
}
