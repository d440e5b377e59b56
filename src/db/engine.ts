import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { PGlite, type Transaction as PgliteTransaction } from '@electric-sql/pglite'
import { CarcosaError } from '../shared/errors.ts'
import { toDatabaseError } from './errors.ts'

/**
 * A PGlite that survives its own death. When Postgres panics (no room for the next piece of
 * its log) the instance never answers again, neither the statement nor those that wait for
 * it. They are told so, and the next one finds a new instance that has recovered.
 */
export interface Engine {
  /** Runs `use` on the instance that is alive. Throws DATABASE_UNAVAILABLE or STORAGE_FULL. */
  run<T>(use: (pglite: Queryable) => Promise<T>): Promise<T>
  transaction<T>(work: (tx: WatchedTransaction) => Promise<T>): Promise<T>
  close(): Promise<void>
}

export type Queryable = Pick<PGlite, 'query' | 'exec'>
export type WatchedTransaction = Queryable & Pick<PgliteTransaction, 'rollback'>

/** Starts on `dataDir`, or in memory, where death is final. */
export async function startEngine(dataDir: string | null): Promise<Engine> {
  if (dataDir !== null) await initialise(dataDir)
  let current = startInstance(dataDir)
  await current

  const alive = async (): Promise<Instance> => {
    for (;;) {
      const seen = current
      const instance = await seen
      if (!instance.dead || dataDir === null) return instance
      // Whoever comes first replaces it, for all who come meanwhile.
      if (current === seen) current = replace(instance, dataDir)
    }
  }
  const replace = (dead: Instance, place: string): Promise<Instance> => {
    const next = startInstance(place)
    next.catch(async () => {
      // Without a pause every caller would try again, on a disk that is still full.
      await sleep(restartPause, undefined, { ref: false })
      if (current === next) current = Promise.resolve(dead)
    })
    return next
  }

  return {
    run: async (use) => {
      const instance = await alive()
      return await instance.guard(() => use(watch(instance.pglite, instance)))
    },
    transaction: async (work) => {
      const instance = await alive()
      return await instance.guard(() =>
        instance.pglite.transaction((tx) =>
          work({ ...watch(tx, instance), rollback: () => tx.rollback() }),
        ),
      )
    },
    close: async () => {
      const instance = await current.catch(() => null)
      if (instance && !instance.dead) await instance.pglite.close()
    },
  }
}

/**
 * Makes the files of a new database under another name first: PGlite writes them one by one
 * and takes what a killed process left of them for a database.
 */
async function initialise(dataDir: string): Promise<void> {
  if (existsSync(dataDir)) return
  const unfinished = `${dataDir}.new`
  await rm(unfinished, { recursive: true, force: true })
  const pglite = await startPglite(unfinished)
  await pglite.close()
  await rename(unfinished, dataDir)
}

const restartPause = 3_000

interface Instance {
  readonly pglite: PGlite
  readonly dead: boolean
  /** Rejects when the instance dies while `work` waits for it. */
  guard<T>(work: () => Promise<T>): Promise<T>
  /** Takes note of an error; some are the last words. */
  heard(error: unknown): void
}

async function startInstance(dataDir: string | null): Promise<Instance> {
  const pglite = await startPglite(dataDir)
  const waiting = new Set<(reason: unknown) => void>()
  let death: CarcosaError | undefined
  return {
    pglite,
    get dead() {
      return death !== undefined
    },
    guard: (work) =>
      new Promise((resolve, reject) => {
        if (death) return reject(death)
        waiting.add(reject)
        work()
          .then(resolve, reject)
          .finally(() => waiting.delete(reject))
      }),
    heard: (error) => {
      if (death || !isFatal(error)) return
      death = deathBy(error)
      for (const reject of waiting) reject(death)
    },
  }
}

async function startPglite(dataDir: string | null): Promise<PGlite> {
  const starting = PGlite.create({
    dataDir: dataDir ?? 'memory://',
    startParams: [...PGlite.defaultStartParams, ...settings],
  })
  // Recovery on a full disk can panic, too, which looks like this.
  const tooLong = sleep(60_000, undefined, { ref: false }).then(() => {
    throw new Error('It did not start within a minute.')
  })
  try {
    const pglite = await Promise.race([starting, tooLong])
    // Prisma's adapter reads timestamps as if the session were in UTC.
    await pglite.exec("SET TIME ZONE 'UTC'")
    return pglite
  } catch (error) {
    throw new CarcosaError('DATABASE_UNAVAILABLE', {
      message:
        `The embedded database in ${dataDir ?? 'memory'} cannot be opened. Is there room on ` +
        'the disk? If it was damaged, restore a backup or move the directory away.',
      headers: { 'Retry-After': '5' },
      cause: error,
    })
  }
}

/** One connection needs little: Postgres' own defaults cost another 130 MiB of memory. */
const settings = [
  'shared_buffers=16MB',
  'max_connections=5',
  'min_wal_size=32MB',
  'max_wal_size=64MB',
].flatMap((setting) => ['-c', setting])

function watch(db: Queryable, instance: Instance): Queryable {
  const heard = (error: unknown): never => {
    instance.heard(error)
    throw toDatabaseError(error)
  }
  return {
    query: (sql, values, options) => db.query<never>(sql, values, options).catch(heard),
    exec: (sql, options) => db.exec(sql, options).catch(heard),
  }
}

/** PANIC and FATAL end a Postgres session; a trap or an exit ends the WebAssembly. */
function isFatal(error: unknown): boolean {
  const { severity, name } = error as { severity?: string; name?: string }
  return (
    severity === 'PANIC' ||
    severity === 'FATAL' ||
    name === 'ExitStatus' ||
    error instanceof WebAssembly.RuntimeError
  )
}

function deathBy(error: unknown): CarcosaError {
  const known = toDatabaseError(error)
  if (known instanceof CarcosaError) return known
  return new CarcosaError('DATABASE_UNAVAILABLE', {
    message: 'The embedded database had to stop. Try again.',
    headers: { 'Retry-After': '1' },
    cause: error,
  })
}
