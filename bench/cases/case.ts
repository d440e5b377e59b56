import type { Options } from '../options.ts'
import type { Experiment } from '../support/experiment.ts'
import type { Postgres } from '../support/postgres.ts'
import type { CaseReport } from '../support/report.ts'
import type { Variant } from '../support/variants.ts'
import type { Phases } from '../support/verdict.ts'
import type { Workspace } from '../support/workspace.ts'

/** One case: measures and reports. Throws when a server answers wrongly or loses a byte. */
export type Case = (bench: Bench) => Promise<CaseReport[]>

/** What every case is given. */
export interface Bench {
  options: Options
  workspace: Workspace
  /** The Postgres server of this run, started by the first case that asks. */
  postgres(): Promise<Postgres>
}

/** What the experiments of all cases have in common. */
export function common(
  { options, workspace }: Bench,
  name: string,
  variants: readonly Variant[],
): Omit<Experiment, 'processesPer' | 'prepare' | 'measure' | 'check'> {
  const wanted = variants.filter(
    ({ name, extra }) => isWanted(options, name) && !(options.smoke && extra),
  )
  if (wanted.length === 0) throw new TypeError(`--only leaves nothing of ${name}`)
  return {
    variants: wanted,
    rounds: options.rounds,
    idleSeconds: options.idleSeconds,
    patienceSeconds: options.patienceSeconds,
    directory: `${workspace.directory}/${name}`,
    flags: options.flags,
  }
}

/** Whether the variant `name` is to be measured. */
export function isWanted({ only }: Options, name: string): boolean {
  return only.length === 0 || only.includes(name)
}

/** The first measurement's name as given, the second's by the idle time. */
export function phasesOf({ options }: Bench, busy: string): Phases {
  return { busy, idle: `idle for ${options.idleSeconds} s` }
}

/** The columns of a case that moves bytes. */
export const transferColumns = [
  { figure: 'throughput', title: 'MiB/s', range: true },
  { figure: 'cpu', title: 'server CPU s', digits: 2 },
  { figure: 'before', title: 'RSS before, MiB' },
  { figure: 'peak', title: 'peak RSS, MiB' },
  { figure: 'client', title: 'client CPU s', digits: 2 },
  { figure: 'others', title: 'other cores', digits: 2 },
]

/** The columns of a case that sends many small requests. */
export const loadColumns = [
  { figure: 'rate', title: 'per second', range: true },
  { figure: 'p50', title: 'p50 ms', digits: 2 },
  { figure: 'p99', title: 'p99 ms', digits: 2 },
  { figure: 'cpu', title: 'server CPU µs each' },
  { figure: 'databaseCpu', title: 'Postgres CPU µs each' },
  { figure: 'peak', title: 'peak RSS, MiB' },
  { figure: 'client', title: 'client CPU µs each' },
  { figure: 'others', title: 'other cores', digits: 2 },
]
