/** One process at a time in the directory of an embedded database. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { acquireLock } from '../../src/db/embedded-lock.ts'
import { openDatabase } from '../../src/db/open.ts'
import { CarcosaError } from '../../src/shared/errors.ts'

const root = await mkdtemp(join(tmpdir(), 'carcosa-lock-'))
const brief = { heartbeat: 50, silence: 300 }
let count = 0
const lock = suite<{ directory: string }>('db/embedded-lock')

lock.before.each(async (context) => {
  context.directory = join(root, String(count++))
  await mkdir(context.directory)
})

lock.after(() => rm(root, { recursive: true, force: true }))

lock(
  'keeps a second process out, naming the first and what to do',
  async ({ directory }) => {
    const first = await openInChild(directory)
    const error = await codeOf(openDatabase(directory))
    assert.is(error.code, 'DATABASE_LOCKED')
    assert.match(error.message, `process ${first.pid} on ${hostname()}, started 20`)
    assert.match(error.message, directory)
    assert.match(error.message, /Stop it first, or use Postgres/)
    await kill(first)
  },
)

lock('opens right after the first process was killed', async ({ directory }) => {
  await kill(await openInChild(directory))
  const database = await openDatabase(directory)
  await database.close()
  assert.equal((await readdir(directory)).filter(isLock), [])
})

lock('says so when this very process has the directory open', async ({ directory }) => {
  const held = await acquireLock(directory)
  const error = await codeOf(acquireLock(directory))
  assert.match(error.message, 'this process')
  await held.release()
})

lock('is free again after release', async ({ directory }) => {
  for (let round = 0; round < 3; round++) await (await acquireLock(directory)).release()
  assert.equal(await readdir(directory), [])
})

lock('lets exactly one of many simultaneous starters in', async ({ directory }) => {
  for (let round = 0; round < 20; round++) {
    const attempts = await Promise.allSettled(
      Array.from({ length: 5 }, () => acquireLock(directory, brief)),
    )
    const winners = attempts.filter(({ status }) => status === 'fulfilled')
    assert.is(winners.length, 1)
    for (const attempt of attempts) {
      if (attempt.status === 'fulfilled') await attempt.value.release()
      else assert.is(attempt.reason.code, 'DATABASE_LOCKED')
    }
  }
})

lock(
  'lets exactly one of several starters take over from a dead one',
  async ({ directory }) => {
    await forge(directory, { pid: 2 ** 22 - 1 })
    const children = [1, 2, 3].map(() => start(directory))
    const said = await Promise.all(children.map(firstLine))
    assert.is(said.filter((line) => line === 'open').length, 1, said.join('\n'))
    await Promise.all(children.map(kill))
  },
)

lock(
  'is not fooled by another process that got the pid of the dead one',
  async ({ directory }) => {
    await forge(directory, { pid: process.ppid, processStart: '1' })
    await (await acquireLock(directory, brief)).release()
  },
)

lock('waits for a sign of life from another machine', async ({ directory }) => {
  const file = await forge(directory, { place: 'elsewhere', host: 'elsewhere.test' })
  const beating = setInterval(() => void utimes(file, new Date(), new Date()), 40)
  const error = await codeOf(acquireLock(directory, brief))
  assert.match(error.message, 'elsewhere.test')
  clearInterval(beating)
})

lock(
  'takes over from another machine that shows no sign of life',
  async ({ directory }) => {
    await forge(directory, { place: 'elsewhere', host: 'elsewhere.test' })
    const started = performance.now()
    await (await acquireLock(directory, brief)).release()
    assert.ok(performance.now() - started >= brief.silence)
  },
)

lock('shows its own signs of life', async ({ directory }) => {
  const held = await acquireLock(directory, brief)
  const [name = ''] = (await readdir(directory)).filter(isLock)
  const file = join(directory, name)
  await utimes(file, new Date(0), new Date(0))
  await sleep(200)
  const owner = JSON.parse(await readFile(file, 'utf8'))
  // Read through a file of another name and place, as the other machine would.
  await writeFile(file, JSON.stringify({ ...owner, place: 'elsewhere' }))
  assert.is((await codeOf(acquireLock(directory, brief))).code, 'DATABASE_LOCKED')
  await held.release()
})

lock('stops a holder that another machine took over from', async ({ directory }) => {
  const held = await acquireLock(directory, brief)
  for (const name of await readdir(directory)) await rm(join(directory, name))
  await sleep(200)
  assert.ok(held.lost)
  assert.throws(
    () => held.assertHeld(),
    (error: CarcosaError) => error.code === 'DATABASE_LOCKED',
  )
  await held.release()
})

lock('ignores a lock file that never became whole', async ({ directory }) => {
  await writeFile(join(directory, 'torn.lock'), '{"pid":')
  await (await acquireLock(directory, brief)).release()
  assert.equal(await readdir(directory), [])
})

lock(
  'removes what a process left that was killed while it announced itself',
  async ({ directory }) => {
    const file = join(directory, 'abandoned.lock.new')
    await writeFile(file, '{')
    await utimes(file, new Date(0), new Date(0))
    await (await acquireLock(directory, brief)).release()
    assert.equal(await readdir(directory), [])
  },
)

lock.run()

/** A lock file as another process would have left it; returns its path. */
async function forge(directory: string, owner: object): Promise<string> {
  const held = await acquireLock(directory)
  const [name = ''] = (await readdir(directory)).filter(isLock)
  const written = JSON.parse(await readFile(join(directory, name), 'utf8'))
  await held.release()
  const file = join(directory, 'forged.lock')
  await writeFile(file, JSON.stringify({ ...written, announcedAt: 0, ...owner }))
  return file
}

function isLock(name: string): boolean {
  return name.endsWith('.lock')
}

async function openInChild(directory: string): Promise<ChildProcess> {
  const child = start(directory)
  assert.is(await firstLine(child), 'open')
  return child
}

function start(directory: string): ChildProcess {
  const holder = join(import.meta.dirname, '../support/db/holder.ts')
  const stdio: ['pipe', 'pipe', 'inherit'] = ['pipe', 'pipe', 'inherit']
  return spawn(process.execPath, [holder, directory], { stdio })
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new TypeError('The child has no standard output.')
  const [line] = await once(child.stdout, 'data')
  return String(line).trim()
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

async function codeOf(attempt: Promise<unknown>): Promise<CarcosaError> {
  const error = await attempt.then(
    () => null,
    (error: unknown) => error,
  )
  if (error instanceof CarcosaError) return error
  throw new Error('No CarcosaError was thrown.', { cause: error })
}
