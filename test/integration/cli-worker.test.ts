/** `carcosa worker` beside `carcosa start --no-worker`, and `carcosa jobs` over both. */
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Database } from '../../src/db/database.ts'
import { openDatabase } from '../../src/db/open.ts'
import { jobNames } from '../../src/jobs/definitions.ts'
import {
  type Command,
  command,
  directory,
  type RunningServer,
  run,
  startServer,
} from '../support/command.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'
import { eventually } from '../support/raw-http.ts'

interface Context {
  database: TestDatabase
  db: Database
  cwd: string
  server: RunningServer
}

// Filled by the hooks below before any test runs.
const test = suite('carcosa worker', {} as Context)

const root = join(import.meta.dirname, '../..')
const hello = '/uploads/demo'

/** The callback fails in the server; a worker writes who it is, and waits while `hold` is there. */
function configSource(cwd: string): string {
  return `
    import { appendFileSync, existsSync } from 'node:fs'
    import { createRouter, defineConfig, route } from '${root}/src/index.ts'
    export default defineConfig({
      router: createRouter({
        demo: route({ blob: { maxFileSize: '1MB', acl: 'public-read' } })
          .public()
          .onUploadComplete(async ({ file }) => {
            if (!process.argv.includes('worker')) throw new Error('not in the server')
            appendFileSync('${cwd}/ran', process.pid + '\\n')
            while (existsSync('${cwd}/hold')) await new Promise((go) => setTimeout(go, 20))
            return file.size
          }),
      }),
      worker: false,
    })`
}

test.before.each(async (context) => {
  context.database = await postgres()
  context.db = await openDatabase(context.database.url)
  context.cwd = directory()
  const { cwd, database } = context
  writeFileSync(join(cwd, 'carcosa.config.ts'), configSource(cwd))
  context.server = await startServer(['--database', database.url], { cwd })
})
test.after.each(async ({ server, db, database, cwd }) => {
  rmSync(join(cwd, 'hold'), { force: true })
  await server.stop()
  await db.close()
  await database.drop()
})

test('runs the jobs of servers that run none', async (context) => {
  const upload = await uploaded(context)
  const worker = await startWorker(context)
  const { state, serverData } = await outcome(upload)
  assert.equal([state, serverData], ['ready', 5])
  assert.equal(ran(context), [String(worker.child.pid)])
  const { code, out, err } = await stop(worker)
  assert.is(code, 0, err)
  assert.match(out, /^Carcosa is working on all jobs\n {2}database {4}Postgres, /)
})

test('runs only the jobs it is told to', async (context) => {
  const upload = await uploaded(context)
  const other = await startWorker(context, ['--queues', 'file.mirror, uploads.sweep'])
  const { out } = await jobs(context, 'counts', '--json')
  assert.is(JSON.parse(out)['upload.complete'].waiting, 1)
  const own = await startWorker(context, ['--queues', 'upload.complete'])
  await outcome(upload)
  assert.equal(ran(context), [String(own.child.pid)])
  const ends = await Promise.all([stop(other), stop(own)])
  assert.match(ends[0].out, 'working on file.mirror, uploads.sweep\n')
})

test('shares the jobs with others: each is done once', async (context) => {
  const uploads: string[] = []
  while (uploads.length < 30) uploads.push(await uploaded(context))
  const workers = await Promise.all([startWorker(context), startWorker(context)])
  for (const upload of uploads) await outcome(upload)
  assert.is(ran(context).length, 30)
  await Promise.all(workers.map(stop))
})

test('waits for running jobs when it is stopped', async (context) => {
  appendFileSync(join(context.cwd, 'hold'), '')
  const upload = await uploaded(context)
  const worker = await startWorker(context)
  await eventually(
    async () => ran(context).length,
    (count) => count === 1,
  )
  const ended = stop(worker)
  await worker.printed(/Stopping/)
  rmSync(join(context.cwd, 'hold'))
  assert.is((await ended).code, 0)
  assert.is((await outcome(upload)).state, 'ready')
})

