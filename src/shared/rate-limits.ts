import { type Duration, parseDuration } from './durations.ts'

/**
 * What rate limits are about: the creation of uploads, `prepare`, credentials that were wrong,
 * reading files, and the REST API. What continues an upload that exists is none of it, and never limited.
 */
export const limitedOperations = ['create', 'prepare', 'auth', 'read', 'api'] as const

export type LimitedOperation = (typeof limitedOperations)[number]

/**
 * Whose requests are counted together: those of an address, of a principal, of a project, or about
 * the account with an e-mail address.
 */
export type LimitedBy = 'address' | 'principal' | 'project' | 'account'

/** So many `points` in any window of `per`, which begins with the first of them. */
export interface RateLimit {
  /** A whole number above 0. */
  readonly points: number
  /** Whole seconds, as `1m` or in milliseconds; at most 24 days. */
  readonly per: Duration
}

/** `false` for none; a limit for each address and each principal; or a limit for each by name. */
export type RateLimitChoice =
  | false
  | RateLimit
  | { readonly [By in LimitedBy]?: RateLimit | false }

/** The option `rateLimits`. What is not named stays as it is by default. */
export interface RateLimitOptions {
  /** Creations of uploads. Default 6,000 a minute for each address and each principal. */
  readonly create?: RateLimitChoice
  /** Calls of `prepare`, each with any number of files. Default: as `create`, counted apart. */
  readonly prepare?: RateLimitChoice
  /**
   * Wrong credentials, and all attempts to sign in, sign up and recover an account. Default 100 a
   * minute for each address; and, where only named with `account`, 20 in 15 minutes for each account.
   */
  readonly auth?: RateLimitChoice
  /** Requests to `/files`; only by address. Default none. */
  readonly read?: RateLimitChoice
  /** Requests to `/api/v1`. Default 3,000 a minute for each address and each principal. */
  readonly api?: RateLimitChoice
  /**
   * `shared` counts for all processes together: in Redis, where the option `redis` is set, else in
   * Postgres. `memory` counts in each process alone, as the embedded database does. Default `shared`.
   */
  readonly store?: 'shared' | 'memory'
}

/** The limits of one operation, or of one route, with every default filled in; `per` in ms. */
export type RateRules = {
  readonly [By in LimitedBy]?: { readonly points: number; readonly per: number } | false
}

/** The option with every default filled in; as good an option as the one it was made from. */
export type RateLimits = Readonly<Record<LimitedOperation, RateRules>> & {
  readonly store: 'shared' | 'memory'
}

/** A limit as it is applied. */
export interface RateRule {
  readonly by: LimitedBy
  readonly points: number
  /** Length of the window. */
  readonly seconds: number
}

/** Who can be told apart: of wrong credentials and of readers only the address is known. */
const dimensions: Record<LimitedOperation, readonly LimitedBy[]> = {
  create: ['address', 'principal', 'project'],
  prepare: ['address', 'principal', 'project'],
  auth: ['address', 'account'],
  read: ['address'],
  api: ['address', 'principal', 'project'],
}

const creations = { points: 6_000, per: '1m' } as const

/** What is not meant where one limit is given for all. */
const onlyByName: { readonly [By in LimitedBy]?: RateLimit | false } = {
  project: false,
  account: { points: 20, per: '15m' },
}

const longestSeconds = 24 * 24 * 3600

export const defaultRateLimits: RateLimits = parseRateLimits({})

/** @throws TypeError saying what is wrong */
export function parseRateLimits(options: unknown): RateLimits {
  if (options === false) {
    const off = { create: false, auth: false, read: false, api: false }
    return parseRateLimits({ ...off, store: 'memory' })
  }
  const given = recordOf(options, [...limitedOperations, 'store'])
  const { create = {}, auth = {}, read = {}, api = {}, store = 'shared' } = given
  const { prepare = create } = given
  if (store !== 'shared' && store !== 'memory') {
    throw new TypeError('store is neither shared nor memory')
  }
  return Object.freeze({
    create: rulesOf('create', create, creations),
    prepare: rulesOf('prepare', prepare, creations),
    auth: rulesOf('auth', auth, { points: 100, per: '1m' }),
    read: rulesOf('read', read, false),
    api: rulesOf('api', api, { points: 3_000, per: '1m' }),
    store,
  })
}

/** The limit a route has for itself, instead of all others. @throws TypeError */
export function parseRouteLimit(choice: unknown): RateRules {
  return rulesOf('create', choice, false)
}

/** `create=600/1m,auth=20/5m,read=off`, `create.project=…`, `store=memory`, or `off`. @throws TypeError */
export function parseRateLimitText(text: string): RateLimits {
  if (text.trim() === 'off') return parseRateLimits(false)
  const options: Record<string, unknown> = {}
  for (const part of text.split(',')) {
    const [, name = '', by, value = ''] =
      /^\s*(\w+)(?:\.(\w+))?=(\S+)\s*$/.exec(part) ?? []
    const meant = name === 'store' ? value : limitOf(value)
    const before = options[name]
    const isRepeated = before !== undefined && (!by || !isNamed(before))
    if (name === '' || isRepeated) throw new TypeError(`not understood: ${part}`)
    options[name] = by ? { ...(before as object | undefined), [by]: meant } : meant
  }
  return parseRateLimits(options)
}

function limitOf(text: string): unknown {
  if (text === 'off') return false
  const [, points = '', per = ''] = /^(\d+)\/(.+)$/.exec(text) ?? []
  return { points: Number(points), per }
}

function rulesOf(
  operation: LimitedOperation,
  choice: unknown,
  usual: RateLimit | false,
): RateRules {
  const allowed = dimensions[operation]
  const whole = isNamed(choice) ? usual : choice
  const named = isNamed(choice) ? recordOf(choice, allowed) : {}
  const rules = allowed.map((by) => {
    const limit =
      named[by] ??
      (whole === false && by === 'account' ? false : (onlyByName[by] ?? whole))
    return [by, limit === false ? false : parseLimit(limit)]
  })
  return Object.freeze(Object.fromEntries(rules))
}

/** The limits that there are; asked for with every request, and the same for good. */
export function rulesIn(rules: RateRules): readonly RateRule[] {
  const known = rulesKnown.get(rules)
  if (known) return known
  const found = (Object.keys(rules) as LimitedBy[]).flatMap((by) => {
    const rule = rules[by]
    return rule ? [{ by, points: rule.points, seconds: rule.per / 1_000 }] : []
  })
  rulesKnown.set(rules, found)
  return found
}

const rulesKnown = new WeakMap<RateRules, readonly RateRule[]>()

/** Whether it names who is limited, instead of being one limit. */
function isNamed(choice: unknown): boolean {
  if (choice === false) return false
  return !(typeof choice === 'object' && choice !== null && 'points' in choice)
}

function parseLimit(limit: unknown): { points: number; per: number } {
  const { points, per } = recordOf(limit, ['points', 'per'])
  if (!Number.isSafeInteger(points) || Number(points) < 1 || Number(points) > 1e9) {
    throw new TypeError('points is not a whole number above 0')
  }
  const seconds = parseDuration(per as Duration) / 1_000
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > longestSeconds) {
    throw new TypeError('per is not a number of whole seconds')
  }
  return Object.freeze({ points: Number(points), per: seconds * 1_000 })
}

function recordOf(value: unknown, names: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError('not an object')
  }
  const given = Object.entries(value).filter(([, member]) => member !== undefined)
  const stranger = given.find(([name]) => !names.includes(name))
  if (stranger) throw new TypeError(`${stranger[0]} is none of ${names.join(', ')}`)
  return Object.fromEntries(given)
}
