/** The request log: which requests are in it, that none waits for it, and that it has no secrets. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRequestLog } from '../../src/audit/request-log.ts'
import type { CarcosaOptions } from '../../src/config.ts'
import { silentLogger } from '../../src/shared/logger.ts'
import { postgres } from '../support/postgres.ts'
import { eventually } from '../support/raw-http.ts'
import { created } from '../support/records.ts'
import { startServer, type TestServer } from '../support/server.ts'

const test = suite('the request log')
const ann = { Authorization: 'Bearer ann' }

async function withServer(
  options: Partial<CarcosaOptions>,
  work: (server: TestServer) => Promise<void>,
): Promise<void> {
  const server = await startServer(options)
  try {
    await work(server)
  } finally {
    await server.close()
  }
}

const logged = async ({ carcosa }: TestServer) =>
  (await carcosa.api.audit.requests({ limit: 500 })).requests

/** All of the log, once it has what was asked last. */
async function after(server: TestServer) {
  const headers = { 'X-Request-Id': 'the-last-one' }
  await server.doors.http({ method: 'GET', path: '/routes', headers })
  const all = await eventually(
    () => logged(server),
    (lines) => lines.some(({ requestId }) => requestId === 'the-last-one'),
  )
  return all.filter(({ requestId }) => requestId !== 'the-last-one')
}

test('has everything but bytes and probes with requestLog: all', () =>
  withServer({ requestLog: 'all' }, async (server) => {
    const url = await created(server.doors.http, {
      route: 'mine',
      length: 5,
      bytes: 'hello',
      headers: ann,
    })
    for (const path of [`/files/${url.split('/').pop()}`, '/healthz', '/readyz']) {
      await server.doors.http({ method: 'GET', path, headers: ann })
    }
    await server.doors.http({ method: 'GET', path: url })
    await server.doors.http({ method: 'DELETE', path: url, headers: ann })
    const lines = (await after(server)).reverse()
    assert.equal(
      lines.map(({ method, pattern, status, code, actor, projectId }) => [
        ...[method, pattern, status, code, actor?.id, projectId],
      ]),
      [
        ['POST', '/uploads/mine', 201, null, 'ann', 'default'],
        ['GET', '/uploads/mine/{id}', 404, 'UPLOAD_NOT_FOUND', undefined, null],
        ['DELETE', '/uploads/mine/{id}', 204, null, 'ann', 'default'],
      ],
    )
    const [first] = lines
    assert.is(first?.address, '127.0.0.1')
    assert.is(first?.path, '/uploads/mine')
    assert.ok((first?.ms ?? -1) >= 0)
    assert.ok(Math.abs(Date.now() - (first?.at.getTime() ?? 0)) < 30_000)
  }))

test('has no uploads by default, and nothing at all when it is off', async () => {
  const both = (['api', 'off'] as const).map((requestLog) =>
    withServer({ requestLog }, async (server) => {
      await created(server.doors.http, { route: 'mine', headers: ann })
      await server.doors.http({ method: 'GET', path: '/api/v1/me', headers: ann })
      await new Promise((resolve) => setTimeout(resolve, 1_300))
      const lines = await logged(server)
      const expected = requestLog === 'api' ? ['/api/v1/me'] : []
      assert.equal(
        lines.map(({ path }) => path),
        expected,
      )
    }),
  )
  await Promise.all(both)
})

test('has no secrets of a path, whatever there is in it', () =>
  withServer({ requestLog: 'all' }, async (server) => {
    const secrets = ['signature', 'ticket', 'token', 'secret', 'key']
    const query = secrets.map((name) => `${name}=hush-${name}`).join('&')
    for (const path of [
      `/events?file=x&${query}`,
      `/uploads/none?${query}`,
      `/routes/%00/%ff?${query}`,
      `/routes?long=${'x'.repeat(2_000)}&ticket=hush`,
    ]) {
      await server.doors.http({ method: 'GET', path })
    }
    const lines = await after(server)
    assert.is(lines.length, 4)
    assert.not.match(JSON.stringify(lines), 'hush')
    assert.ok(lines.every(({ path }) => path.length <= 512))
  }))

test('is complete when a server was closed', async () => {
  const database = await postgres()
  const options = { database: database.url, requestLog: 'all' } as const
  const first = await startServer(options)
  await first.doors.http({ method: 'GET', path: '/routes' })
  await first.close()
  await withServer(options, async (server) => {
    assert.is((await logged(server)).length, 1)
  })
  await database.drop()
})

test('drops and counts what the database does not take, and holds no more than ten thousand', () =>
  withServer({}, async (server) => {
    const { db } = server.uploads
    let lost = 0
    const logEntriesLost = (_log: string, count: number) => {
      lost += count
    }
    const log = createRequestLog({ db, log: silentLogger, meter: { logEntriesLost } })
    const line = {
      ...{ at: new Date(), method: 'GET', pattern: '/', path: '/', status: 200 },
      ...{ code: null, ms: 1, caller: null, address: null, requestId: 'r' },
    }
    const kept = async () => {
      const { rows } = await db.executeSql(
        'SELECT count(*)::int AS n FROM carcosa.request_log',
      )
      return rows[0]?.n
    }
    await db.executeSql('ALTER TABLE carcosa.request_log RENAME TO gone')
    for (let i = 0; i < 10; i++) log.note(line)
    await eventually(
      async () => lost,
      (count) => count === 10,
    )
    await db.executeSql('ALTER TABLE carcosa.gone RENAME TO request_log')
    for (let i = 0; i < 10_500; i++) log.note(line)
    await log.close()
    assert.is(await kept(), 10_000)
    assert.is(lost, 510)
    log.note(line)
    await log.close()
    assert.is(await kept(), 10_000)
  }))

const bad: [title: string, options: object, code: string][] = [
  ['a status that is none', { status: 99.5 }, 'BAD_REQUEST'],
  ['a status as text', { status: '200' }, 'BAD_REQUEST'],
  ['a cursor of the audit log', { cursor: 'MTcwMC5hYmM' }, 'CURSOR_INVALID'],
]

test('refuses what it cannot be asked for', () =>
  withServer({}, async ({ carcosa }) => {
    for (const [title, options, code] of bad) {
      await carcosa.api.audit.requests(options).then(
        () => assert.unreachable(title),
        (error) => assert.is(error.code, code, title),
      )
    }
  }))

test.run()