test('gives back what does not end in time, and another one does it', async (context) => {
  appendFileSync(join(context.cwd, 'hold'), '')
  const upload = await uploaded(context)
  const worker = await startWorker(context, ['--shutdown-timeout', '2s'])
  await eventually(
    async () => ran(context).length,
    (count) => count === 1,
  )
  const before = Date.now()
  const { code, err } = await stop(worker)
  assert.ok(Date.now() - before < 2_300, `it took ${Date.now() - before} ms`)
  assert.is(code, 0, err)
  assert.match(err, 'gives back jobs')

  rmSync(join(context.cwd, 'hold'))
  // The claim of the process that ended runs out by itself.
  await context.db.executeSql('UPDATE carcosa.file SET claimed_until = NULL')
  const next = await startWorker(context)
  assert.is((await outcome(upload)).state, 'ready')
  assert.is(ran(context).length, 2)
  await stop(next)
})

test('stops at once at a second signal', async (context) => {
  appendFileSync(join(context.cwd, 'hold'), '')
  await uploaded(context)
  const worker = await startWorker(context, ['--shutdown-timeout', '1m'])
  await eventually(
    async () => ran(context).length,
    (count) => count === 1,
  )
  worker.child.kill('SIGTERM')
  await worker.printed(/Stopping/)
  // Within a second the two count as one: npm passes on what the terminal sent to all.
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  assert.is((await stop(worker)).code, 143)
})

test('says which queues there are, and that it needs Postgres', async ({ cwd }) => {
  const url = 'postgres://127.0.0.1:1/none'
  const unknown = await run(['worker', '--queues', 'upload.done', '--database', url], {
    cwd,
  })
  assert.is(unknown.code, 1)
  assert.match(unknown.err, 'carcosa: QUEUE_UNKNOWN: There is no queue "upload.done".')
  for (const name of jobNames) assert.match(unknown.err, name)

  const embedded = await run(['worker'])
  assert.is(embedded.code, 1)
  assert.match(
    embedded.err,
    /^carcosa: CONFIG_INVALID: A worker needs Postgres: .*--database/,
  )
  assert.is(embedded.out, '')
})

test('a server without jobs on the embedded database says that nobody runs them', async () => {
  const alone = await startServer(['--no-worker'])
  const { err } = await alone.stop()
  assert.match(err, 'Nobody runs jobs')
})

test('carcosa jobs shows what is not done and puts dead jobs back', async (context) => {
  const upload = await uploaded(context)
  const id = upload.split('/').at(-1) ?? ''
  assert.match((await jobs(context, 'list', '--state', 'dead')).out, /^No jobs\.\n$/)
  const listed = (await jobs(context, 'list')).out.trimEnd().split('\n')
  assert.match(listed[0] ?? '', /^ID +QUEUE +STATE +TRIES +CREATED +PAYLOAD +LAST ERROR$/)
  assert.match(
    listed.at(-1) ?? '',
    new RegExp(`upload\\.complete +waiting +0 +20\\S+Z +fileId=${id} +-$`),
  )

  await dies(context)
  const { out } = await jobs(context, 'list', '--json', '--state', 'dead', '--limit', '5')
  const [job] = JSON.parse(out)
  assert.equal(
    { ...job, id: '', createdAt: '', diedAt: '' },
    {
      ...{ id: '', queue: 'upload.complete', state: 'dead', attempts: 181 },
      ...{ createdAt: '', nextAt: null, diedAt: '', lastError: 'it went wrong' },
      data: { fileId: id },
    },
  )
  assert.match((await jobs(context, 'counts')).out, /\nupload\.complete +0 +0 +0 +1\n/)
  const all = ['retry', '--all', '--queue', 'upload.complete']
  assert.is((await jobs(context, ...all)).out, '1 job put back.\n')
  assert.is((await jobs(context, ...all)).out, '0 jobs put back.\n')
  await dies(context)
  const [again] = JSON.parse((await jobs(context, 'list', '--json')).out)
  assert.is((await jobs(context, 'retry', again.id)).out, '1 job put back.\n')
  assert.is((await jobs(context, 'retry', again.id)).out, '0 jobs put back.\n')
  const worker = await startWorker(context)
  assert.is((await outcome(upload)).state, 'ready')
  await stop(worker)
})

