import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from './api.ts'
import { quietMachine } from './meter.ts'
import { freePort, type ServerProcess, startServer } from './server-process.ts'
import type { Variant } from './variants.ts'

/** One measurement: figure name → value. */
export type Figures = Record<string, number>

/** Variant name → its measurements, one per round. */
export type Samples = Record<string, Figures[]>

/** A started variant. */
export interface Subject {
  readonly variant: Variant
  readonly process: ServerProcess
  readonly api: Api
}

/** What is measured, and of whom. */
export interface Experiment {
  variants: readonly Variant[]
  rounds: number
  /** `round`: every round starts new processes. `run`: one process each for all rounds. */
  processesPer: 'round' | 'run'
  /** Every process is measured again after this long without a request; 0 leaves it out. */
  idleSeconds: number
  /** How long each measurement waits for a quiet machine. */
  patienceSeconds: number
  /** Below this directory each process gets one of its own. */
  directory: string
  /** Flags of Node for every server. */
  flags: readonly string[]
  /** Done once per process before it is measured. */
  prepare(subject: Subject): Promise<void>
  measure(subject: Subject): Promise<Figures>
  /** Done once per process after its last measurement; throws on a wrong result. */
  check(subject: Subject): Promise<void>
}

/** The measurements of processes that were busy until now, and of those that idled. */
export interface Results {
  busy: Samples
  /** Empty where `idleSeconds` is 0. */
  idle: Samples
}

/**
 * Runs the rounds: A B C, then B C A, and so on, so that the machine's drift and the place
 * in the order meet every variant alike. Servers that wait for their turn are idle.
 */
export async function run(experiment: Experiment): Promise<Results> {
  const results: Results = { busy: {}, idle: {} }
  let subjects: Subject[] = []
  for (let round = 0; round < experiment.rounds; round++) {
    const begins = round === 0 || experiment.processesPer === 'round'
    if (begins) subjects = await start(experiment, round)
    const order = rotate(subjects, round)
    await measureAll(experiment, order, results.busy)
    if (experiment.idleSeconds > 0) {
      await sleep(experiment.idleSeconds * 1000)
      await measureAll(experiment, order, results.idle)
    }
    const ends = round === experiment.rounds - 1 || experiment.processesPer === 'round'
    if (ends) await finish(experiment, subjects, round)
  }
  return results
}

/** Starts one variant in `directory`, which is made; its output goes to a file beside it. */
export async function startSubject(
  variant: Variant,
  directory: string,
  flags: readonly string[],
): Promise<Subject> {
  mkdirSync(directory, { recursive: true })
  const port = await freePort()
  const args = [...flags, ...variant.flags, ...variant.command(directory, port)]
  const process = await startServer(args, port, directory)
  return { variant, process, api: variant.api(directory, port) }
}

async function start(experiment: Experiment, round: number): Promise<Subject[]> {
  const { flags, variants } = experiment
  const subjects = await Promise.all(
    variants.map((variant) =>
      startSubject(variant, home(experiment, variant, round), flags),
    ),
  )
  for (const subject of subjects) await experiment.prepare(subject)
  return subjects
}

async function measureAll(experiment: Experiment, order: Subject[], samples: Samples) {
  for (const subject of order) {
    await settledMachine(experiment.patienceSeconds)
    const figures = await experiment.measure(subject)
    samples[subject.variant.name] = [...(samples[subject.variant.name] ?? []), figures]
  }
}

/** As {@link quietMachine}, with nothing left to write: the next one would wait for that disk. */
export async function settledMachine(patienceSeconds: number): Promise<void> {
  execFileSync('sync')
  await quietMachine(patienceSeconds)
}

async function finish(experiment: Experiment, subjects: Subject[], round: number) {
  for (const subject of subjects) {
    await experiment.check(subject).catch((cause: Error) => {
      throw new Error(`${subject.variant.name}: ${cause.message}`, { cause })
    })
  }
  for (const subject of subjects) await subject.process.stop()
  // Where processes live for one round their files are few and large. Thousands of small
  // ones must stay: ext4 is slow to create a file where many were just deleted.
  if (experiment.processesPer === 'run') return
  for (const { variant } of subjects) {
    rmSync(home(experiment, variant, round), { recursive: true, force: true })
  }
}

function home(experiment: Experiment, variant: Variant, round: number): string {
  return join(experiment.directory, `${round}-${variant.name.replaceAll(/\W+/g, '-')}`)
}

function rotate<T>(items: readonly T[], by: number): T[] {
  const start = by % items.length
  return [...items.slice(start), ...items.slice(0, start)]
}
