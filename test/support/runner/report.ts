import type { Outcome } from './run-file.ts'
import type { Verdict } from './verdict.ts'

/** One test file that was run. */
export interface Result {
  /** Relative to the root of the project. */
  path: string
  outcome: Outcome
  verdict: Verdict
}

export interface Totals {
  passed: number
  failed: number
  skipped: number
}

/** The line printed when a file is done. */
export function progressLine({ path, outcome, verdict }: Result): string {
  const mark = verdict.failed > 0 ? '✘' : '•'
  const seconds = `${outcome.seconds.toFixed(1)} s`
  return `${mark} ${path}  ${verdict.passed} passed${failures(verdict)}  ${seconds}`
}

/** Everything printed at the end; its last line is the totals. */
export function summary(results: readonly Result[]): string {
  const { passed, failed, skipped } = totals(results)
  return [
    ...results.filter(({ verdict }) => verdict.failed > 0).map(failure),
    ...slowest(results),
    ...skipLines(results),
    '',
    `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
  ].join('\n')
}

/** Counts tests over all files. */
export function totals(results: readonly Result[]): Totals {
  const all = { passed: 0, failed: 0, skipped: 0 }
  for (const { verdict } of results) {
    all.passed += verdict.passed
    all.failed += verdict.failed
    all.skipped += verdict.skippedInCode
    for (const skip of verdict.skips) all.skipped += skip.tests
  }
  return all
}

function failures({ failed, problem }: Verdict): string {
  return `${failed > 0 ? `, ${failed} failed` : ''}${problem ? ` (${problem})` : ''}`
}

function failure({ path, outcome, verdict }: Result): string {
  const title = verdict.problem ? `${path} ${verdict.problem}` : path
  return `\n${'─'.repeat(80)}\n✘ ${title}\n\n${outcome.output.trimEnd()}`
}

function slowest(results: readonly Result[]): string[] {
  const slow = results
    .filter(({ outcome }) => outcome.seconds >= 2)
    .sort((a, b) => b.outcome.seconds - a.outcome.seconds)
    .slice(0, 5)
    .map(({ path, outcome }) => `  ${outcome.seconds.toFixed(1).padStart(6)} s  ${path}`)
  return slow.length > 0 ? ['', 'Slowest files:', ...slow] : []
}

/** One line per missing part: `skipped: ffmpeg (3 tests): install with …`. */
function skipLines(results: readonly Result[]): string[] {
  const parts = new Map<string, { tests: number; hint: string }>()
  for (const { part, tests, hint } of results.flatMap(({ verdict }) => verdict.skips)) {
    parts.set(part, { tests: tests + (parts.get(part)?.tests ?? 0), hint })
  }
  const missing = [...parts].map(([part, { tests, hint }]) => skipLine(part, tests, hint))
  const inCode = results
    .filter(({ verdict }) => verdict.skippedInCode > 0)
    .map(({ path, verdict }) => skipLine(path, verdict.skippedInCode, '.skip or .only'))
  const lines = [...missing, ...inCode]
  return lines.length > 0 ? ['', ...lines] : []
}

function skipLine(what: string, tests: number, why: string): string {
  return `skipped: ${what} (${tests} ${tests === 1 ? 'test' : 'tests'}): ${why}`
}