const wrong: [args: string[], code: number, said: RegExp][] = [
  [[], 2, /Jobs\? There are: list, retry, counts\./],
  [['lsit'], 2, /There is no "jobs lsit"\. Did you mean list\?/],
  [['retry'], 2, /Name the jobs by their ids, or say --all/],
  [['retry', '--all', 'x'], 2, /Name the jobs by their ids, or say --all/],
  [['retry', 'x', '--queue', 'file.mirror'], 2, /--queue goes with --all/],
  [['list', '--limit', 'many'], 2, /--limit is a whole number/],
  [['retry', 'x'], 1, /BAD_REQUEST: "x" is not the id of a job/],
  [['list', '--queue', 'x'], 1, /QUEUE_UNKNOWN: .*upload\.complete/],
  [['list', '--state', 'x'], 1, /BAD_REQUEST: .*waiting, running, failed, dead/],
]

test('carcosa jobs says what is wrong with a command line', async (context) => {
  for (const [args, code, said] of wrong) {
    const outcome = await jobs(context, ...args)
    assert.is(outcome.code, code, args.join(' '))
    assert.match(outcome.err, said)
  }
})

test.run()

/** A file whose callback failed in the server, and whose job is due. */
async function uploaded({ server, db }: Context): Promise<string> {
  const created = await fetch(server.url + hello, {
    method: 'POST',
    headers: {
      'tus-resumable': '1.0.0',
      'upload-length': '5',
      'content-type': 'application/offset+octet-stream',
    },
    body: 'hello',
  })
  assert.is(created.status, 201)
  const upload = new URL(created.headers.get('location') ?? '', server.url).href
  const id = upload.split('/').at(-1)
  await eventually(
    async () => {
      const { rows } = await db.executeSql(
        `SELECT claimed_until FROM carcosa.file WHERE id = '${id}'`,
      )
      return rows[0]?.claimed_until
    },
    (claimed) => claimed === null,
  )
  await db.executeSql('UPDATE carcosa_jobs.job SET start_after = now()')
  return upload
}

/** What pg-boss makes of the job when its last try fails. */
async function dies({ db }: Context): Promise<void> {
  await db.executeSql(`
    WITH gone AS (
      UPDATE carcosa_jobs.job SET state = 'failed', completed_on = now()
      WHERE name = 'upload.complete' AND state = 'created' RETURNING *
    )
    INSERT INTO carcosa_jobs.job (name, data, source_name, source_id, source_created_on,
      source_retry_count, source_output, keep_until)
    SELECT 'dead', data, name, id, created_on, retry_limit,
      '{"message": "it went wrong"}', now() + interval '30 days' FROM gone`)
}

async function outcome(upload: string): Promise<{ state: string; serverData: unknown }> {
  return await (await fetch(`${upload}?wait=30`)).json()
}

async function startWorker(
  { cwd, database }: Context,
  args: string[] = [],
): Promise<Command> {
  const worker = command(['worker', '--database', database.url, ...args], { cwd })
  await worker.printed(/is working on/)
  return worker
}

function stop(worker: Command) {
  worker.child.kill('SIGTERM')
  return worker.ended
}

function jobs({ cwd, database }: Context, ...args: string[]) {
  const [name = '', ...rest] = args
  if (args.length === 0) return run(['jobs'], { cwd })
  return run(['jobs', name, '--database', database.url, ...rest], { cwd })
}

/** The process ids of those that ran the callback. */
function ran({ cwd }: Context): string[] {
  const path = join(cwd, 'ran')
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []
}
