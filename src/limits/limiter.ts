import { createHash } from 'node:crypto'
import { CarcosaError } from '../shared/errors.ts'
import type { Logger } from '../shared/logger.ts'
import type { Meter } from '../shared/meter.ts'
import {
  type LimitedBy,
  type LimitedOperation,
  type RateLimits,
  type RateRule,
  type RateRules,
  rulesIn,
} from '../shared/rate-limits.ts'
import type { Counts } from './counts.ts'
import { createRecent } from './recent.ts'
import { rateHeaders, type Standing } from './standing.ts'

/** Whom a request is counted for; null or absent where that is not known. */
export type Client = { readonly [By in LimitedBy]?: string | null | undefined }

/** What is to be done, and by whom. */
export interface Wish {
  readonly operation: LimitedOperation
  readonly client: Client
  /** The route it is about, which may have limits of its own. */
  readonly route?: LimitedRoute
}

export interface LimitedRoute {
  readonly name: string
  /** Instead of the limits of the server; null for those. */
  readonly rateLimit: RateRules | null
}

/** Says how often something may be done. */
export interface RateLimiter {
  /**
   * Refuses whoever is known to be beyond a limit, without counting and without asking anybody:
   * to be called before anything that costs.
   * @throws {CarcosaError} RATE_LIMITED
   */
  assertFree(wish: Wish): void
  /**
   * Spends one point, and tells the headers for the answer.
   * @throws {CarcosaError} RATE_LIMITED if there is none left
   */
  spend(wish: Wish): Promise<Record<string, string>>
  /** Begins to spend one point of somebody who was found free, while other things are done. */
  begin(wish: Wish): Spending
  /** Spends as many of `points` as are left, and returns how many. Never throws. */
  spendSome(wish: Wish, points: number): Promise<number>
}

/** A point that is being spent. */
export interface Spending {
  /**
   * The headers for the answer. Until somebody asks for them, counting may be put off a little.
   * @throws {CarcosaError} RATE_LIMITED if there was no point left
   */
  settled(): Promise<Record<string, string>>
}

export interface LimiterParts {
  readonly limits: RateLimits
  readonly counts: Counts
  readonly meter: Meter
  readonly log: Logger
}

/** Most keys that are remembered to be beyond their limit. */
const mostBlocked = 50_000
/** How often the log tells of refusals, in ms. */
const tellEveryMs = 10_000

export function createLimiter({ limits, counts, meter, log }: LimiterParts): RateLimiter {
  const blocked = createRecent(mostBlocked)
  let toldAt = Number.NEGATIVE_INFINITY
  let untold = 0

  const refuse = ({ operation, client }: Wish, standing: Standing) => {
    meter.rateLimited(operation)
    untold++
    if (performance.now() - toldAt >= tellEveryMs) {
      toldAt = performance.now()
      const { by } = standing
      log.warn({ operation, by, client: client[by], times: untold }, 'rate limited')
      untold = 0
    }
    return refusal(operation, standing)
  }

  const blockedIn = (wish: Wish): Standing | null => {
    if (blocked.isEmpty) return null
    for (const { rule, key } of targetsOf(limits, wish)) {
      const msLeft = blocked.msUntil(key)
      if (msLeft > 0) return { ...rule, remaining: 0, msLeft }
    }
    return null
  }

  const assertFree = (wish: Wish) => {
    const standing = blockedIn(wish)
    if (standing) throw refuse(wish, standing)
  }

  const count = (
    wish: Wish,
    points: number,
    wanted?: Promise<void>,
  ): Promise<Standing[]> =>
    Promise.all(
      targetsOf(limits, wish).map(async ({ rule, key }) => {
        const spent = await counts.add(key, { points, seconds: rule.seconds, wanted })
        const { msLeft } = spent
        if (spent.points > rule.points) blocked.keep(key, msLeft)
        return { ...rule, remaining: rule.points - spent.points, msLeft }
      }),
    )

  /** The headers for who stands so, unless a limit is exceeded. */
  const judge = (wish: Wish, standings: Standing[]) => {
    const beyond = standings
      .filter(({ remaining }) => remaining < 0)
      .toSorted((a, b) => b.msLeft - a.msLeft)
    if (beyond[0]) throw refuse(wish, { ...beyond[0], remaining: 0 })
    return rateHeaders(wish.operation, standings)
  }

  return {
    assertFree,
    async spend(wish) {
      assertFree(wish)
      return judge(wish, await count(wish, 1))
    },
    begin(wish) {
      const { promise: wanted, resolve } = Promise.withResolvers<void>()
      const headers = count(wish, 1, wanted).then((standings) => judge(wish, standings))
      // Nobody may be waiting for it yet when it fails.
      headers.catch(() => undefined)
      return {
        settled() {
          resolve()
          return headers
        },
      }
    },
    async spendSome(wish, points) {
      if (blockedIn(wish)) return 0
      const standings = await count(wish, points)
      const left = standings.map(({ remaining }) => Math.max(remaining + points, 0))
      return Math.min(points, ...left)
    },
  }
}

interface Target {
  readonly rule: RateRule
  readonly key: string
}

/** The limits that hold for a wish, each with the counter it is about. */
function targetsOf(limits: RateLimits, { operation, client, route }: Wish): Target[] {
  const own = route?.rateLimit ?? null
  const what = own === null ? operation : `${operation}:${route?.name}`
  return rulesIn(own ?? limits[operation]).flatMap((rule) => {
    const value = client[rule.by]
    return value ? [{ rule, key: `${what}:${rule.by}:${short(rule.by, value)}` }] : []
  })
}

/** Ids may be of any length and hold anything; addresses are what an operator wants to read. */
function short(by: LimitedBy, value: string): string {
  if (by === 'address') return value
  return createHash('sha256').update(value).digest('base64url')
}

function refusal(operation: LimitedOperation, standing: Standing): CarcosaError {
  const { by, points, seconds, msLeft } = standing
  const retryAfter = Math.max(Math.ceil(msLeft / 1_000), 1)
  return new CarcosaError('RATE_LIMITED', {
    message: `Only ${points} ${nouns[operation]} in ${seconds} seconds are allowed for one ${by}. Try again in ${retryAfter} seconds.`,
    details: { operation, by, limit: points, seconds, retryAfter },
    headers: {
      'Retry-After': String(retryAfter),
      ...rateHeaders(operation, [standing]),
    },
  })
}

const nouns: Record<LimitedOperation, string> = {
  create: 'uploads',
  prepare: 'batches',
  auth: 'wrong credentials',
  read: 'requests for files',
  api: 'requests to the API',
}
