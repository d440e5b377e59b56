import type { Finding } from '../../src/cli/doctor/check.ts'
import { main } from '../../src/cli/main.ts'

/** What `carcosa doctor --json` tells. */
export interface Report {
  to: string
  route: string | null
  findings: (Finding & { check: string })[]
}

export interface Examined {
  code: number
  report: Report
  /** Those that are neither ok nor skipped. */
  wrong: Report['findings']
}

/** Runs `carcosa doctor --json` in this process, with short pauses. */
export async function examine(to: string, ...args: string[]): Promise<Examined> {
  const said = { out: '', err: '' }
  const quick = ['--json', '--pause', '1s', '--max-body', '2MB']
  const code = await main(['doctor', '--to', to, ...quick, ...args], {
    stdout: { write: (text) => (said.out += text) },
    stderr: { write: (text) => (said.err += text) },
    env: {},
    cwd: '/nowhere',
  })
  if (said.err) throw new Error(said.err)
  const report: Report = JSON.parse(said.out)
  const wrong = report.findings.filter(({ level }) => !['ok', 'skipped'].includes(level))
  return { code, report, wrong }
}
