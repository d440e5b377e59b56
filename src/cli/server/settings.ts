import { flagSettings, variablesOf } from '../../config/environment.ts'
import { defaults, type Setting, settings } from '../../config/settings.ts'
import type { CarcosaOptions, Config, ResolvedConfig, SettingName } from '../../config.ts'
import { resolveConfig } from '../../config.ts'
import { type FlagTable, type Io, type ParsedArgs, readArgs } from '../verb.ts'
import { loadConfigFile } from './config-file.ts'

/** The configuration as `carcosa start` found it. */
export interface Loaded extends ResolvedConfig {
  /** What the configuration file is called; null if the demo runs. */
  readonly file: string | null
  /** Flags that were given but not used, because the file decides. */
  readonly unusedFlags: readonly string[]
}

/** The flags of every verb that works on a configured server. */
export const settingFlags: FlagTable = {
  config: { type: 'string' },
  ...Object.fromEntries([...flagSettings()].map(([flag, name]) => [flag, flagOf(name)])),
}

/**
 * Reads the command line, the configuration file (or the demo, if there is none) and the
 * environment. Throws UsageError for a flag that does not exist, else CONFIG_INVALID.
 */
export async function loadSettings(args: string[], io: Io): Promise<Loaded> {
  return await settingsFrom(readArgs(args, settingFlags), io)
}

/** The same for a command line that was read already. */
export async function settingsFrom({ flags }: ParsedArgs, io: Io): Promise<Loaded> {
  const given = typeof flags.config === 'string' ? flags.config : undefined
  const file = await loadConfigFile(given, io.cwd)
  const bySetting = [...flagSettings()].map(([flag, name]) => [name, flags[flag]])
  const resolved = resolveConfig({
    object: file?.options ?? (await demoOptions()),
    objectName: file?.name ?? 'the demo',
    flags: Object.fromEntries(bySetting),
    env: io.env,
    cwd: io.cwd,
  })
  return { ...resolved, file: file?.name ?? null, unusedFlags: unused(flags, resolved) }
}

/** The part of the configuration that is not about listening. */
export function carcosaOptions(config: Config): CarcosaOptions {
  const { host, port, page, logLevel, ...rest } = config
  const { adminPort, adminHost, ...others } = rest
  const { maxConnections, maxConnectionsPerClient, ...options } = others
  return options
}

/** Help for each setting that can be written as text: flag, variables, what is allowed. */
export function describeSettings(): string {
  const names = Object.keys(settings) as SettingName[]
  return names
    .filter((name) => settings[name].env.length > 0)
    .map(describe)
    .join('\n')
}

function describe(name: SettingName): string {
  const { flag, allowed, fallback }: Setting<unknown> = settings[name]
  const written = writtenAs(flagOf(name), flag)
  const variables = variablesOf(settings[name]).join(', ')
  const end = fallback ? ` (default ${fallback})` : ''
  return `  ${(flag ? written : '').padEnd(26)} ${variables}\n      ${allowed}${end}`
}

function writtenAs({ type, words }: FlagTable[string], flag: string | undefined): string {
  if (words) return `--${flag} [<…>]`
  return type === 'boolean' ? `--[no-]${flag}` : `--${flag} <…>`
}

function flagOf(name: SettingName): FlagTable[string] {
  const { words }: Setting<unknown> = settings[name]
  if (words) return { type: 'string', words }
  const isBoolean = typeof defaults[name as keyof typeof defaults] === 'boolean'
  return { type: isBoolean ? 'boolean' : 'string' }
}

async function demoOptions() {
  return (await import('./demo.ts')).demoOptions()
}

function unused(flags: ParsedArgs['flags'], { origins }: ResolvedConfig): string[] {
  return [...flagSettings()]
    .filter(([flag, name]) => flags[flag] !== undefined && origins[name] !== `--${flag}`)
    .map(([flag]) => `--${flag}`)
}
