import type { Results, Samples } from './experiment.ts'
import { extremes, median } from './statistics.ts'
import type { Phases, Target, Verdict } from './verdict.ts'

/** A column of a table: one figure of every variant. */
export interface Column {
  figure: string
  title: string
  digits?: number
  /** Also show the smallest and largest value. */
  range?: boolean
}

/** What a case found. */
export interface CaseReport {
  name: string
  /** What was measured, with the sizes of this run. */
  title: string
  /** How the two tables are called. */
  phases: Phases
  columns: readonly Column[]
  results: Results
  verdicts: readonly Verdict[]
  /** Lines to print below: what else was found. */
  notes: readonly string[]
}

/** The report as text for a terminal or, being Markdown tables, for the README. */
export function toText(report: CaseReport): string {
  const { busy, idle } = report.results
  const tables = [table(report, report.phases.busy, busy)]
  if (Object.keys(idle).length > 0) tables.push(table(report, report.phases.idle, idle))
  const lines = report.verdicts.map(verdictLine)
  const notes = report.notes.map((note) => `- ${note}`)
  return [`## ${report.title}`, ...tables, lines.join('\n'), notes.join('\n')]
    .filter((part) => part !== '')
    .join('\n\n')
}

function table(report: CaseReport, phase: string, samples: Samples): string {
  const header = [phase, ...report.columns.map((column) => column.title)]
  const rows = Object.entries(samples).map(([variant, rounds]) => [
    variant,
    ...report.columns.map((column) => cell(column, rounds)),
  ])
  const widths = header.map((_, index) =>
    Math.max(...[header, ...rows].map((row) => row[index]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text, index) => pad(text, widths[index] ?? 0, index)).join(' | ')} |`
  const rule = `|${widths.map((width, index) => '-'.repeat(width + 1) + (index ? ':' : '-')).join('|')}|`
  return [line(header), rule, ...rows.map(line)].join('\n')
}

function pad(text: string, width: number, index: number): string {
  return index === 0 ? text.padEnd(width) : text.padStart(width)
}

function cell(column: Column, rounds: Samples[string]): string {
  const values = rounds.map((figures) => figures[column.figure] ?? Number.NaN)
  const digits = column.digits ?? 0
  const middle = median(values)
  if (Number.isNaN(middle)) return '–'
  if (!column.range) return middle.toFixed(digits)
  return `${middle.toFixed(digits)} (${extremes(values)
    .map((value) => value.toFixed(digits))
    .join('–')})`
}

function verdictLine(verdict: Verdict): string {
  const { title, value, range, unit, target, reached } = verdict
  const within = range ? ` (${range.map((end) => end.toFixed(2)).join('–')})` : ''
  const measured = `${title}: ${value.toFixed(2)} ${unit}${within}`
  if (!target) return `- ${measured}`
  const outcome = { true: 'reached', false: 'MISSED', null: 'not judged' }[`${reached}`]
  return `- ${measured}; target ${limit(target)}: ${outcome}`
}

function limit(target: Target): string {
  return 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`
}
