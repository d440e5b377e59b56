import { defaultSettings, type ProjectSettings } from '../auth/project-gate.ts'
import { parseDuration } from '../shared/durations.ts'
import { CarcosaError } from '../shared/errors.ts'
import { didYouMean } from '../shared/suggest.ts'

/** Settings to be changed: what is not named stays as it is, null is the default again. */
export interface SettingsChange {
  /** Names of routes; null for all. */
  allowedRoutes?: readonly string[] | null
  publicUploads?: boolean | null
  /** Milliseconds or `30 days`, at most the option `eventRetention`; null for just that. */
  eventRetention?: number | string | null
}

/** What settings can name. */
export interface SettingsRules {
  readonly routes: readonly string[]
  /** Milliseconds. */
  readonly eventRetention: number
}

/** @throws {CarcosaError} BAD_REQUEST, saying what is allowed */
export function checkName(name: unknown): string {
  if (isName(name)) return name
  throw bad('name is text of 1 to 200 characters.')
}

/** What is named, as it is kept. @throws {CarcosaError} BAD_REQUEST */
export function checkSettings(
  change: SettingsChange,
  rules: SettingsRules,
): Partial<ProjectSettings> {
  if (typeof change !== 'object' || change === null || Array.isArray(change)) {
    throw bad('settings is an object.')
  }
  const names = Object.keys(defaultSettings)
  const unknown = Object.keys(change).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw bad(
      `There is no setting ${JSON.stringify(unknown.slice(0, 64))}.${didYouMean(unknown, names)} Settings are ${names.join(', ')}.`,
    )
  }
  const { allowedRoutes, publicUploads, eventRetention } = change
  return {
    ...(allowedRoutes !== undefined && { allowedRoutes: routesOf(allowedRoutes, rules) }),
    ...(publicUploads !== undefined && { publicUploads: flagOf(publicUploads) }),
    ...(eventRetention !== undefined && {
      eventRetention: retentionOf(eventRetention, rules),
    }),
  }
}

function routesOf(given: unknown, { routes }: SettingsRules): string[] | null {
  if (given === null) return null
  if (!Array.isArray(given)) throw bad('allowedRoutes is a list of routes, or null.')
  const wrong: unknown = given.find((route) => !routes.includes(route))
  if (wrong === undefined) return [...new Set<string>(given)]
  const hint = typeof wrong === 'string' ? didYouMean(wrong, routes) : ''
  throw bad(
    `allowedRoutes has ${JSON.stringify(wrong)?.slice(0, 80)}.${hint} Routes are ${routes.join(', ')}.`,
  )
}

function flagOf(given: unknown): boolean {
  if (given === null) return defaultSettings.publicUploads
  if (typeof given === 'boolean') return given
  throw bad('publicUploads is true or false.')
}

function retentionOf(given: unknown, { eventRetention }: SettingsRules): number | null {
  if (given === null) return null
  const ms = durationOf(given)
  if (ms >= 1 && ms <= eventRetention) return ms
  throw bad(
    `eventRetention is 1 to ${eventRetention} milliseconds, for which this server keeps events.`,
  )
}

function durationOf(given: unknown): number {
  try {
    // Anything else is refused by it.
    return parseDuration(given as string)
  } catch (cause) {
    throw bad('eventRetention is a duration such as 30 days, or milliseconds.', cause)
  }
}

function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.trim().length >= 1 &&
    value.length <= 200 &&
    value.isWellFormed() &&
    !value.includes('\0')
  )
}

function bad(message: string, cause?: unknown): CarcosaError {
  return new CarcosaError('BAD_REQUEST', { message, cause })
}
