/** What src/jobs/queue.ts promises, on both databases. */
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Database } from '../../src/db/database.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openDatabase } from '../../src/db/open.ts'
import { jobNames, jobPolicies } from '../../src/jobs/definitions.ts'
import { createQueue, type Jobs } from '../../src/jobs/queue.ts'
import { CarcosaError } from '../../src/shared/errors.ts'
import { silentLogger } from '../../src/shared/logger.ts'
import { postgres } from '../support/postgres.ts'

interface Context {
  database: Database
  queue: Jobs
}

const server = await postgres()

for (const [title, location] of [
  ['PGlite', 'memory://'],
  ['Postgres', server.url],
] as const) {
  const jobs = suite<Context>(`jobs on ${title}`)

  jobs.before(async (context) => {
    context.database = await openDatabase(location)
    await migrate(context.database)
  })

  jobs.before.each(async (context) => {
    context.queue = createQueue(context.database)
    await context.queue.start()
    await context.database.executeSql('DELETE FROM carcosa_jobs.job')
  })

  jobs.after.each(({ queue }) => queue.stop())
  jobs.after(({ database }) => database.close())

  jobs('runs a job with its payload, once', async ({ database, queue }) => {
    const seen: unknown[] = []
    await queue.enqueue(null, 'upload.digest', { fileId: 'a' })
    await queue.work('upload.digest', async (data, { attempt }) => {
      seen.push([data, attempt])
    })
    await until(async () => (await statesOf(database))[0] === 'completed')
    assert.equal(seen, [[{ fileId: 'a' }, 1]])
  })

  jobs('makes the job with the transaction', async ({ database, queue }) => {
    await database.transaction(async (tx) => {
      await queue.enqueue(tx, 'file.purge', { fileId: 'a' })
      await queue.enqueue(tx, 'upload.digest', { fileId: 'a' })
    })
    assert.is((await statesOf(database)).length, 2)
  })

  jobs('makes no job when the transaction rolls back', async ({ database, queue }) => {
    const undone = database.transaction(async (tx) => {
      await queue.enqueue(tx, 'file.purge', { fileId: 'a' })
      throw new Error('no')
    })
    await undone.catch(() => undefined)
    assert.equal(await statesOf(database), [])
  })

  jobs('enqueues in one round trip, the first time too', async ({ database, queue }) => {
    for (const name of jobNames) {
      await database.transaction(async (tx) => {
        const statements: string[] = []
        const counting = {
          query: <Row>(
            statement: Parameters<typeof tx.query>[0],
            values?: readonly unknown[],
          ) => {
            statements.push(statement.name)
            return tx.query<Row>(statement, values)
          },
        }
        const payload = { fileId: 'a' } as never
        const started = performance.now()
        await queue.enqueue(counting, name, payload)
        assert.equal(statements, [`enqueue ${name}`])
        assert.ok(performance.now() - started < 2000, 'it waited for its own connection')
      })
    }
  })

  jobs(
    'adds jobs inside of the statement that is their reason',
    async ({ database, queue }) => {
      const source = `SELECT jsonb_build_object('fileId', id) AS data,
      CASE id WHEN 'later' THEN interval '1 hour' END AS start_after FROM done`
      const sql = `WITH done AS (SELECT unnest($1::text[]) AS id),
      job AS (${queue.enqueueSql('upload.digest', source)})
      SELECT id FROM done`
      const rows = await database.query({ name: 'with jobs', sql }, [
        ['a', 'later', "o'x"],
      ])
      assert.is(rows.length, 3)
      await database.query({ name: 'with jobs', sql }, [[]])

      const { rows: found } = await database.executeSql(
        `SELECT data->>'fileId' AS id, start_after > now() + interval '59 min' AS later
       FROM carcosa_jobs.job ORDER BY 1`,
      )
      assert.equal(found, [
        { id: 'a', later: false },
        { id: 'later', later: true },
        { id: "o'x", later: false },
      ])
      const seen: string[] = []
      await queue.work('upload.digest', async ({ fileId }) => void seen.push(fileId))
      await until(async () => seen.length === 2)
      assert.equal(seen.sort(), ['a', "o'x"])
    },
  )

  jobs('waits before it runs a job for later', async ({ database, queue }) => {
    const { retryLimit, retryDelay } = jobPolicies['file.purge']
    await queue.enqueue(null, 'file.purge', { fileId: 'a' }, { startAfterMs: 90_000 })
    const { rows } = await database.executeSql(
      `SELECT round(extract(epoch FROM start_after - created_on))::int AS wait,
              retry_limit AS "limit", retry_delay AS delay, retry_backoff AS backoff
       FROM carcosa_jobs.job`,
    )
    assert.equal(rows, [
      { wait: 90, limit: retryLimit, delay: retryDelay, backoff: true },
    ])
  })

  jobs('runs a failed job again, and tells the attempt', async ({ database, queue }) => {
    await queue.enqueue(null, 'upload.digest', { fileId: 'a' })
    const attempts: number[] = []
    await queue.work('upload.digest', async (_, { attempt }) => {
      attempts.push(attempt)
      if (attempt === 1) throw new Error('the first always fails')
    })
    await until(async () => (await statesOf(database))[0] === 'retry')
    // The delay of the policy is longer than a test may take.
    await database.executeSql('UPDATE carcosa_jobs.job SET start_after = now()')
    await until(async () => (await statesOf(database))[0] === 'completed')
    assert.equal(attempts, [1, 2])
  })

  jobs('lets other jobs succeed beside one that fails', async ({ database, queue }) => {
    for (const fileId of ['good', 'bad', 'fine']) {
      await queue.enqueue(null, 'file.purge', { fileId })
    }
    await queue.work('file.purge', async ({ fileId }) => {
      if (fileId === 'bad') throw new Error('no')
    })
    await until(
      async () =>
        !(await statesOf(database)).some((state) => /created|active/.test(state)),
    )
    assert.equal((await statesOf(database)).sort(), ['completed', 'completed', 'retry'])
  })

  jobs('keeps at most one exclusive job', async ({ database, queue }) => {
    await queue.enqueue(null, 'uploads.sweep', {})
    await queue.enqueue(null, 'uploads.sweep', {})
    assert.equal(await statesOf(database), ['created'])
  })

  jobs(
    'makes the sweep and the reconciling by itself, by the clock',
    async ({ database }) => {
      const { rows } = await database.executeSql(
        'SELECT name, cron FROM carcosa_jobs.schedule ORDER BY name',
      )
      assert.equal(rows, [
        { name: 'stores.reconcile', cron: '23 3 * * *' },
        { name: 'uploads.sweep', cron: '* * * * *' },
      ])
    },
  )

  jobs('waits for running jobs when it stops', async ({ database, queue }) => {
    let finished = false
    await queue.enqueue(null, 'upload.digest', { fileId: 'a' })
    await queue.work('upload.digest', async () => {
      await sleep(700)
      finished = true
    })
    await until(async () => (await statesOf(database))[0] === 'active')
    await queue.stop()
    assert.ok(finished)
    assert.equal(await statesOf(database), ['completed'])
  })

  jobs(
    'gives up on a running job after a while, which then runs again',
    async (context) => {
      const { database, queue } = context
      let aborted = false
      await queue.enqueue(null, 'upload.digest', { fileId: 'a' })
      await queue.work('upload.digest', async (_, { signal }) => {
        signal.addEventListener('abort', () => {
          aborted = true
        })
        await sleep(4000)
      })
      await until(async () => (await statesOf(database))[0] === 'active')
      const started = performance.now()
      await queue.stop(1000)
      assert.ok(performance.now() - started < 3000)
      assert.ok(aborted)
      assert.equal(await statesOf(database), ['retry'])
    },
  )

  jobs('updates its queues when a policy has changed', async ({ database, queue }) => {
    await queue.stop()
    await database.executeSql(
      `UPDATE carcosa_jobs.queue SET retry_limit = 1 WHERE name = 'upload.digest'`,
    )
    const next = createQueue(database)
    await next.start()
    const { rows } = await database.executeSql(
      `SELECT retry_limit AS "limit" FROM carcosa_jobs.queue WHERE name = 'upload.digest'`,
    )
    assert.equal(rows, [{ limit: jobPolicies['upload.digest'].retryLimit }])
    await next.stop()
  })

  jobs('says so when it is used before it is started', async ({ database }) => {
    const early = createQueue(database)
    const error = await early
      .enqueue(null, 'file.purge', { fileId: 'a' })
      .catch((error: unknown) => error)
    assert.instance(error, TypeError)
    await early.stop()
  })

  jobs.run()
}

