import { parseDuration } from '../shared/durations.ts'
import { CarcosaError } from '../shared/errors.ts'
import { isNetwork } from '../shared/networks.ts'
import { didYouMean } from '../shared/suggest.ts'
import type { KeyMode } from './key-format.ts'
import type { NewApiKey } from './keys.ts'
import type { Scopes } from './principal.ts'
import { actions, isGrant } from './roles.ts'

/** What keys can name. */
export interface KeyRules {
  readonly roles: readonly string[]
  readonly routes: readonly string[]
}

export interface CheckedKey {
  name: string
  mode: KeyMode
  role: string
  scopes: Scopes | null
  allowedAddresses: string[]
  /** Milliseconds. */
  expiresIn: number | null
  projectId?: string
  createdBy: string | null
}

/** Dates beyond are none. */
const longestMs = 1e13
const maxAddresses = 100

/** @throws {CarcosaError} BAD_REQUEST, saying what is allowed */
export function checkNewKey(key: NewApiKey, rules: KeyRules): CheckedKey {
  const { name, mode = 'live', role = 'developer', projectId, createdBy = null } = key
  if (!isText(name)) throw bad('name is text of 1 to 200 characters.')
  if (mode !== 'live' && mode !== 'test') throw bad('mode is live or test.')
  requireOne('role', role, rules.roles)
  for (const [what, text] of Object.entries({ projectId, createdBy })) {
    if (text != null && !isText(text))
      throw bad(`${what} is text of 1 to 200 characters.`)
  }
  return {
    name,
    mode,
    role,
    scopes: checkScopes(key.scopes, rules),
    allowedAddresses: checkAddresses(key.allowedAddresses ?? []),
    expiresIn:
      key.expiresIn === undefined ? null : parseLifetime(key.expiresIn, 'expiresIn', 1),
    ...(projectId !== undefined && { projectId }),
    createdBy,
  }
}

/** @throws {CarcosaError} BAD_REQUEST */
export function parseLifetime(
  value: number | string,
  what: string,
  least: number,
): number {
  let ms: number
  try {
    ms = parseDuration(value)
  } catch (cause) {
    throw bad(`${what} is a duration such as 30 days, or milliseconds.`, cause)
  }
  if (ms >= least && ms <= longestMs) return ms
  throw bad(`${what} is ${least} to ${longestMs} milliseconds, not ${ms}.`)
}

function checkScopes(scopes: Scopes | undefined, rules: KeyRules): Scopes | null {
  if (scopes == null) return null
  const { routes, actions: wanted, ...others } = scopes
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw bad(`scopes has routes and actions, no ${unknown}.`)
  for (const list of [routes, wanted]) {
    if (list === undefined || (Array.isArray(list) && list.length > 0)) continue
    throw bad('The scopes routes and actions are lists that are not empty.')
  }
  for (const route of routes ?? []) requireOne('scopes.routes', route, rules.routes)
  for (const action of wanted ?? []) {
    if (!isGrant(action)) requireOne('scopes.actions', action, actions)
  }
  if (!routes && !wanted) return null
  return { ...(routes && { routes }), ...(wanted && { actions: wanted }) }
}

function checkAddresses(addresses: readonly string[]): string[] {
  if (!Array.isArray(addresses) || addresses.length > maxAddresses) {
    throw bad(`allowedAddresses is a list of at most ${maxAddresses}.`)
  }
  const wrong = addresses.find((one) => typeof one !== 'string' || !isNetwork(one))
  if (wrong === undefined) return [...addresses]
  throw bad(
    `allowedAddresses has ${JSON.stringify(wrong)}. Allowed: addresses, networks such as 10.0.0.0/8, loopback and private.`,
  )
}

function requireOne(what: string, value: unknown, known: readonly string[]): void {
  if (typeof value === 'string' && known.includes(value)) return
  const hint = typeof value === 'string' ? didYouMean(value, known) : ''
  throw bad(
    `${what} has ${JSON.stringify(value)}.${hint} Allowed: ${known.join(', ')}${known === actions ? ', each also with .own' : ''}.`,
  )
}

function isText(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length >= 1 &&
    value.length <= 200 &&
    value.isWellFormed() &&
    !value.includes('\0')
  )
}

function bad(message: string, cause?: unknown): CarcosaError {
  return new CarcosaError('BAD_REQUEST', { message, cause })
}
