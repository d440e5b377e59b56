/** A database that goes away for a while must cost nobody more than a while. */
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Database } from '../../src/db/database.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openDatabase } from '../../src/db/open.ts'
import { createQueue } from '../../src/jobs/queue.ts'
import { CarcosaError } from '../../src/shared/errors.ts'
import { silentLogger } from '../../src/shared/logger.ts'
import { type Line, proxy } from '../support/db/proxy.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'

interface Context {
  server: TestDatabase
  line: Line
  database: Database
  lost: Error[]
}

const blip = suite<Context>('a database that goes away')

blip.before.each(async (context) => {
  context.server = await postgres()
  context.line = await proxy(context.server.url)
  context.lost = []
  context.database = await openDatabase(context.line.url, {
    poolSize: 3,
    connectTimeout: 1000,
    queryTimeout: 500,
    onBackgroundError: (error) => context.lost.push(error),
  })
  await migrate(context.database)
})

blip.after.each(async ({ database, line, server }) => {
  await database.close()
  line.close()
  await server.drop()
})

const ways: [title: string, use: (database: Database) => Promise<unknown>][] = [
  ['a statement', (database) => database.query(one)],
  ['a script', (database) => database.executeSql('SELECT 1')],
  ['a transaction', (database) => database.transaction((tx) => tx.query(one))],
  ['Prisma', (database) => database.prisma.project.count()],
  [
    "Prisma's transaction",
    (database) => database.prisma.$transaction([database.prisma.project.count()]),
  ],
]

for (const [title, use] of ways) {
  blip(
    `answers ${title} with 503 and works again afterwards`,
    async ({ database, line }) => {
      await use(database)
      line.cut()
      await sleep(50)
      const error = await codeOf(use(database))
      assert.is(error.code, 'DATABASE_UNAVAILABLE')
      assert.is(error.headers['Retry-After'], '1')
      await line.restore()
      await use(database)
    },
  )
}

for (const [title, use] of [
  ['a statement', (database) => database.query(slow)],
  ['a transaction', (database) => database.transaction((tx) => tx.query(slow))],
  ['Prisma', (database) => database.prisma.$queryRaw`SELECT pg_sleep(0.4)::text`],
] satisfies typeof ways) {
  blip(`answers ${title} that was under way with 503`, async ({ database, line }) => {
    const running = codeOf(use(database))
    await sleep(100)
    line.cut()
    assert.is((await running).code, 'DATABASE_UNAVAILABLE')
    await line.restore()
    assert.is((await database.query(one)).length, 1)
  })
}

blip(
  'survives connections that break while nobody uses them',
  async ({ database, line, lost }) => {
    await Promise.all([1, 2, 3].map(() => database.query(one)))
    line.cut()
    await sleep(100)
    assert.ok(lost.length > 0)
    await line.restore()
    await database.query(one)
  },
)

blip('survives a server that ends all sessions', async ({ database, server }) => {
  const running = codeOf(database.query(slow))
  await sleep(100)
  const admin = await openDatabase(server.url)
  await admin.executeSql(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  )
  await admin.close()
  assert.is((await running).code, 'DATABASE_UNAVAILABLE')
  assert.is((await database.query(one)).length, 1)
})

blip(
  'gives up on a line that has gone silent, and on that connection',
  async (context) => {
    const { database, line } = context
    await database.query(one)
    line.freeze()
    assert.is((await codeOf(database.query(one))).code, 'DATABASE_UNAVAILABLE')
    const inTransaction = database.transaction((tx) => tx.query(one))
    assert.is((await codeOf(inTransaction)).code, 'DATABASE_UNAVAILABLE')
    line.cut()
    await line.restore()
    assert.is((await database.query(one)).length, 1)
  },
)

blip('makes callers wait for a busy pool only so long', async ({ database }) => {
  const held = [1, 2, 3].map(() => database.transaction(() => sleep(1500)))
  const error = await codeOf(database.query(one))
  assert.is(error.code, 'DATABASE_UNAVAILABLE')
  await Promise.all(held)
  assert.is((await database.query(one)).length, 1)
})

blip('does not stop the job queue for good', async ({ database, line }) => {
  const errors: unknown[] = []
  const log = { ...silentLogger, error: (fields: object) => errors.push(fields) }
  const jobs = createQueue(database, { log })
  await jobs.start()
  const done: string[] = []
  await jobs.work('upload.digest', async ({ fileId }) => void done.push(fileId))
  line.cut()
  const failed = await codeOf(jobs.enqueue(null, 'upload.digest', { fileId: 'lost' }))
  assert.is(failed.code, 'DATABASE_UNAVAILABLE')
  await sleep(2500)
  await line.restore()
  await jobs.enqueue(null, 'upload.digest', { fileId: 'kept' })
  for (let waited = 0; done.length === 0 && waited < 100; waited++) await sleep(100)
  assert.equal(done, ['kept'])
  assert.ok(errors.length > 0)
  await jobs.stop()
})

blip.run()

const one = { name: 'one', sql: 'SELECT 1 AS one' }
const slow = { name: 'slow', sql: 'SELECT pg_sleep(0.4)' }

async function codeOf(attempt: Promise<unknown>): Promise<CarcosaError> {
  const error = await attempt.then(
    () => null,
    (error: unknown) => error,
  )
  if (error instanceof CarcosaError) return error
  throw new Error('No CarcosaError was thrown.', { cause: error })
}
