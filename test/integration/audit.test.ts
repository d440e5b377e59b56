/** The audit log: who did what to what, by whichever way, and that nobody changes it. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { auditTable } from '../../src/api/audited.ts'
import type { ListEntries } from '../../src/audit/list.ts'
import { apiKeys } from '../../src/auth/api-keys.ts'
import { route } from '../../src/routes/route.ts'
import { createRouter } from '../../src/routes/router.ts'
import type { CarcosaError } from '../../src/shared/errors.ts'
import { created } from '../support/records.ts'
import { bearer, startServer, type TestServer } from '../support/server.ts'

const lines: [fields: Record<string, unknown>, message: string][] = []
const keep = (fields: Record<string, unknown>, message: string) =>
  void lines.push([fields, message])
const logger = { debug: keep, info: keep, warn: keep, error: keep }

const router = createRouter({
  mine: route(['blob']),
  demo: route(['blob']).public(),
  hooked: route(['blob'])
    .public()
    .middleware(async () => {
      const { id } = await api().keys.create({ name: 'by a hook' })
      return { id }
    }),
})

const test = suite('the audit log')
let server: TestServer
test.before(async () => {
  server = await startServer({ router, auth: [apiKeys(), bearer], logger })
})
test.after(() => server.close())

const api = () => server.carcosa.api
const entries = async (options?: ListEntries) => (await api().audit.list(options)).entries
const newest = async () => (await entries({ limit: 1 }))[0]
const as = (name: string) => ({ Authorization: `Bearer ${name}` })
const begun = (headers = {}) =>
  created(server.doors.http, { route: 'mine', bytes: 'hello', headers })
const stored = (headers = {}) =>
  created(server.doors.http, { route: 'mine', length: 5, bytes: 'hello', headers })
const idOf = (url: string) => url.split('/').pop() ?? ''

test('has a row for every method there is', () => {
  const methodsOf = (nouns: object) =>
    Object.entries(nouns).flatMap(([noun, methods]) =>
      Object.keys(methods).map((method) => `${noun}.${method}`),
    )
  assert.equal(methodsOf(auditTable).sort(), methodsOf(api()).sort())
})

test('tells who made, rotated and revoked a key, and never the key', async () => {
  const key = await api().keys.create({
    name: 'robot',
    role: 'member',
    scopes: { routes: ['mine'] },
  })
  const again = await api().keys.rotate(key.id)
  await api().keys.revoke(key.id)
  const found = await entries({ target: key.id })
  assert.equal(
    found.map(({ action, outcome, actor, projectId, target }) => [
      ...[action, outcome, actor.kind, projectId, target.type],
    ]),
    [
      ['key.revoked', 'done', 'program', 'default', 'key'],
      ['key.rotated', 'done', 'program', 'default', 'key'],
      ['key.created', 'done', 'program', 'default', 'key'],
    ],
  )
  assert.equal(found[2]?.details, {
    name: 'robot',
    mode: 'live',
    role: 'member',
    scopes: { routes: ['mine'] },
    allowedAddresses: [],
    expiresAt: null,
  })
  const { rows } = await server.uploads.db.executeSql(
    'SELECT to_jsonb(e)::text AS row FROM carcosa.audit_entry e',
  )
  const told = JSON.stringify(rows)
  for (const { token, start } of [key, again]) {
    assert.not.ok(told.includes(token.slice(start.length + 1)), 'a secret is in it')
  }
})

test('tells what changed', async () => {
  const id = idOf(await stored(as('ann')))
  await api().files.rename(id, 'a.txt')
  await api().files.rename(id, 'b.txt')
  await api().files.delete(id)
  const found = await entries({ target: id })
  assert.equal(
    found.map(({ action }) => action),
    ['file.deleted', 'file.renamed', 'file.renamed'],
  )
  assert.equal(found[1]?.details, { filename: { before: 'a.txt', after: 'b.txt' } })
  assert.equal(found[0]?.details, {
    ...{ filename: 'b.txt', route: 'mine', ownerId: 'ann', size: 5 },
  })
})

test('says nothing where there was nothing to do', async () => {
  const before = (await newest())?.id
  assert.is(await api().files.delete('x'.repeat(24)), false)
  assert.is(await api().uploads.cancel('x'.repeat(24)), false)
  assert.is(await api().keys.revoke(`key_${'x'.repeat(24)}`), false)
  assert.is(await api().jobs.retry({ all: true }), 0)
  assert.is((await newest())?.id, before)
})

test('tells what was refused, and with which code', async () => {
  const refused: [run: () => Promise<unknown>, action: string, code: string][] = [
    [() => api().files.rename('x'.repeat(24), 'a'), 'file.renamed', 'FILE_NOT_FOUND'],
    [() => api().files.rename('\0'.repeat(9000), ''), 'file.renamed', 'BAD_REQUEST'],
    [() => api().keys.create({ name: '' }), 'key.created', 'BAD_REQUEST'],
    [() => api().keys.rotate('no key'), 'key.rotated', 'KEY_NOT_FOUND'],
    [
      () => api().files.copy({ from: 'none', to: 'nowhere' }),
      ...(['files.copied', 'STORE_UNKNOWN'] as const),
    ],
  ]
  for (const [run, action, code] of refused) {
    await run().then(
      () => assert.unreachable(),
      (error) => assert.is((error as CarcosaError).code, code),
    )
    const entry = await newest()
    assert.is(entry?.action, action)
    assert.is(entry?.code, code)
    assert.is(entry?.outcome, code === 'STORE_UNKNOWN' ? 'failed' : 'refused')
  }
})

test('what clients delete is told with who, where from and in which request', async () => {
  for (const [make, action] of [
    [begun, 'upload.cancelled'],
    [stored, 'file.deleted'],
  ] as const) {
    const url = await make(as('ann'))
    const headers = { ...as('ann'), 'X-Request-Id': `req-${action}` }
    await server.doors.http({ method: 'DELETE', path: url, headers })
    const { at, id, details, ...told } = (await newest()) ?? {}
    assert.equal(told, {
      action,
      outcome: 'done',
      code: null,
      actor: { kind: 'user', id: 'ann' },
      projectId: 'default',
      organizationId: null,
      address: '127.0.0.1',
      requestId: `req-${action}`,
      target: { type: action.split('.')[0], id: idOf(url) },
    })
  }
})

test('a deletion that is refused is told, whether there is such an upload or not', async () => {
  const url = await stored(as('ann'))
  const told = []
  for (const path of [url, `/uploads/mine/${'x'.repeat(24)}`]) {
    const { status } = await server.doors.http({
      ...{ method: 'DELETE', path, headers: as('bob') },
    })
    assert.is(status, 404)
    const entry = await newest()
    assert.is(entry?.target.id, idOf(path))
    told.push([entry?.action, entry?.outcome, entry?.code, entry?.details, entry?.actor])
  }
  assert.equal(told[0], told[1])
  assert.equal(told[0], [
    ...['upload.cancelled', 'refused', 'UPLOAD_NOT_FOUND', null],
    { kind: 'user', id: 'bob' },
  ])
})

test('uploads, and what nobody in particular deletes, are left to the events', async () => {
  const before = (await newest())?.id
  await stored(as('ann'))
  const url = await created(server.doors.http, { route: 'demo' })
  assert.is((await server.doors.http({ method: 'DELETE', path: url })).status, 204)
  assert.is((await newest())?.id, before)
})

test('a hook acts for the program, within the request', async () => {
  const answer = await server.doors.http({
    method: 'POST',
    path: '/uploads/hooked',
    headers: { 'Upload-Length': '5', 'X-Request-Id': 'hooked', ...as('ann') },
  })
  assert.is(answer.status, 201)
  const entry = await newest()
  assert.equal(entry?.actor, { kind: 'program', id: null })
  assert.is(entry?.requestId, 'hooked')
})

test('nobody changes or deletes an entry, not even with SQL', async () => {
  await api().keys.create({ name: 'kept' })
  const { db } = server.uploads
  const tried = [
    `UPDATE carcosa.audit_entry SET actor_id = 'nobody'`,
    'DELETE FROM carcosa.audit_entry',
    'TRUNCATE carcosa.audit_entry',
    `SET LOCAL carcosa.audit_retention = 'off'; DELETE FROM carcosa.audit_entry`,
  ]
  const before = await entries()
  for (const sql of tried) {
    await db.executeSql(sql).then(
      () => assert.unreachable(sql),
      (error) => assert.match(String(error), 'never changed', sql),
    )
  }
  assert.equal(await entries(), before)
})

test('an entry that cannot be written is in the log, whole, and what was done is done', async () => {
  const { db } = server.uploads
  await db.executeSql('ALTER TABLE carcosa.audit_entry RENAME TO audit_gone')
  lines.length = 0
  try {
    const { id } = await api().keys.create({ name: 'told otherwise' })
    assert.is((await api().keys.get(id))?.name, 'told otherwise')
    const [[fields] = []] = lines.filter(([, message]) => /audit log/.test(message))
    const entry = fields?.entry as Record<string, unknown> | undefined
    assert.is(entry?.action, 'key.created')
    assert.is(entry?.targetId, id)
    const { body } = await server.carcosa.metrics()
    assert.match(body, 'carcosa_log_entries_lost_total{log="audit"} 1')
  } finally {
    await db.executeSql('ALTER TABLE carcosa.audit_gone RENAME TO audit_entry')
  }
})

test('comes in pages that neither repeat nor leave out, and can be narrowed', async () => {
  const made = []
  for (let i = 0; i < 7; i++) {
    made.push((await api().keys.create({ name: `page ${i}` })).id)
  }
  const seen: (string | null)[] = []
  let cursor: string | undefined
  do {
    const page = await api().audit.list({
      ...{ limit: 3, action: 'key.created' },
      ...(cursor !== undefined && { cursor }),
    })
    assert.ok(page.entries.length <= 3)
    seen.push(...page.entries.map(({ target }) => target.id))
    // What comes in between moves nothing.
    await api().keys.create({ name: 'in between' })
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  assert.equal(seen.slice(0, 7), made.reverse())
  assert.is(new Set(seen).size, seen.length)

  const [first] = await entries({ target: made[0] ?? '' })
  const at = first?.at ?? new Date()
  assert.is((await entries({ target: made[0] ?? '', after: at })).length, 0)
  assert.is((await entries({ target: made[0] ?? '', before: at })).length, 0)
  assert.is(
    (await entries({ actor: 'ann' })).every(({ actor }) => actor.id === 'ann'),
    true,
  )
  assert.equal(await entries({ projectId: 'another' }), [])
  assert.equal(await entries({ organizationId: 'another' }), [])
  assert.ok((await entries({ outcome: 'refused' })).length > 0)
})

const bad: [title: string, options: object, code: string][] = [
  ['a limit of 0', { limit: 0 }, 'BAD_REQUEST'],
  ['a limit of 501', { limit: 501 }, 'BAD_REQUEST'],
  ['half an entry', { limit: 1.5 }, 'BAD_REQUEST'],
  ['a time that is none', { after: new Date('x') }, 'BAD_REQUEST'],
  ['a time as text', { before: '2026' }, 'BAD_REQUEST'],
  ['an action there is not', { action: 'file.eaten' }, 'BAD_REQUEST'],
  ['an outcome there is not', { outcome: '__proto__' }, 'BAD_REQUEST'],
  ['an object where text is asked for', { actor: { contains: 'a' } }, 'BAD_REQUEST'],
  ['an object as target', { target: { not: null } }, 'BAD_REQUEST'],
  ['a NUL', { projectId: 'a\0' }, 'BAD_REQUEST'],
  ['a lone surrogate', { actor: '\ud800' }, 'BAD_REQUEST'],
  ['a cursor of nobody', { cursor: "' OR 1=1 --" }, 'CURSOR_INVALID'],
  ['a cursor that is no text', { cursor: 7 }, 'CURSOR_INVALID'],
]

for (const [title, options, code] of bad) {
  test(`refuses ${title}`, async () => {
    // What the types forbid comes from JavaScript.
    await api()
      .audit.list(options as ListEntries)
      .then(
        () => assert.unreachable(),
        (error) => assert.is((error as CarcosaError).code, code),
      )
  })
}

test('SEC-38: quotes, % and operators are only text', async () => {
  for (const text of [
    "'",
    '%',
    "' OR '1'='1",
    '; DROP TABLE carcosa.audit_entry',
    '$1',
  ]) {
    for (const name of ['actor', 'target', 'projectId', 'organizationId'] as const) {
      assert.equal(await entries({ [name]: text }), [], `${name} ${text}`)
    }
  }
})

test('is found by indexes among many, on whatever page', async () => {
  const { db } = server.uploads
  await db.executeSql(`
    INSERT INTO carcosa.audit_entry
      (id, created_at, action, outcome, actor_kind, actor_id, organization_id, project_id,
       target_type, target_id)
    SELECT 'many' || lpad(i::text, 20, '0'), now() - i * interval '1 second', 'file.deleted',
      'done', 'user', 'u' || i % 500, 'o' || i % 500, 'p' || i % 500, 'file', 'f' || i
    FROM generate_series(1, 30000) AS i;
    INSERT INTO carcosa.request_log
      (created_at, method, pattern, path, status, ms, actor_kind, actor_id, organization_id,
       project_id, request_id)
    SELECT now() - i * interval '1 second', 'GET', '/api', '/api', 200, 1, 'user', 'u' || i % 500,
      'o' || i % 500, 'p' || i % 500, 'r' || i
    FROM generate_series(1, 30000) AS i;
    ANALYZE carcosa.audit_entry; ANALYZE carcosa.request_log`)
  const place = `created_at <= now() - interval '20000 seconds'`
  for (const table of ['audit_entry', 'request_log']) {
    const ways: [where: string, index: string][] = [
      [`project_id = 'p7'`, 'project_id'],
      [`organization_id = 'o7'`, 'organization_id'],
      [`actor_id = 'u7'`, 'actor_id'],
      ['true', 'created_at'],
      ...(table === 'audit_entry' ? ([[`target_id = 'f7'`, 'target_id']] as const) : []),
    ].map(([where = '', index = '']) => [where, index])
    for (const [where, index] of ways) {
      const { rows } = await db.executeSql(`EXPLAIN SELECT id FROM carcosa.${table}
        WHERE ${where} AND ${place} ORDER BY created_at DESC, id DESC LIMIT 51`)
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
      assert.match(plan, `${table}_${index}`, plan)
      assert.match(plan, /Index Cond: .*created_at <=/, plan)
      assert.not.match(plan, 'Seq Scan', plan)
    }
  }
  const page = await api().audit.list({ projectId: 'p7', limit: 2 })
  assert.is(page.entries.length, 2)
})

test.run()
