import { type ParseArgsOptionDescriptor, parseArgs } from 'node:util'
import { didYouMean } from '../shared/suggest.ts'

/** One verb of the command: one file of src/cli, one line in the list of main.ts. */
export interface Verb {
  /** What is typed after `carcosa`. */
  readonly name: string
  /** One line for `carcosa help`. */
  readonly summary: string
  /** The full text of `carcosa help <name>`. */
  readonly usage: string
  /**
   * Does the work and returns the exit code: 0 done, 1 failed. Throws UsageError for a command
   * line that makes no sense (exit code 2) and CarcosaError for anything that is answered in
   * one line (exit code 1). `verbs` is the list of all, for `help`.
   */
  run(args: string[], io: Io, verbs: readonly Verb[]): Promise<number>
  /** It runs for days: the command starts Node with a heap made for that. */
  readonly longRunning?: boolean
}

/** What a verb may touch of the process it runs in. */
export interface Io {
  readonly stdout: Output
  readonly stderr: Output
  /** The environment as it was at start. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Relative paths on the command line start here. */
  readonly cwd: string
}

/** A stream for text. `isTTY` and `columns` are there when a person is looking at it. */
export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

/** The command line itself is wrong. The message says what was given and what is allowed. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The flags a verb takes, in the shape of `node:util` parseArgs. */
export type FlagTable = Readonly<Record<string, Flag>>

interface Flag extends ParseArgsOptionDescriptor {
  /** Words that may follow it. Followed by none of them it means the first. */
  readonly words?: readonly string[]
}

/** What was found on a command line: flags by name, and the rest in order. */
export interface ParsedArgs {
  readonly flags: Record<string, string | boolean>
  readonly positionals: string[]
}

/**
 * Reads a command line strictly: an unknown flag, a flag without its value and more than
 * `maxPositionals` other words are UsageErrors. `--no-x` turns the boolean flag `x` off.
 */
export function readArgs(
  args: string[],
  table: FlagTable,
  maxPositionals = 0,
): ParsedArgs {
  const parsed = parseStrictly(args, table)
  const extra = parsed.positionals[maxPositionals]
  if (extra !== undefined) throw new UsageError(`"${extra}" was not expected here.`)
  return parsed
}

function parseStrictly(args: string[], table: FlagTable): ParsedArgs {
  try {
    const { values, positionals } = parseArgs({
      args: withWords(args, table),
      options: table,
      allowPositionals: true,
      allowNegative: true,
      strict: true,
    })
    // No flag of ours is `multiple`, so no value is an array.
    return { flags: { ...values } as ParsedArgs['flags'], positionals }
  } catch (error) {
    throw explain(error, args, table)
  }
}

/** Gives a flag that stands alone its first word; `--no-x` is `off`. */
function withWords(args: string[], table: FlagTable): string[] {
  const end = args.indexOf('--')
  return args.map((arg, at) => {
    if (!arg.startsWith('--') || (end >= 0 && at > end)) return arg
    const words = table[arg.slice(2)]?.words
    if (words) return words.includes(args[at + 1] ?? '') ? arg : `${arg}=${words[0]}`
    return table[arg.replace('--no-', '')]?.words ? `${arg.replace('no-', '')}=off` : arg
  })
}

function explain(error: unknown, args: string[], table: FlagTable): unknown {
  if (!(error instanceof TypeError)) return error
  const end = args.indexOf('--')
  const names = (end < 0 ? args : args.slice(0, end)).map(flagName)
  const unknown = names.find((name) => name && !isKnown(name, table))
  if (!unknown) return new UsageError(error.message, { cause: error })
  const flags = Object.keys(table).map((name) => `--${name}`)
  return new UsageError(`There is no flag ${unknown}.${didYouMean(unknown, flags)}`, {
    cause: error,
  })
}

function flagName(arg: string): string | undefined {
  return arg.startsWith('--') && arg.length > 2 ? arg.split('=', 1)[0] : undefined
}

function isKnown(flag: string, table: FlagTable): boolean {
  const name = flag.slice(2)
  return Object.hasOwn(table, name) || Object.hasOwn(table, name.replace(/^no-/, ''))
}
