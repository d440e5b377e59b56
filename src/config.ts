import { resolve } from 'node:path'
import { type Environment, unknownVariables } from './config/environment.ts'
import {
  type ConfigSources,
  type Judged,
  judge,
  missingRouter,
  unknownOptions,
} from './config/judge.ts'
import type { Config, ConfigOptions, SettingName } from './config/options.ts'
import { configError } from './config/problems.ts'
import { defaults, settings } from './config/settings.ts'

export type { Environment } from './config/environment.ts'
export type { ConfigSources } from './config/judge.ts'
export type {
  CarcosaOptions,
  Config,
  ConfigOptions,
  CorsOptions,
  ServerOptions,
  SettingName,
} from './config/options.ts'

/**
 * Types the default export of `carcosa.config.ts`; returns `options` as they are.
 *
 * @example
 * export default defineConfig({ router, database: 'postgres://localhost/app' })
 */
export function defineConfig<T extends ConfigOptions>(options: T): T {
  return options
}

/** The configuration, and for each setting where it came from (`--port`, `PORT`, `default`). */
export interface ResolvedConfig {
  readonly config: Config
  readonly origins: Readonly<Record<SettingName, string>>
}

/**
 * Merges the sources (object over flags over environment over defaults) and fills in the
 * rest. A Config is as good an object as the options it was made from.
 *
 * Throws CONFIG_INVALID naming every wrong value: where it came from, what was given (never
 * a secret), what is allowed and what to do.
 */
export function resolveConfig(sources: ConfigSources): ResolvedConfig {
  const env = sources.env ?? environment()
  const judged = settingNames.map((name) => judge(name, sources, env))
  const problems = [
    ...unknownOptions(sources),
    ...unknownVariables(env),
    ...missingRouter(sources),
    ...judged.flatMap((one) => one.problems),
  ]
  if (problems.length > 0) throw configError(problems)
  return {
    config: complete(valuesOf(judged), sources.cwd ?? '.', env),
    origins: originsOf(judged),
  }
}

/** The environment of this process. Nothing else in Carcosa reads it. */
export function environment(): Environment {
  return process.env
}

const settingNames = Object.keys(settings) as SettingName[]

type Merged = Omit<Config, 'database'> & { database?: string }

function valuesOf(judged: Judged[]): Merged {
  const given = judged.filter((one) => one.value !== undefined)
  const values = Object.fromEntries(given.map((one) => [one.name, one.value]))
  // Each value went through the schema of its own setting, and no problem was found.
  return { ...defaults, ...values } as Merged
}

function originsOf(judged: Judged[]): Record<SettingName, string> {
  const origins = Object.fromEntries(judged.map((one) => [one.name, one.origin]))
  // `judged` has one entry for each setting.
  return origins as Record<SettingName, string>
}

function complete(merged: Merged, cwd: string, env: Environment): Config {
  const dataDir = resolve(cwd, merged.dataDir)
  const database = merged.database ?? resolve(dataDir, 'db')
  return {
    ...merged,
    dataDir,
    explainDenials: merged.explainDenials && env.NODE_ENV !== 'production',
    database: database.includes('://') ? database : resolve(cwd, database),
    page: merged.page && resolve(cwd, merged.page),
    stagingDir: merged.stagingDir && resolve(cwd, merged.stagingDir),
  }
}
