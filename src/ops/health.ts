import { CarcosaError } from '../shared/errors.ts'
import type { Logger } from '../shared/logger.ts'
import { jsonReply, type Reply } from '../shared/reply.ts'
import { createRemembered } from './remembered.ts'

/** Whether this process should be sent requests, and if not, why. Safe to show to anybody. */
export interface Readiness {
  readonly status: 'ready' | 'unready'
  /** Names of the checks that failed. */
  readonly failing: readonly string[]
  readonly checks: Readonly<Record<string, CheckOutcome>>
}

export interface CheckOutcome {
  readonly ok: boolean
  /** A code of ours, or UNAVAILABLE; the rest is in the log. */
  readonly code?: string
  /** What else a check tells, e.g. whether this process works jobs. */
  readonly [detail: string]: unknown
}

/** One thing that must be well. */
export interface Check {
  readonly name: string
  /** Resolves if it is, with what else there is to tell; rejects if not. */
  probe(): Promise<Readonly<Record<string, unknown>>>
  /** How long it may take, in ms. */
  readonly timeoutMs: number
  /** How long a good outcome is remembered, in ms; a bad one at most two seconds. */
  readonly keepMs: number
}

export interface HealthOptions {
  readonly checks: readonly Check[]
  /** Whether this process stops: then nothing is asked any more. */
  isDraining(): boolean
  readonly log: Logger
}

const failureKeptMs = 2_000

/** Asks all checks, each at most once at a time and only when its last outcome is old. */
export function createHealth(options: HealthOptions): () => Promise<Readiness> {
  const checks = options.checks.map((check) => rememberedCheck(check, options.log))
  return async () => {
    if (options.isDraining()) return readiness([['draining', { ok: false }]])
    const outcomes = await Promise.all(checks.map((ask) => ask()))
    return readiness([...outcomes, ['draining', { ok: true }]])
  }
}

type Outcome = [name: string, outcome: CheckOutcome]

function rememberedCheck(check: Check, log: Logger): () => Promise<Outcome> {
  let failing = false
  const note = (failed: boolean, err?: unknown) => {
    // Once, and not with every poll.
    if (failed && !failing) log.warn({ err, check: check.name }, 'not ready')
    if (!failed && failing) log.info({ check: check.name }, 'ready again')
    failing = failed
  }
  const ask = createRemembered({
    // A probe that throws before its first await rejects like any other.
    find: async () => check.probe(),
    keepMs: (outcome) =>
      outcome === 'found' ? check.keepMs : Math.min(check.keepMs, failureKeptMs),
    timeoutMs: check.timeoutMs,
  })
  return async () => {
    try {
      const details = await ask()
      note(false)
      return [check.name, { ok: true, ...details }]
    } catch (error) {
      note(true, error)
      const code = error instanceof CarcosaError ? error.code : 'UNAVAILABLE'
      return [check.name, { ok: false, code }]
    }
  }
}

function readiness(outcomes: readonly Outcome[]): Readiness {
  const failing = outcomes.filter(([, { ok }]) => !ok).map(([name]) => name)
  return {
    status: failing.length === 0 ? 'ready' : 'unready',
    failing,
    checks: Object.fromEntries(outcomes),
  }
}

/** The answer of `/readyz`. */
export function readinessReply(found: Readiness): Reply {
  return jsonReply(found.status === 'ready' ? 200 : 503, found)
}
