import { didYouMean } from '../shared/suggest.ts'
import { type Environment, readVariable } from './environment.ts'
import type { ConfigOptions, SettingName } from './options.ts'
import { type ConfigProblem, shown } from './problems.ts'
import { type Setting, settings } from './settings.ts'

/** Where settings come from, strongest first. */
export interface ConfigSources {
  /** Options given in code. */
  object: Partial<ConfigOptions>
  /** What messages call the object. Default `the options`. */
  objectName?: string
  /** Flags of the command line by setting. */
  flags?: Partial<Record<SettingName, string | boolean>>
  /** Default: the environment of the process. */
  env?: Environment
  /** Relative directories start here. Default: the working directory. */
  cwd?: string
  /**
   * Carcosa runs inside somebody else's server: HOST, PORT and the like are that server's,
   * so variables of ServerOptions are not looked at. Default false.
   */
  embedded?: boolean
}

/** The verdict on one setting. `value` is undefined when it was given nowhere. */
export interface Judged {
  readonly name: SettingName
  /** `--port`, `PORT`, what the object is called, or `default`. */
  readonly origin: string
  readonly value?: unknown
  readonly problems: readonly ConfigProblem[]
}

/**
 * Takes the strongest source of one setting and judges it. Weaker ones are not looked at: a
 * DATABASE_URL of the host application may well be one that Carcosa could not use.
 */
export function judge(
  name: SettingName,
  sources: ConfigSources,
  env: Environment,
): Judged {
  const inCode = sources.object[name]
  if (inCode !== undefined) return judgeObject(name, inCode, objectNameOf(sources))
  const flag = sources.flags?.[name]
  if (flag !== undefined) return judgeText(name, `--${settings[name].flag}`, flag)
  const setting: Setting<unknown> = settings[name]
  if (setting.server && sources.embedded) return missing(name, [])
  const problems: ConfigProblem[] = []
  const variable = readVariable(setting, env, problems)
  return variable
    ? judgeText(name, variable.source, variable.text)
    : missing(name, problems)
}

/** Problems for options that do not exist. */
export function unknownOptions(sources: ConfigSources): ConfigProblem[] {
  const names = Object.keys(settings)
  return Object.keys(sources.object)
    .filter((name) => !names.includes(name))
    .map((name) => {
      const source = `${name} in ${objectNameOf(sources)}`
      const message = `${source} is not a setting of Carcosa.${didYouMean(name, names)} Remove it.`
      return { source, message }
    })
}

/** The problem of a configuration without routes, for the one setting that has no default. */
export function missingRouter(sources: ConfigSources): ConfigProblem[] {
  if (sources.object.router !== undefined) return []
  const source = `router in ${objectNameOf(sources)}`
  const message = `${source} is missing. Allowed: ${settings.router.allowed}. For example: router: ${settings.router.example}`
  return [{ source, message }]
}

function objectNameOf(sources: ConfigSources): string {
  return sources.objectName ?? 'the options'
}

function missing(name: SettingName, problems: ConfigProblem[]): Judged {
  return { name, origin: 'default', problems }
}

function judgeObject(name: SettingName, value: unknown, objectName: string): Judged {
  const setting: Setting<unknown> = settings[name]
  const result = setting.schema.safeParse(value)
  if (result.success)
    return { name, origin: objectName, value: result.data, problems: [] }
  const source = `${name} in ${objectName}`
  const example = `${name}: ${setting.exampleInCode ?? `'${setting.example}'`}`
  return {
    name,
    origin: objectName,
    problems: [wrong(setting, { source, value, example })],
  }
}

function judgeText(name: SettingName, source: string, text: string | boolean): Judged {
  const setting: Setting<unknown> = settings[name]
  const schema =
    typeof text === 'string' ? (setting.text ?? setting.schema) : setting.schema
  const result = schema.safeParse(text)
  if (result.success) return { name, origin: source, value: result.data, problems: [] }
  const example = exampleFor(source, setting)
  return {
    name,
    origin: source,
    problems: [wrong(setting, { source, value: text, example })],
  }
}

function exampleFor(source: string, setting: Setting<unknown>): string {
  if (source.startsWith('--')) return `${source} ${setting.example}`
  if (source.endsWith('_FILE')) return `a file with ${setting.example}`
  const [own] = setting.env
  if (source === own) return `${source}=${setting.example}`
  return `${source}=${setting.example}. If it is meant for another program, set ${own}, which wins`
}

function wrong(
  setting: Setting<unknown>,
  given: { source: string; value: unknown; example: string },
): ConfigProblem {
  const value = setting.secret
    ? 'not usable (its value is not shown)'
    : shown(given.value)
  const { source, example } = given
  const message = `${source} is ${value}. Allowed: ${setting.allowed}. For example: ${example}`
  return { source, message }
}