const starting = suite('jobs starting')

starting('may happen in several processes at once on an empty database', async () => {
  for (let round = 0; round < 4; round++) {
    const empty = await postgres()
    const databases = await Promise.all([1, 2, 3].map(() => openDatabase(empty.url)))
    const queues = databases.map((database) => ({
      database,
      queue: createQueue(database),
    }))
    const started = await Promise.allSettled(
      queues.map(async ({ database, queue }) => {
        await migrate(database)
        await queue.start()
      }),
    )
    await Promise.all(queues.map(({ queue }) => queue.stop()))
    await Promise.all(databases.map((database) => database.close()))
    await empty.drop()
    for (const outcome of started) assert.is(outcome.status, 'fulfilled', String(outcome))
  }
})

starting('says what to do when the user may not create the schema', async () => {
  const own = await postgres()
  const admin = await openDatabase(own.url)
  await admin.executeSql(`CREATE ROLE jobless LOGIN PASSWORD 'pw'`)
  const url = Object.assign(new URL(own.url), { username: 'jobless', password: 'pw' })
  const database = await openDatabase(url.href)
  const error = await createQueue(database, { log: silentLogger })
    .start()
    .catch((error: unknown) => error)
  assert.instance(error, CarcosaError)
  assert.is((error as CarcosaError).code, 'CONFIG_INVALID')
  assert.match(
    (error as CarcosaError).message,
    'CREATE SCHEMA carcosa_jobs AUTHORIZATION "jobless"',
  )

  await admin.executeSql('CREATE SCHEMA carcosa_jobs AUTHORIZATION jobless')
  const queue = createQueue(database)
  await queue.start()
  await queue.stop()
  await database.close()
  await admin.executeSql('DROP OWNED BY jobless CASCADE; DROP ROLE jobless')
  await admin.close()
  await own.drop()
})

starting.after(() => server.drop())
starting.run()

/** The states of all jobs of ours, oldest first. */
async function statesOf(database: Database): Promise<string[]> {
  const { rows } = await database.executeSql(
    `SELECT state::text AS state FROM carcosa_jobs.job WHERE name NOT LIKE '\\_\\_%'
     ORDER BY created_on, id`,
  )
  return rows.map(({ state }) => String(state))
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('It did not happen within 20 s.')
    await sleep(50)
  }
}
