import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ConfigOptions } from '../../config.ts'
import { CarcosaError } from '../../shared/errors.ts'

/** What a configuration file says, and what messages call it. */
export interface ConfigFile {
  /** As a person would name it: relative to where they are. */
  readonly name: string
  readonly options: ConfigOptions
}

const usualNames = ['ts', 'mts', 'js', 'mjs'].map((ending) => `carcosa.config.${ending}`)

/**
 * Loads the file `given` on the command line, else the first carcosa.config.* in `cwd`;
 * null if there is neither. Its code runs.
 *
 * Throws CONFIG_INVALID for a file that is missing, cannot be loaded by this Node, throws,
 * or exports no options by default.
 */
export async function loadConfigFile(
  given: string | undefined,
  cwd: string,
): Promise<ConfigFile | null> {
  const name =
    given ?? usualNames.find((candidate) => existsSync(resolve(cwd, candidate)))
  if (name === undefined) return null
  const path = resolve(cwd, name)
  if (!existsSync(path)) throw invalid(`There is no file ${path}. Check --config.`)
  if (/\.[mc]?ts$/.test(name) && !process.features.typescript) {
    throw invalid(
      `${name} is TypeScript, which Node ${process.versions.node} does not run. Use Node 22.18 or newer, or write carcosa.config.mjs.`,
    )
  }
  return { name, options: defaultExport(name, await load(name, path)) }
}

async function load(name: string, path: string): Promise<Record<string, unknown>> {
  try {
    return await import(pathToFileURL(path).href)
  } catch (error) {
    const { message, stack = '' } =
      error instanceof Error ? error : new Error(String(error))
    const line = stack
      .slice(Math.max(0, stack.indexOf(path)))
      .match(/^[^\n]*?:(\d+)/)?.[1]
    const where = line && stack.includes(path) ? `${name}:${line}` : name
    throw invalid(`${where} cannot be loaded: ${message}`, error)
  }
}

function defaultExport(name: string, module: Record<string, unknown>): ConfigOptions {
  const options = module.default
  if (typeof options === 'object' && options !== null) {
    // resolveConfig judges every member.
    return options as ConfigOptions
  }
  throw invalid(
    `${name} must export its options by default. For example: export default defineConfig({ router })`,
  )
}

function invalid(message: string, cause?: unknown): CarcosaError {
  return new CarcosaError('CONFIG_INVALID', { message, cause })
}
