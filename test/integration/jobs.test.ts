/** What src/jobs/queue.ts promises, on both databases. */
import { setTimeout as sleep } from 'node:timers/promises'
import { PgBoss } from 'pg-boss'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Database } from '../../src/db/database.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openDatabase } from '../../src/db/open.ts'
import { type JobName, jobNames, jobPolicies } from '../../src/jobs/definitions.ts'
import { bossOptions } from '../../src/jobs/options.ts'
import { createQueue, type Jobs } from '../../src/jobs/queue.ts'
import { countJobs, listJobs } from '../../src/jobs/records.ts'
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
      await queue.enqueue(tx, 'file.mirror', { fileId: 'a' })
      await queue.enqueue(tx, 'upload.digest', { fileId: 'a' })
    })
    assert.is((await statesOf(database)).length, 2)
  })

  jobs('makes no job when the transaction rolls back', async ({ database, queue }) => {
    const undone = database.transaction(async (tx) => {
      await queue.enqueue(tx, 'file.mirror', { fileId: 'a' })
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
    const { retryLimit, retryDelay } = jobPolicies['file.mirror']
    await queue.enqueue(null, 'file.mirror', { fileId: 'a' }, { startAfterMs: 90_000 })
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
      await queue.enqueue(null, 'file.mirror', { fileId })
    }
    await queue.work('file.mirror', async ({ fileId }) => {
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
    'makes what has to be done again and again by itself, by the clock',
    async ({ database }) => {
      const { rows } = await database.executeSql(
        'SELECT name, cron FROM carcosa_jobs.schedule ORDER BY name',
      )
      assert.equal(rows, [
        { name: 'logs.expire', cron: '41 * * * *' },
        { name: 'stores.reconcile', cron: '23 3 * * *' },
        { name: 'uploads.sweep', cron: '* * * * *' },
        { name: 'usage.recount', cron: '41 2 * * *' },
        { name: 'usage.rollup', cron: '*/15 * * * *' },
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

  jobs('gives back what did not end: another takes it at once', async (context) => {
    const { database, queue } = context
    for (const fileId of ['done', 'stuck']) {
      await queue.enqueue(null, 'upload.complete', { fileId })
    }
    const seen: unknown[] = []
    await queue.work('upload.complete', async ({ fileId }, { attempt }) => {
      seen.push([fileId, attempt])
      if (fileId === 'stuck') await sleep(5_000)
    })
    await until(async () => seen.length === 2)
    await queue.stop(500)
    // No try is used up: a process that stops says nothing about the job.
    const { rows } = await database.executeSql(
      `SELECT retry_limit - retry_count AS left, start_after <= now() AS now
       FROM carcosa_jobs.job WHERE data->>'fileId' = 'stuck'`,
    )
    const { retryLimit } = jobPolicies['upload.complete']
    assert.equal(rows, [{ left: retryLimit, now: true }])
    assert.equal(
      (await listJobs(database)).map(({ data, state }) => [data.fileId, state]),
      [['stuck', 'waiting']],
    )

    const again: unknown[] = []
    context.queue = createQueue(database)
    await context.queue.start()
    await context.queue.work('upload.complete', async ({ fileId }) => {
      again.push(fileId)
    })
    await until(async () => (await statesOf(database)).join() === 'completed,completed')
    assert.equal(again, ['stuck'])
  })

  jobs('keeps a job whose tries are used up, and tells of it once', async (context) => {
    const { database } = context
    await context.queue.stop()
    const told: [string, unknown][] = []
    const log = {
      ...silentLogger,
      error: (fields: object, text: string) => void told.push([text, fields]),
    }
    context.queue = createQueue(database, { log })
    await context.queue.start()
    const other = createQueue(database, { log })
    await other.start()
    const id = await lastTry(context, 'upload.complete', 'a')
    await context.queue.work('upload.complete', async () => {
      throw new CarcosaError('STORAGE_UNAVAILABLE', { message: 'the bucket is gone' })
    })
    await until(async () => told.length > 0)
    await other.stop()
    await context.queue.stop()
    const [record, ...others] = await listJobs(database)
    assert.equal(others, [])
    assert.is(told.length, 1)
    assert.match(told[0]?.[0] ?? '', /a job is dead.*carcosa jobs list/)
    assert.equal(told[0]?.[1], {
      id: record?.id,
      job: 'upload.complete',
      attempts: jobPolicies['upload.complete'].retryLimit + 1,
      data: { fileId: 'a' },
      error: 'the bucket is gone',
    })
    assert.is.not(record?.id, id)
    const { state, queue, lastError, nextAt, data, diedAt } = record ?? {}
    assert.equal(
      { state, queue, lastError, nextAt, data },
      {
        state: 'dead',
        queue: 'upload.complete',
        lastError: 'the bucket is gone',
        nextAt: null,
        data: { fileId: 'a' },
      },
    )
    assert.instance(diedAt, Date)
    const { rows } = await database.executeSql(
      `SELECT round(extract(epoch FROM keep_until - now()) / 86400)::int AS days
       FROM carcosa_jobs.job WHERE name = 'dead'`,
    )
    assert.equal(rows, [{ days: 30 }])
    const counts = await countJobs(database)
    assert.equal(Object.keys(counts), [...jobNames])
    assert.equal(counts['upload.complete'], {
      waiting: 0,
      running: 0,
      failed: 0,
      dead: 1,
    })
  })

  jobs('tells of a job that died with its processes', async (context) => {
    const { database, queue } = context
    await queue.stop()
    const id = await lastTry(context, 'file.mirror', 'a')
    // What pg-boss does to a job whose process was killed at its last try.
    await database.executeSql(
      `UPDATE carcosa_jobs.job SET state = 'active', started_on = now(),
         heartbeat_on = now() - interval '5 min' WHERE id = '${id}'`,
    )
    const boss = new PgBoss(bossOptions(database, false))
    await boss.start()
    await boss.supervise('file.mirror')
    await boss.stop({ close: false })
    assert.is((await countJobs(database))['file.mirror'].dead, 1)

    const told: string[] = []
    const log = { ...silentLogger, error: (_: object, text: string) => told.push(text) }
    context.queue = createQueue(database, { log })
    await context.queue.start()
    await until(async () => told.length > 0)
    assert.is(told.length, 1)
  })

  jobs('puts dead jobs back, and hastens failed ones', async (context) => {
    const { database, queue } = context
    const failing = await lastTry(context, 'upload.complete', 'a')
    await lastTry(context, 'upload.digest', 'b')
    await queue.enqueue(null, 'upload.digest', { fileId: 'c' })
    let broken = true
    const done: string[] = []
    const handler = async ({ fileId }: { fileId: string }) => {
      if (broken) throw new Error('no')
      done.push(fileId)
    }
    await queue.work('upload.complete', handler)
    await queue.work('upload.digest', handler)
    const states = async () =>
      (await listJobs(database))
        .map(({ queue, state, data }) => `${queue} ${data.fileId} ${state}`)
        .sort()
    const allFailed = [
      'upload.complete a dead',
      'upload.digest b dead',
      'upload.digest c failed',
    ]
    await until(async () => String(await states()) === String(allFailed))
    assert.is((await listJobs(database, { state: 'dead' })).length, 2)
    assert.is((await listJobs(database, { queue: 'upload.digest' })).length, 2)
    assert.is((await listJobs(database, { limit: 1 })).length, 1)
    broken = false

    assert.is(await queue.retry({ all: true, queue: 'upload.digest' }), 2)
    assert.is(await queue.retry({ all: true, queue: 'upload.digest' }), 0)
    // By the id that the log told of it.
    assert.is(await queue.retry({ ids: [failing] }), 1)
    assert.is(await queue.retry({ ids: [failing] }), 0)
    assert.is(await queue.retry({ ids: ['00000000-0000-4000-8000-000000000000'] }), 0)
    assert.is(await queue.retry({ ids: [] }), 0)
    await until(async () => done.length === 3)
    assert.equal(done.sort(), ['a', 'b', 'c'])
    await until(async () => (await states()).length === 0)
  })

  jobs('says what a queue, a state and an id may be', async ({ database, queue }) => {
    for (const [work, code, pattern] of [
      [
        () => listJobs(database, { queue: 'upload.compelte' }),
        'QUEUE_UNKNOWN',
        /Did you mean upload\.complete\? Queues are upload\.complete, /,
      ],
      [() => listJobs(database, { queue: 'dead' }), 'QUEUE_UNKNOWN', /Queues are/],
      [
        () => listJobs(database, { state: 'lost' }),
        'BAD_REQUEST',
        /waiting, running, failed, dead/,
      ],
      [() => listJobs(database, { limit: 0 }), 'BAD_REQUEST', /1 to 1000/],
      [() => queue.retry({ ids: ['x'] }), 'BAD_REQUEST', /not the id of a job/],
      [() => queue.retry({ all: true, queue: 'x' }), 'QUEUE_UNKNOWN', /Queues are/],
    ] as const) {
      const error = await (async () => await work())().catch((error: unknown) => error)
      assert.is((error as CarcosaError).code, code)
      assert.match((error as CarcosaError).message, pattern)
    }
  })

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
      .enqueue(null, 'file.mirror', { fileId: 'a' })
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

starting('in several processes at once makes the jobs of the clock once', async () => {
  const own = await postgres()
  const admin = await openDatabase(own.url)
  await migrate(admin)
  const databases = await Promise.all([1, 2, 3, 4].map(() => openDatabase(own.url)))
  const queues = databases.map((database) => createQueue(database))
  for (const queue of queues) await queue.start()
  let swept = 0
  for (const queue of queues) {
    await queue.work('uploads.sweep', async () => {
      swept++
    })
  }
  // As if nobody had looked at the clock since before the last full minute.
  const { rows } = await admin.executeSql(
    `UPDATE carcosa_jobs.version SET cron_on = date_trunc('minute', now()) - interval '20 s'
     RETURNING cron_on`,
  )
  assert.is(rows.length, 1)
  for (const queue of queues) await queue.stop()
  const again = databases.map((database) => createQueue(database))
  await Promise.all(again.map((queue) => queue.start()))
  for (const queue of again) {
    await queue.work('uploads.sweep', async () => {
      swept++
    })
  }
  const minutes = async () => {
    const { rows } = await admin.executeSql(
      `SELECT date_trunc('minute', created_on)::text AS minute, count(*)::int AS jobs
       FROM carcosa_jobs.job WHERE name = 'uploads.sweep' GROUP BY 1`,
    )
    return rows
  }
  await until(async () => (await minutes()).length > 0 && swept > 0, 70_000)
  // Longer than any of them waits before it looks again.
  await sleep(5_000)
  const made = await minutes()
  assert.is(swept, made.length)
  for (const { jobs } of made) assert.is(jobs, 1)
  await Promise.all(again.map((queue) => queue.stop()))
  await Promise.all([admin, ...databases].map((database) => database.close()))
  await own.drop()
})

starting.after(() => server.drop())
starting.run()

/** Adds a job that has one try left; returns its id. */
async function lastTry({ database, queue }: Context, name: JobName, fileId: string) {
  await queue.enqueue(null, name, { fileId } as never)
  const { rows } = await database.executeSql(
    `UPDATE carcosa_jobs.job SET retry_count = retry_limit
     WHERE data->>'fileId' = '${fileId}' RETURNING id`,
  )
  return String(rows[0]?.id)
}

/** The states of all jobs of ours, oldest first. */
async function statesOf(database: Database): Promise<string[]> {
  const { rows } = await database.executeSql(
    `SELECT state::text AS state FROM carcosa_jobs.job WHERE name NOT LIKE '\\_\\_%'
     ORDER BY created_on, id`,
  )
  return rows.map(({ state }) => String(state))
}

async function until(condition: () => Promise<boolean>, ms = 20_000): Promise<void> {
  const deadline = performance.now() + ms
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new Error(`It did not happen within ${ms} ms.`)
    await sleep(50)
  }
}
