/**
 * Keeps a second process out of the directory of an embedded database: two Postgres on the
 * same files destroy them.
 *
 * Every contender writes a file of its own name, then looks at the others. Whoever finds
 * another one alive does not go on; files of the dead are deleted. Since names are never used
 * twice, deleting one can never hit a lock that somebody took in the meantime, which is what
 * goes wrong when several starters replace one stale lock file.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CarcosaError } from '../shared/errors.ts'
import { directoryError } from './errors.ts'

export interface EmbeddedLock {
  /** Another process took the directory over: nothing may be written any more. */
  readonly lost: boolean
  /** Throws DATABASE_LOCKED if it is lost. */
  assertHeld(): void
  release(): Promise<void>
}

/** Times in milliseconds; tests shorten them. */
export interface LockTiming {
  /** How often the holder shows that it is alive. Default 5,000. */
  heartbeat: number
  /** How long a holder on another machine must be silent to count as dead. Default 20,000. */
  silence: number
}

/**
 * Takes `directory` for this process. Throws DATABASE_LOCKED naming the process that has it.
 *
 * On the same machine a dead holder is recognised at once, by its pid and start time. One on
 * another machine, or in another container, is watched for `silence` ms first.
 */
export async function acquireLock(
  directory: string,
  timing: LockTiming = { heartbeat: 5_000, silence: 20_000 },
): Promise<EmbeddedLock> {
  for (let attempt = 1; ; attempt++) {
    const own = await announce(directory)
    const rival = await outlast(directory, own, timing)
    if (rival === null) return hold(own.file, directory, timing)
    await rm(own.file, { force: true })
    if (isSettled(rival) || attempt === 5) throw lockedBy(rival.owner, directory)
    await sleep(Math.random() * 100 * attempt)
  }
}

interface Contender {
  file: string
  owner: Owner
}

/**
 * Null once nobody else is there. Of several that start together the first stays until the
 * others have withdrawn; the rival is returned to those that must.
 */
async function outlast(
  directory: string,
  own: Contender,
  timing: LockTiming,
): Promise<Contender | null> {
  for (;;) {
    const rival = await findRival(directory, own.file, timing)
    if (rival === null || isSettled(rival) || order(rival) < order(own)) return rival
    await sleep(20)
  }
}

/** Whether it is there too long to be one that will withdraw. */
function isSettled({ owner }: Contender): boolean {
  return Math.abs(Date.now() - owner.announcedAt) > 2_000
}

function order({ owner, file }: Contender): string {
  return `${String(owner.announcedAt).padStart(16, '0')} ${file}`
}

/** What a lock file says about its owner. */
interface Owner {
  pid: number
  host: string
  startedAt: string
  /** When the file was written, in milliseconds since the epoch. */
  announcedAt: number
  /** When the process began, in kernel ticks: tells it from a later one of the same pid. */
  processStart: string | null
  /** Which kernel and which pid namespace the pid belongs to; null where unknown. */
  place: string | null
}

const suffix = '.lock'

async function announce(directory: string): Promise<Contender> {
  const file = join(directory, `${randomUUID()}${suffix}`)
  const owner: Owner = {
    pid: process.pid,
    host: hostname(),
    startedAt: new Date(Date.now() - process.uptime() * 1000).toISOString(),
    announcedAt: Date.now(),
    processStart: processStart(process.pid),
    place: place(),
  }
  try {
    await writeFile(`${file}.new`, JSON.stringify(owner))
    await rename(`${file}.new`, file)
  } catch (error) {
    throw directoryError(directory, error)
  }
  return { file, owner }
}

/** Another one that is alive, or null; deletes the files of dead ones. */
async function findRival(
  directory: string,
  own: string,
  timing: LockTiming,
): Promise<Contender | null> {
  for (const name of await readdir(directory)) {
    const file = join(directory, name)
    if (name.endsWith(`${suffix}.new`)) await removeAbandoned(file)
    if (file === own || !name.endsWith(suffix)) continue
    const owner = await readOwner(file)
    if (owner === null) continue
    if (await isAlive(file, owner, timing)) return { file, owner }
    await rm(file, { force: true })
  }
  return null
}

/** What a process leaves that was killed between the two steps of announcing itself. */
async function removeAbandoned(file: string): Promise<void> {
  const written = await lastBeat(file)
  if (written !== null && Date.now() - written > 10_000) await rm(file, { force: true })
}

/** Null if the file has gone, or never became whole (a crash of the machine). */
async function readOwner(file: string): Promise<Owner | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Owner
  } catch (error) {
    if (error instanceof SyntaxError) await rm(file, { force: true })
    return null
  }
}

async function isAlive(file: string, owner: Owner, timing: LockTiming): Promise<boolean> {
  const here = place()
  const sameMachine = here === null ? owner.host === hostname() : owner.place === here
  if (sameMachine) {
    if (!pidExists(owner.pid)) return false
    const start = processStart(owner.pid)
    if (start !== null) return start === owner.processStart
    // No /proc (macOS, Windows), or one that hides other users' processes.
  }
  return await showsLife(file, timing)
}

/** Whether the heartbeat of `file` moves within the time of silence. */
async function showsLife(file: string, timing: LockTiming): Promise<boolean> {
  const before = await lastBeat(file)
  const deadline = Date.now() + timing.silence
  while (Date.now() < deadline) {
    await sleep(Math.min(timing.heartbeat, 500))
    const now = await lastBeat(file)
    if (now === null) return false
    if (now !== before) return true
  }
  return false
}

async function lastBeat(file: string): Promise<number | null> {
  try {
    return (await stat(file)).mtimeMs
  } catch {
    return null
  }
}

function hold(file: string, directory: string, { heartbeat }: LockTiming): EmbeddedLock {
  let lost = false
  const beat = async () => {
    const now = new Date()
    try {
      await utimes(file, now, now)
    } catch (error) {
      // Deleted by a process that took us for dead, for example while this one was
      // suspended. Writing on would destroy what the other writes.
      if ((error as { code?: string }).code === 'ENOENT') lost = true
    }
  }
  const timer = setInterval(() => void beat(), heartbeat)
  timer.unref()
  return {
    get lost() {
      return lost
    },
    assertHeld: () => {
      if (lost) throw lockLost(directory)
    },
    release: async () => {
      clearInterval(timer)
      await rm(file, { force: true })
    },
  }
}

function lockedBy(owner: Owner, directory: string): CarcosaError {
  const who =
    owner.pid === process.pid && owner.place === place()
      ? `this process (${owner.pid}), which has opened it already`
      : `process ${owner.pid} on ${owner.host}, started ${owner.startedAt}`
  return new CarcosaError('DATABASE_LOCKED', {
    message:
      `The embedded database in ${directory} is in use by ${who}. ` +
      'Stop it first, or use Postgres (a postgres:// URL) to share one database.',
    details: { pid: owner.pid, host: owner.host, startedAt: owner.startedAt },
  })
}

function lockLost(directory: string): CarcosaError {
  return new CarcosaError('DATABASE_LOCKED', {
    message:
      `Another process took over the embedded database in ${directory} while this one ` +
      'was not responding. Restart this process when the other has stopped.',
  })
}

function place(): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return null
  }
}

/** Field 22 of /proc/<pid>/stat; `zombie` for what runs no more, null if it cannot be read. */
function processStart(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in parentheses and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? 'zombie' : (fields[19] ?? null)
  } catch {
    return null
  }
}

function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM'
  }
}
