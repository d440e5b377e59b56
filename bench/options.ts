import { tmpdir } from 'node:os'
import { type ParseArgsConfig, parseArgs } from 'node:util'

/** The cases, in the order `--case all` runs them. */
export const caseNames = [
  'large',
  'parallel',
  'mounted',
  'small',
  'head',
  'memory',
  'readers',
  'events',
  's3-large',
  's3-requests',
  's3-small',
  's3-read',
  's3-memory',
  'leases',
  'nodes',
  'lists',
  'auth',
] as const

export type CaseName = (typeof caseNames)[number]

/** What a run was asked for; sizes in bytes. */
export interface Options {
  cases: readonly CaseName[]
  rounds: number
  /** Seconds without a request before the second measurement of each process; 0 for none. */
  idleSeconds: number
  /** How long each measurement waits for a moment in which the machine is quiet. */
  patienceSeconds: number
  /** Tiny sizes: shows that everything works, and that the figures mean nothing. */
  smoke: boolean
  json: boolean
  /** Workspaces are made below this directory. */
  directory: string
  /** A postgres:// URL; null for a server of our own. */
  databaseUrl: string | null
  /** Measure only the variants of these names; a ratio needs both sides. Empty for all. */
  only: readonly string[]
  /** Flags of Node for every server, e.g. `--cpu-prof`. */
  flags: readonly string[]
  sizes: Sizes
}

/** How much each case sends. */
export interface Sizes {
  /** Bytes of the one large upload. */
  large: number
  /** Bytes of each of the eight parallel uploads. */
  parallel: number
  /** Number of small uploads. */
  small: number
  /** Number of HEAD requests. */
  head: number
  /** Number of parallel uploads of the memory cases, and bytes of each. */
  memory: { parallel: number; bytes: number }
  /** Number of clients that read at once, and bytes each of them reads. */
  readers: { parallel: number; bytes: number }
  /** Subscribers, uploads they watch, bytes of each, and events told again. */
  events: { watchers: number; uploads: number; bytes: number; replay: number }
  /** Bytes of the large upload, number of small ones, bytes of the object that is read. */
  s3: { large: number; small: number; read: number }
  /** Number of uploads whose leases are taken. */
  leases: number
  /** Files in the two databases whose lists are compared. */
  lists: { few: number; many: number }
}

export const usage = `Usage: node bench/run.ts [options]

  --case <name>          ${caseNames.join(', ')} or all; may be repeated (all)
  --rounds <n>           rounds of each measurement (5; smoke 1)
  --idle <seconds>       idle time before each process is measured again, 0 for none (60; smoke 0)
  --patience <seconds>   longest wait for a quiet machine before each measurement (20; smoke 0)
  --size <MiB>           size of the large upload (512)
  --memory-size <MiB>    size of each of the 200 parallel uploads (64)
  --dir <directory>      where files go; its disk is what is measured (the system's temp directory)
  --database-url <url>   the Postgres to use (DATABASE_URL; else one is started)
  --only <name>          only the server of this name; may be repeated (all)
  --node-flag=<flag>     a flag of Node for every server; may be repeated
  --smoke                tiny sizes: only shows that every server answers and keeps every byte
  --json                 print every sample as JSON
  --help`

const mib = 2 ** 20

const fullSizes: Sizes = {
  large: 512 * mib,
  parallel: 64 * mib,
  small: 2000,
  head: 8000,
  memory: { parallel: 200, bytes: 64 * mib },
  readers: { parallel: 100, bytes: 32 * mib },
  events: { watchers: 5000, uploads: 100, bytes: 32 * mib, replay: 10_000 },
  s3: { large: 128 * mib, small: 2000, read: 1024 * mib },
  leases: 2000,
  lists: { few: 1_000, many: 1_000_000 },
}

const smokeSizes: Sizes = {
  large: 8 * mib,
  parallel: mib,
  small: 64,
  head: 256,
  memory: { parallel: 16, bytes: mib },
  readers: { parallel: 8, bytes: mib },
  events: { watchers: 100, uploads: 8, bytes: mib, replay: 1_000 },
  s3: { large: 20 * mib, small: 64, read: 16 * mib },
  leases: 64,
  lists: { few: 1_000, many: 4_000 },
}

const flags = {
  case: { type: 'string', multiple: true, default: ['all'] },
  rounds: { type: 'string' },
  idle: { type: 'string' },
  patience: { type: 'string' },
  size: { type: 'string' },
  'memory-size': { type: 'string' },
  dir: { type: 'string' },
  'database-url': { type: 'string' },
  only: { type: 'string', multiple: true, default: [] },
  'node-flag': { type: 'string', multiple: true, default: [] },
  smoke: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} satisfies ParseArgsConfig['options']

/** Reads the command line; `null` when it asks for help. Throws on what it does not know. */
export function readOptions(
  args: string[],
  environment: NodeJS.ProcessEnv,
): Options | null {
  const { values } = parseArgs({ args, options: flags })
  if (values.help) return null
  const smoke = values.smoke
  const sizes = smoke ? smokeSizes : fullSizes
  return {
    cases: readCases(values.case),
    rounds: number(values.rounds, { flag: '--rounds', otherwise: smoke ? 1 : 5 }),
    idleSeconds: number(values.idle, {
      flag: '--idle',
      otherwise: smoke ? 0 : 60,
      least: 0,
    }),
    patienceSeconds: number(values.patience, {
      flag: '--patience',
      otherwise: smoke ? 0 : 20,
      least: 0,
    }),
    smoke,
    json: values.json,
    directory: values.dir ?? tmpdir(),
    databaseUrl: values['database-url'] ?? environment.DATABASE_URL ?? null,
    only: values.only,
    flags: values['node-flag'],
    sizes: {
      ...sizes,
      large: mib * number(values.size, { flag: '--size', otherwise: sizes.large / mib }),
      memory: {
        ...sizes.memory,
        bytes:
          mib *
          number(values['memory-size'], {
            flag: '--memory-size',
            otherwise: sizes.memory.bytes / mib,
          }),
      },
    },
  }
}

function readCases(names: string[]): CaseName[] {
  const known = (name: string): name is CaseName =>
    caseNames.some((each) => each === name)
  const wrong = names.find((name) => name !== 'all' && !known(name))
  if (wrong) throw new TypeError(`There is no case "${wrong}": ${caseNames.join(', ')}`)
  return names.includes('all') ? [...caseNames] : names.filter(known)
}

interface NumberFlag {
  flag: string
  /** What when it is not given. */
  otherwise: number
  least?: number
}

function number(
  text: string | undefined,
  { flag, otherwise, least = 1 }: NumberFlag,
): number {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (Number.isInteger(value) && value >= least) return value
  throw new TypeError(`${flag} takes a whole number from ${least}, not "${text}"`)
}
