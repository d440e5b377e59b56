/** Every job may run twice, one after the other and at once: the second run changes nothing. */
import { createHash } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRouter, route } from '../../src/index.ts'
import { type JobName, type JobPayloads, jobNames } from '../../src/jobs/definitions.ts'
import { jobHandlers } from '../../src/worker.ts'
import { type MemoryStore, memory } from '../../stores/memory.ts'
import { begin, statusOf, upload } from '../support/lifecycle.ts'
import { eventually } from '../support/raw-http.ts'
import { stray } from '../support/reconciling.ts'
import { startServer, type TestServer } from '../support/server.ts'

const test = suite('every job')

const open = { maxFileSize: '1MB', acl: 'public-read' } as const

/** How often the completion callback came to its end. */
let completed = 0
let fails = false

const router = createRouter({
  plain: route({ blob: open }).public(),
  kept: route({ blob: open }).public().mirror('archive'),
  called: route({ blob: open })
    .public()
    .onUploadComplete(async () => {
      if (fails) throw new Error('the process dies here')
      // Long enough for the other run to come in between.
      await new Promise((resolve) => setTimeout(resolve, 100))
      return ++completed
    }),
})

interface Scene {
  server: TestServer
  main: MemoryStore
  archive: MemoryStore
}

/** For every job: makes what it is there for, and says what the job carries. */
const scenes: { [Name in JobName]: (scene: Scene) => Promise<JobPayloads[Name]> } = {
  async 'upload.complete'({ server }) {
    fails = true
    const made = await upload(server, 'called', 'hello')
    const row = () => server.row(made.url)
    await eventually(row, ({ claimedUntil }) => claimedUntil === null)
    fails = false
    return { fileId: made.id }
  },
  async 'upload.digest'({ server }) {
    const { id } = await upload(server, 'plain', 'hello')
    await server.uploads.db.executeSql('UPDATE carcosa.file SET sha256 = NULL')
    return { fileId: id }
  },
  async 'uploads.sweep'({ server }) {
    await begin(server, 'plain', { length: 10 })
    await server.uploads.db.executeSql(
      "UPDATE carcosa.file SET expires_at = now() - interval '1 min'",
    )
    await upload(server, 'plain', 'removed, and its bytes are not')
    await server.uploads.db.executeSql(
      "UPDATE carcosa.file SET state = 'removed' WHERE state = 'ready'",
    )
    return {}
  },
  async 'logs.expire'({ server }) {
    await server.uploads.db.executeSql(
      `INSERT INTO carcosa.audit_entry (id, created_at, action, outcome, actor_kind, target_type)
         VALUES ('an-entry-that-is-too-old', now() - interval '2 years', 'file.deleted', 'done', 'cli', 'file');
       INSERT INTO carcosa.request_log (created_at, method, pattern, path, status, ms, request_id)
         VALUES (now() - interval '31 days', 'GET', '/', '/', 200, 1, 'r')`,
    )
    return {}
  },
  async 'stores.reconcile'({ server, main }) {
    stray(main, 'stray')
    await upload(server, 'plain', 'kept')
    const lost = await upload(server, 'plain', 'lost')
    main.objects.delete((await server.row(lost.url)).key)
    return {}
  },
  async 'file.mirror'({ server }) {
    const made = await upload(server, 'kept', 'hello')
    await statusOf(server, made)
    return { fileId: made.id }
  },
  async 'usage.recount'({ server }) {
    await server.carcosa.api.usage.setQuota('default', { bytes: '1MB' })
    await upload(server, 'plain', 'hello')
    await server.uploads.db.executeSql(
      'UPDATE carcosa.file SET reserved = NULL; UPDATE carcosa.quota SET used_bytes = 99',
    )
    return {}
  },
  async 'usage.rollup'({ server }) {
    const made = await upload(server, 'plain', 'hello')
    await upload(server, 'plain', 'kept')
    await server.carcosa.api.files.delete(made.id)
    return {}
  },
  async 'project.delete'({ server }) {
    const { projects, files } = server.carcosa.api
    const { id: projectId } = await projects.create({ name: 'to be removed' })
    await files.upload('bytes', { route: 'kept', projectId })
    await upload(server, 'plain', 'of another project')
    await server.carcosa.api.keys.create({ name: 'key', projectId })
    await projects.delete(projectId)
    await overdue(server, projectId)
    return { projectId }
  },
  async 'project.transfer'({ server }) {
    const { projects, keys } = server.carcosa.api
    const { id: projectId } = await projects.create({ name: 'to be given away' })
    await keys.create({ name: 'key', projectId })
    await server.uploads.db.executeSql(
      `INSERT INTO carcosa.organization (id, name, slug) VALUES ('org_a', 'A', 'a')`,
    )
    return { projectId, from: null, to: 'org_a' }
  },
}

