import { printable } from '../printable.ts'
import type { Io } from '../verb.ts'
import type { Level, Mend } from './check.ts'
import type { Diagnosis } from './examine.ts'

const headings: readonly [keyof Mend, string][] = [
  ['nginx', 'nginx'],
  ['caddy', 'Caddy'],
  ['cloudflare', 'Cloudflare'],
  ['carcosa', 'Carcosa'],
]

/** One finding for a person to read: what is wrong, what shows it, and the lines that mend it. */
export function printFinding({ check, finding }: Diagnosis, { stdout }: Io): void {
  const { level, code, message, sent, got, mend } = finding
  const isFine = level === 'ok' || level === 'skipped'
  const text = isFine ? message : `${code}: ${message}`
  const lines = [`${level.padEnd(8)} ${check.padEnd(11)} ${text}`]
  if (!isFine) {
    if (sent) lines.push(detail('sent', sent))
    if (got) lines.push(detail('came back', got))
    for (const [name, heading] of headings) {
      const line = mend?.[name]
      if (line) lines.push(detail(heading, line))
    }
  }
  stdout.write(`${lines.map(printable).join('\n')}\n`)
}

function detail(heading: string, text: string): string {
  return `${' '.repeat(9)}${heading.padEnd(11)} ${text}`
}

/** How many of each level there are, e.g. `24 findings: 23 ok, 1 broken`. */
export function summaryOf(diagnoses: readonly Diagnosis[]): string {
  const levels: readonly Level[] = ['ok', 'warning', 'broken', 'skipped']
  const counts = levels.map((level) => `${countOf(diagnoses, level)} ${level}`)
  return counts.filter((count) => !count.startsWith('0 ')).join(', ')
}

export function countOf(diagnoses: readonly Diagnosis[], level: Level): number {
  return diagnoses.filter(({ finding }) => finding.level === level).length
}
