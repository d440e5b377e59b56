/** Lists: a page costs the same wherever it is, also where many rows are newer. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRouter, route } from '../../src/index.ts'
import { memory } from '../../stores/memory.ts'
import { startServer, type TestServer } from '../support/server.ts'

const router = createRouter({ demo: route(['blob']).public() })
const rows = 3_000
const organizationId = 'org_deep-0123456789abcdef'
/** Of row `i`: the greater the older. */
const at = `date_trunc('second', now()) - i * interval '1 second'`
const each = `FROM generate_series(1, ${rows}) AS i`

const test = suite('lists, far behind')
let server: TestServer
test.before(async () => {
  server = await startServer({ router, store: memory(), database: 'memory://' })
  await server.uploads.db.executeSql(`
    INSERT INTO carcosa.organization (id, name, slug)
    VALUES ('${organizationId}', 'Deep', 'deep');
    INSERT INTO carcosa.user_account (id, name, email)
    SELECT 'user_0123456789abcdef' || i, 'u', 'u' || i || '@example.com' ${each};
    INSERT INTO carcosa.organization_member (id, organization_id, user_id, role, created_at)
    SELECT 'm-0123456789abcdef' || i, '${organizationId}', 'user_0123456789abcdef' || i, 'viewer', ${at} ${each};
    INSERT INTO carcosa.project (id, name, organization_id, created_at)
    SELECT 'p' || i, 'p', '${organizationId}', ${at} ${each};
    INSERT INTO carcosa.api_key (id, project_id, name, mode, role, prefix, hash, created_at)
    SELECT 'key_0123456789abcdef' || i, 'default', 'k', 'live', 'viewer', 'x' || i, 'h', ${at} ${each};
    INSERT INTO carcosa.audit_entry (id, created_at, action, outcome, actor_kind, target_type, project_id)
    SELECT 'a-0123456789abcdef' || i, ${at}, 'key.created', 'done', 'user', 'key', 'default' ${each};
    ANALYZE carcosa.organization_member, carcosa.project, carcosa.api_key, carcosa.audit_entry`)
})
test.after(() => server.close())

/** How many rows were read of a table so far, by an index or without. */
async function readOf(table: string): Promise<number> {
  const { db } = server.uploads
  await db.executeSql('SELECT pg_stat_force_next_flush()')
  const found = await db.executeSql(
    `SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::float8 AS count FROM pg_stat_user_tables
     WHERE schemaname = 'carcosa' AND relname = $1`,
    [table],
  )
  return Number(found.rows[0]?.count)
}

/** The cursor of a page that ended with this row. */
function cursorAt({ createdAt, id }: { createdAt: Date; id: string }): string {
  return Buffer.from(`${createdAt.getTime()}.${id}`).toString('base64url')
}

const lists: readonly [
  table: string,
  read: (cursor: string) => Promise<readonly unknown[]>,
][] = [
  [
    'api_key',
    async (cursor) => (await server.carcosa.api.keys.list({ limit: 5, cursor })).keys,
  ],
  [
    'organization_member',
    async (cursor) => {
      const page = { organizationId, limit: 5, cursor }
      return (await server.carcosa.api.members.list(page)).members
    },
  ],
  [
    'project',
    async (cursor) => {
      const page = { organizationId, limit: 5, cursor }
      return (await server.carcosa.api.projects.list(page)).projects
    },
  ],
  [
    'audit_entry',
    async (cursor) => {
      const page = { projectId: 'default', limit: 5, cursor }
      return (await server.carcosa.api.audit.list(page)).entries
    },
  ],
]

for (const [table, read] of lists) {
  test(`${table}: a page in the middle of ${rows} rows reads no others`, async () => {
    const { db } = server.uploads
    const found = await db.executeSql(
      `SELECT id, created_at AS "createdAt" FROM carcosa.${table}
       ORDER BY created_at LIMIT 1 OFFSET ${rows / 2}`,
    )
    const before = await readOf(table)
    // The driver tells times as they are.
    const page = await read(cursorAt(found.rows[0] as { createdAt: Date; id: string }))
    assert.is(page.length, 5)
    const cost = (await readOf(table)) - before
    assert.ok(cost >= 5 && cost < 100, `${cost} rows read`)
  })
}

test.run()
