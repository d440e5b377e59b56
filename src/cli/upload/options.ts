import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { type FlagTable, type Io, readArgs, UsageError } from '../verb.ts'

/** What `carcosa upload` was asked to do. */
export interface UploadArgs {
  readonly paths: readonly string[]
  readonly route: string
  readonly to: URL
  readonly input: unknown
  readonly headers: Record<string, string>
  /** Null: nothing is remembered. */
  readonly stateDirectory: string | null
  readonly json: boolean
}

const flagTable: FlagTable = {
  route: { type: 'string' },
  to: { type: 'string' },
  input: { type: 'string' },
  header: { type: 'string', multiple: true },
  'state-dir': { type: 'string' },
  resume: { type: 'boolean', default: true },
  json: { type: 'boolean', default: false },
}

/** @throws {UsageError} that says which part is missing or wrong */
export function parseUploadArgs(args: string[], io: Io): UploadArgs {
  const { flags, positionals } = readArgs(args, flagTable, Number.POSITIVE_INFINITY)
  if (positionals.length === 0) {
    throw new UsageError('Which file? carcosa upload <file…> --route <name> --to <url>')
  }
  return {
    paths: positionals,
    route: required(flags.route, '--route <name>, e.g. --route demo'),
    to: parseUrl(required(flags.to, '--to <url>, e.g. --to http://127.0.0.1:8080')),
    input: parseInput(flags.input),
    // `multiple` makes it a list, which the type of the flags does not tell.
    headers: parseHeaders((flags.header ?? []) as unknown as string[]),
    stateDirectory: flags.resume ? stateDirectory(flags['state-dir'], io) : null,
    json: flags.json === true,
  }
}

function required(value: string | boolean | undefined, what: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw new UsageError(`${what} is missing.`)
}

export function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url && ['http:', 'https:'].includes(url.protocol)) return url
  throw new UsageError(
    `--to must be an http or https URL such as http://127.0.0.1:8080, not "${text}".`,
  )
}

export function parseInput(text: string | boolean | undefined): unknown {
  if (typeof text !== 'string') return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError(
      `--input must be JSON, e.g. --input '{"albumId":"1"}', not: ${text}`,
    )
  }
}

/** The values are secrets more often than not and never repeated in a message. */
export function parseHeaders(lines: readonly string[]): Record<string, string> {
  const headers = new Headers()
  for (const line of lines) {
    const [name = '', ...value] = line.split(':')
    try {
      if (value.length === 0) throw new TypeError('no colon')
      headers.append(name.trim(), value.join(':').trim())
    } catch {
      throw new UsageError(
        `--header must be "name: value", e.g. --header "Authorization: Bearer …"; the one that begins with "${name.slice(0, 20)}" is not.`,
      )
    }
  }
  return Object.fromEntries(headers)
}

function stateDirectory(flag: string | boolean | undefined, io: Io): string {
  if (typeof flag === 'string') return resolve(io.cwd, flag)
  return join(cacheDirectory(io), 'carcosa', 'uploads')
}

/** Where this system keeps what may be lost without harm. */
function cacheDirectory({ env }: Io): string {
  const home = env.HOME ?? homedir()
  if (env.XDG_CACHE_HOME) return env.XDG_CACHE_HOME
  if (process.platform === 'win32') return env.LOCALAPPDATA ?? join(home, 'AppData/Local')
  return join(home, process.platform === 'darwin' ? 'Library/Caches' : '.cache')
}