/** As if the grace period were over. */
async function overdue({ uploads }: TestServer, projectId: string): Promise<void> {
  const sql =
    "UPDATE carcosa.project SET delete_after = now() - interval '1 ms' WHERE id = $1"
  await uploads.db.executeSql(sql, [projectId])
}

test('has a scene here', () => {
  assert.equal(Object.keys(scenes).sort(), [...jobNames].sort())
})

for (const name of jobNames) {
  test(`${name} changes nothing when it runs again, or twice at once`, async () => {
    const once = await play(name, async (run) => {
      await run()
    })
    const again = await play(name, async (run, look) => {
      const before = await look()
      await run()
      const after = await look()
      assert.is.not(after.all, before.all, 'the scene gives it nothing to do')
      await run()
      assert.equal((await look()).all, after.all)
    })
    assert.equal(again, once)
    const atOnce = await play(name, async (run, look) => {
      // One of the two may say that the other is at it, and is then tried again.
      const ends = await Promise.allSettled([run(), run()])
      assert.ok(ends.some(({ status }) => status === 'fulfilled'))
      const after = await look()
      await run()
      assert.equal((await look()).all, after.all)
    })
    assert.equal(atOnce, once)
  })
}

test.run()

type Run = () => Promise<void>
type Look = () => Promise<Seen>

interface Seen {
  /** All of the database and the stores. */
  all: string
  /** The same without what differs from one time to the next. */
  effect: object
}

/** Lets `act` run the job in a scene of its own; returns what came of it. */
async function play<Name extends JobName>(
  name: Name,
  act: (run: Run, look: Look) => Promise<void>,
): Promise<object> {
  const main = memory()
  const archive = memory()
  completed = 0
  const server = await startServer({ router, store: { main, archive } })
  try {
    const payload = await scenes[name]({ server, main, archive })
    const handler = jobHandlers(server.uploads)[name]
    const context = { id: 'job', attempt: 1, signal: new AbortController().signal }
    const look = () => seen({ server, main, archive })
    await act(() => handler(payload, context), look)
    return (await look()).effect
  } finally {
    await server.close()
  }
}

async function seen({ server, main, archive }: Scene): Promise<Seen> {
  const { executeSql } = server.uploads.db
  const { rows: tables } = await executeSql(
    `SELECT table_schema || '.' || table_name AS name FROM information_schema.tables
     WHERE table_schema = 'carcosa' AND table_type = 'BASE TABLE' ORDER BY 1`,
  )
  const dumped: Record<string, unknown> = {}
  for (const { name } of [...tables, { name: 'carcosa_jobs.job' }]) {
    const { rows } = await executeSql(
      `SELECT to_jsonb(t) AS row FROM ${name} t ORDER BY to_jsonb(t)::text`,
    )
    dumped[String(name)] = rows
  }
  const { rows: files } = await executeSql(
    `SELECT state::text, sha256, server_data, purged_at IS NULL AS "hasBytes",
       (SELECT json_agg(type ORDER BY seq) FROM carcosa.event WHERE file_id = f.id) AS events,
       (SELECT count(*)::int FROM carcosa.file_copy WHERE file_id = f.id) AS copies
     FROM carcosa.file f ORDER BY created_at, id`,
  )
  const held = [main, archive].map(({ objects }) =>
    [...objects].map(([key, { bytes }]) => [key, digest(bytes)]).sort(),
  )
  const objects = held.map((entries) => entries.map(([, hash]) => hash).sort())
  return {
    all: JSON.stringify([dumped, held, completed]),
    effect: { files, objects, completed },
  }
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
