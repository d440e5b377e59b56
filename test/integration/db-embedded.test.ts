/** What a Postgres server's other processes do, and the embedded database has to. */
import { execFileSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Database } from '../../src/db/database.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openDatabase } from '../../src/db/open.ts'
import { CarcosaError } from '../../src/shared/errors.ts'
import { requires } from '../support/requirements.ts'

const root = await mkdtemp(join(tmpdir(), 'carcosa-embedded-'))

const upkeep = suite('the upkeep of the embedded database')

upkeep('keeps its log and its tables small under steady writing', async () => {
  const directory = join(root, 'upkeep')
  const errors: unknown[] = []
  const database = await openDatabase(directory, {
    upkeepInterval: 200,
    onBackgroundError: (error) => errors.push(error),
  })
  await migrate(database)
  await insertEvents(database, 500)
  for (let round = 0; round < 150; round++) {
    await rewriteEvents(database)
    await sleep(10)
  }
  await sleep(500)
  const segments = await readdir(join(directory, 'postgres/pg_wal'))
  const { rows } = await database.executeSql(
    `SELECT pg_current_wal_lsn() - '0/0' AS written,
            pg_relation_size('carcosa.event')::int8 AS size,
            (SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'event') AS dead`,
  )
  const [row] = rows as { written: string; size: number; dead: number }[]
  await database.close()
  assert.equal(errors, [])
  assert.ok(
    Number(row?.written) > 150 * 2 ** 20,
    'too little was written to show anything',
  )
  assert.ok(segments.length < 9, `${segments.length} segments of 16 MiB`)
  assert.ok(Number(row?.size) < 30 * 2 ** 20, `${row?.size} bytes`)
})

upkeep.after(() => rm(root, { recursive: true, force: true }))
upkeep.run()

interface Context {
  mount: string
  database: Database
}

const full = requires('tmpfs', suite<Context>('the embedded database on a full disk'))

full.before.each(async (context) => {
  context.mount = await mkdtemp(join(tmpdir(), 'carcosa-full-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=80m', 'tmpfs', context.mount])
  context.database = await openDatabase(join(context.mount, 'db'), {
    upkeepInterval: 3600_000,
  })
  await migrate(context.database)
})

full.after.each(async ({ mount, database }) => {
  await database.close()
  execFileSync('umount', ['-l', mount])
  await rm(mount, { recursive: true, force: true })
})

full(
  'says that the disk is full when a table cannot grow, and goes on later',
  async (context) => {
    const { mount, database } = context
    await fill(mount)
    for (const attempt of [
      () => insertEvents(database, 2000),
      () => database.transaction((tx) => insertEvents(tx, 2000)),
      () =>
        database.prisma.$transaction([database.prisma.$executeRawUnsafe(events(2000))]),
    ]) {
      const error = await codeOf(attempt())
      assert.is(error.code, 'STORAGE_FULL')
      assert.is(error.status, 507)
    }
    assert.is(await database.prisma.event.count(), 0)
    await makeRoom(mount)
    await insertEvents(database, 2000)
    assert.is(await database.prisma.event.count(), 2000)
  },
)

for (const [title, write] of [
  ['a script', rewriteEvents],
  ['a transaction', (database: Database) => database.transaction(rewriteEvents)],
  ['Prisma', (database: Database) => database.prisma.$executeRawUnsafe(rewrite)],
  [
    "Prisma's transaction",
    (database: Database) =>
      database.prisma.$transaction((tx) => tx.$executeRawUnsafe(rewrite)),
  ],
] as const) {
  full(
    `comes back after its log could not grow under ${title}`,
    async ({ mount, database }) => {
      await insertEvents(database, 20)
      await rewriteEvents(database)
      await fill(mount)
      const error = await codeOf(writeUntilItFails(() => write(database)))
      assert.is(error.code, 'STORAGE_FULL')
      const waiting = await Promise.allSettled(
        [1, 2, 3].map(() => database.executeSql('SELECT 1')),
      )
      for (const outcome of waiting) {
        if (outcome.status === 'rejected') assert.instance(outcome.reason, CarcosaError)
      }
      await makeRoom(mount)
      await untilItWorks(() => rewriteEvents(database))
      assert.is(await database.prisma.event.count(), 20)
    },
  )
}

full.run()

function events(count: number): string {
  return `INSERT INTO carcosa.event (project_id, type, data)
    SELECT 'default', 'x', jsonb_build_object('f', repeat('x', 500))
    FROM generate_series(1, ${count})`
}

/** Text that no compression makes smaller, so that the log grows by all of it. */
const rewrite = `UPDATE carcosa.event SET data = jsonb_build_object('f',
  (SELECT string_agg(md5(random()::text || g || seq), '') FROM generate_series(1, 45) g))`

async function insertEvents(db: Pick<Database, 'executeSql'>, count: number) {
  await db.executeSql(events(count))
}

async function rewriteEvents(db: Pick<Database, 'executeSql'>) {
  await db.executeSql(rewrite)
}

async function fill(mount: string): Promise<void> {
  const block = Buffer.alloc(64 * 1024)
  try {
    for (;;) appendFileSync(join(mount, 'filler'), block)
  } catch (error) {
    assert.is((error as { code?: string }).code, 'ENOSPC')
  }
}

async function makeRoom(mount: string): Promise<void> {
  await rm(join(mount, 'filler'))
}

async function writeUntilItFails(write: () => Promise<unknown>): Promise<void> {
  for (let round = 0; round < 20_000; round++) await write()
}

async function untilItWorks(attempt: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries++) {
    const error = await attempt().then(
      () => null,
      (error: unknown) => error,
    )
    if (error === null) return
    assert.instance(error, CarcosaError)
    if (tries === 30) throw error
    await sleep(500)
  }
}

async function codeOf(attempt: Promise<unknown>): Promise<CarcosaError> {
  const error = await attempt.then(
    () => null,
    (error: unknown) => error,
  )
  if (error instanceof CarcosaError) return error
  throw new Error('No CarcosaError was thrown.', { cause: error })
}
