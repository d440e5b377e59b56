import { stripVTControlCharacters } from 'node:util'
import { parseSkips, type Skip } from '../requirements.ts'
import type { Outcome } from './run-file.ts'

/** What the outcome of a test file means. */
export interface Verdict {
  passed: number
  /** Failed tests; at least 1 whenever `problem` is set. */
  failed: number
  /** Tests skipped because a part is missing on this machine. */
  skips: Skip[]
  /** Tests skipped by `.skip` or `.only`. */
  skippedInCode: number
  /** What is wrong with the file as a whole. */
  problem: string | null
}

/**
 * Judges a file by uvu's summary and not by its exit code alone: uvu exits with 0 when a
 * `before` hook throws, when `run()` was never called and when there is no test at all.
 */
export function judge(outcome: Outcome, strict: boolean): Verdict {
  const output = stripVTControlCharacters(outcome.output)
  const total = sum(output, 'Total')
  const passed = sum(output, 'Passed') ?? 0
  const skips = parseSkips(output)
  const missing = skips.reduce((tests, skip) => tests + skip.tests, 0)
  const skippedInCode = (sum(output, 'Skipped') ?? 0) - missing
  const counts = { total, passed, missing, skippedInCode }
  const problem =
    howItEnded(outcome, total) ??
    whatItRan(outcome, counts) ??
    whatItLeftOut(counts, strict)
  const failed = Math.max((total ?? 0) - passed, problem === null ? 0 : 1)
  return { passed, failed, skips, skippedInCode, problem }
}

interface Counts {
  total: number | null
  passed: number
  missing: number
  skippedInCode: number
}

function howItEnded(outcome: Outcome, total: number | null): string | null {
  if (outcome.timedOut) return `timed out after ${Math.round(outcome.seconds)} s`
  if (outcome.signal !== null) return `was killed by ${outcome.signal}`
  if (total === null && outcome.code !== 0) {
    return `ended with exit code ${outcome.code} before its tests were done`
  }
  return null
}

function whatItRan({ code }: Outcome, counts: Counts): string | null {
  const { total, passed, missing, skippedInCode } = counts
  if ((total ?? 0) + missing + skippedInCode === 0) {
    return 'ran no test: does it end with test.run()?'
  }
  if (code === 0 && passed !== total) return 'did not run every test: a hook threw'
  if (code !== 0 && passed === total) return `exited with ${code} though its tests passed`
  return null
}

function whatItLeftOut({ skippedInCode }: Counts, strict: boolean): string | null {
  if (!strict || skippedInCode === 0) return null
  return `leaves out tests by .skip or .only: ${skippedInCode}`
}

/** Adds up one line of uvu's summary, which a file prints once per batch of `run()`s. */
function sum(output: string, label: string): number | null {
  const found = [...output.matchAll(new RegExp(`^ {2}${label}: +(\\d+)$`, 'gm'))]
  if (found.length === 0) return null
  return found.reduce((all, [, count]) => all + Number(count), 0)
}
