import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { didYouMean } from '../shared/suggest.ts'
import type { SettingName } from './options.ts'
import type { ConfigProblem } from './problems.ts'
import { type Setting, settings } from './settings.ts'

/** Variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A value as text, with the name it was given under. */
export interface GivenText {
  readonly source: string
  readonly text: string
}

/**
 * Finds the text of one setting: the first of its variables that is set, or the content of
 * the file that `…_FILE` names. What is wrong is added to `problems`.
 */
export function readVariable(
  setting: Setting<unknown>,
  env: Environment,
  problems: ConfigProblem[],
): GivenText | undefined {
  for (const name of setting.env) {
    const text = env[name]
    const file = setting.secret ? env[`${name}_FILE`] : undefined
    if (text !== undefined && file !== undefined) {
      problems.push(
        problem(name, `${name} and ${name}_FILE are both set. Unset one of them.`),
      )
      return undefined
    }
    if (file !== undefined) return readSecretFile(`${name}_FILE`, file, problems)
    if (text !== undefined && !isServiceLink(name, text))
      return given(name, text, problems)
  }
  return undefined
}

/**
 * Problems for every `CARCOSA_…` variable that means nothing. A misspelt DATABASE would else
 * put files where nobody looks for them.
 */
export function unknownVariables(env: Environment): ConfigProblem[] {
  const known = Object.values(settings).flatMap(variablesOf)
  return Object.keys(env)
    .filter((name) => name.startsWith('CARCOSA_') && env[name] !== undefined)
    .filter((name) => !known.includes(name) && !isForeign(name))
    .map((name) =>
      problem(
        name,
        `${name} is not a setting of Carcosa.${didYouMean(name, known)} Unset it.`,
      ),
    )
}

/** The names under which `setting` can be given, for help texts and suggestions. */
export function variablesOf(setting: Setting<unknown>): string[] {
  return setting.env.flatMap((name) => (setting.secret ? [name, `${name}_FILE`] : [name]))
}

/** The settings that can be given as flags, by the name of the flag. */
export function flagSettings(): Map<string, SettingName> {
  const names = Object.keys(settings) as SettingName[]
  return new Map(names.flatMap((name) => flagOf(name)))
}

function flagOf(name: SettingName): [string, SettingName][] {
  const flag = settings[name].flag
  return flag ? [[flag, name]] : []
}

function given(
  name: string,
  text: string,
  problems: ConfigProblem[],
): GivenText | undefined {
  // Usually a placeholder that nothing filled in; taking it as unset would hide that.
  if (text !== '') return { source: name, text }
  problems.push(problem(name, `${name} is set but empty. Give it a value or unset it.`))
  return undefined
}

function readSecretFile(
  name: string,
  path: string,
  problems: ConfigProblem[],
): GivenText | undefined {
  try {
    const text = readFileSync(resolve(path), 'utf8').replace(/\r?\n$/, '')
    if (text !== '') return { source: name, text }
    problems.push(problem(name, `${name} names the file ${path}, which is empty.`))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    problems.push(
      problem(name, `${name} names ${path}, which cannot be read: ${reason}.`),
    )
  }
  return undefined
}

/**
 * Kubernetes describes a service named "carcosa" to every pod by variables such as
 * CARCOSA_PORT=tcp://10.0.0.1:8080 and CARCOSA_SERVICE_HOST: none of them is meant for us.
 */
function isServiceLink(name: string, text: string): boolean {
  return name === 'CARCOSA_PORT' && /^(tcp|udp|sctp):\/\//.test(text)
}

/** Variables of Kubernetes (see above) and of our own test suite. */
function isForeign(name: string): boolean {
  return /^CARCOSA_(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP|SCTP)|TEST_)/.test(name)
}

function problem(source: string, message: string): ConfigProblem {
  return { source, message }
}
