import type { Patient } from './patient.ts'

/** `broken`: uploads or downloads fail, or lose what they promise; `warning`: they suffer. */
export type Level = 'ok' | 'warning' | 'broken' | 'skipped'

/** What one check found. */
export interface Finding {
  readonly level: Level
  /** Stable, for programs: OK, SKIPPED, or what is wrong, e.g. BODY_LIMIT. */
  readonly code: string
  /** What it means, in a sentence. */
  readonly message: string
  /** The request that showed it. */
  readonly sent?: string
  /** The answer to it. */
  readonly got?: string
  /** What to write where. */
  readonly mend?: Mend
}

/** The lines that mend something, by where they belong. */
export interface Mend {
  readonly nginx?: string
  readonly caddy?: string
  readonly cloudflare?: string
  /** Not the proxy's fault, or not only: a setting or flag of ours. */
  readonly carcosa?: string
}

/** One thing a proxy can break: one file of checks/, one line in checks.ts. */
export interface Check {
  /** As the file is called. */
  readonly name: string
  /** Checks that must not have found anything broken; else this one says nothing. */
  readonly needs: readonly string[]
  /**
   * Looks at one thing. May throw Broken, and NoAnswer where it has nothing better to say.
   * What it creates by `create` of tus.ts is deleted for it.
   */
  run(patient: Patient): Promise<Finding | readonly Finding[]>
}

/** Ends a check with its finding. */
export class Broken extends Error {
  override readonly name = 'Broken'
  readonly finding: Finding

  constructor(finding: Omit<Finding, 'level'>, level: Level = 'broken') {
    super(finding.message)
    this.finding = { level, ...finding }
  }
}

export function ok(message: string): Finding {
  return { level: 'ok', code: 'OK', message }
}

export function skipped(message: string): Finding {
  return { level: 'skipped', code: 'SKIPPED', message }
}
