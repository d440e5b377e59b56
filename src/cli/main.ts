import { CarcosaError } from '../shared/errors.ts'
import { verb as audit } from './audit.ts'
import { verb as doctor } from './doctor.ts'
import { verb as files } from './files.ts'
import { verb as gc } from './gc.ts'
import { find, verb as help, overview } from './help.ts'
import { verb as jobs } from './jobs.ts'
import { verb as keys } from './keys.ts'
import { verb as migrate } from './migrate.ts'
import { verb as orgs } from './orgs.ts'
import { verb as projects } from './projects.ts'
import { verb as quota } from './quota.ts'
import { verb as reconcile } from './reconcile.ts'
import { verb as routes } from './routes.ts'
import { verb as start } from './start.ts'
import { verb as upload } from './upload.ts'
import { verb as usage } from './usage.ts'
import { verb as users } from './users.ts'
import { type Io, UsageError, type Verb } from './verb.ts'
import { verb as version } from './version.ts'
import { verb as worker } from './worker.ts'

/** Every verb there is, in the order of `carcosa help`. */
export const verbs: readonly Verb[] = [
  start,
  worker,
  upload,
  files,
  jobs,
  keys,
  audit,
  users,
  orgs,
  projects,
  usage,
  quota,
  migrate,
  doctor,
  gc,
  reconcile,
  routes,
  help,
  version,
]

/**
 * Runs the command line `args` (without node and script) and returns the exit code: 0 done,
 * 1 failed, 2 the command line itself is wrong.
 */
export async function main(args: readonly string[], io: Io): Promise<number> {
  try {
    return await run(args, io)
  } catch (error) {
    return report(error, args, io)
  }
}

/** The verb that `args` asks for, if there is one. */
export function verbOf(args: readonly string[]): Verb | undefined {
  return verbs.find((verb) => verb.name === args[0])
}

async function run([name, ...args]: readonly string[], io: Io): Promise<number> {
  if (name === undefined) {
    io.stderr.write(overview(verbs))
    return 2
  }
  if (name === '--version' || name === '-v') return version.run([], io, verbs)
  if (name === '--help' || name === '-h') return help.run([], io, verbs)
  const verb = find(verbs, name)
  return asksForHelp(args) ? help.run([name], io, verbs) : verb.run(args, io, verbs)
}

function asksForHelp(args: string[]): boolean {
  const end = args.indexOf('--')
  const before = end < 0 ? args : args.slice(0, end)
  return before.includes('--help') || before.includes('-h')
}

function report(error: unknown, args: readonly string[], io: Io): number {
  if (error instanceof UsageError) {
    const verb = verbOf(args)
    const more = verb ? `carcosa help ${verb.name}` : 'carcosa help'
    io.stderr.write(`carcosa: ${error.message} See: ${more}\n`)
    return 2
  }
  if (error instanceof CarcosaError && error.code !== 'INTERNAL') {
    io.stderr.write(`carcosa: ${error.code}: ${error.message}\n`)
    return 1
  }
  // A bug of ours: whoever reports it needs the stack.
  const text = error instanceof Error ? error.stack : String(error)
  io.stderr.write(`carcosa: INTERNAL: ${text}\n`)
  return 1
}
