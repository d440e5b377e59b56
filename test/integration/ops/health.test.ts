/** `/healthz` and `/readyz`: what they say when something is wrong, and what goes on meanwhile. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { file } from '../../../stores/file.ts'
import { memory } from '../../../stores/memory.ts'
import type { Store } from '../../../stores/store.ts'
import { proxy } from '../../support/db/proxy.ts'
import type { Answered } from '../../support/exchange.ts'
import { postgres } from '../../support/postgres.ts'
import { eventually, openRaw } from '../../support/raw-http.ts'
import { created, offsetStream } from '../../support/records.ts'
import { doors, startServer, type TestServer } from '../../support/server.ts'

const test = suite('health')

async function withServer(
  check: (server: TestServer) => Promise<void>,
  options: Parameters<typeof startServer>[0] = {},
) {
  const server = await startServer(options)
  try {
    await check(server)
  } finally {
    await server.close()
  }
}

const ready = (server: TestServer, door: (typeof doors)[number] = 'http') =>
  server.doors[door]({ method: 'GET', path: '/readyz' })
const failing = ({ json }: Answered) => (json().failing as string[]).join()

for (const database of ['postgres', 'memory://']) {
  test(`every check is named when all is well (${database})`, () =>
    withServer(
      async (server) => {
        for (const door of doors) {
          const answer = await ready(server, door)
          assert.is(answer.status, 200, answer.text)
          assert.is(answer.headers['cache-control'], 'no-store')
          assert.equal(answer.json(), {
            status: 'ready',
            failing: [],
            checks: {
              database: { ok: true },
              queue: { ok: true, worker: false },
              'store:first': { ok: true },
              'store:second': { ok: true },
              draining: { ok: true },
            },
          })
          const alive = await server.doors[door]({ method: 'GET', path: '/healthz' })
          assert.is(alive.status, 200)
          assert.is(alive.headers['cache-control'], 'no-store')
          const head = await server.doors[door]({ method: 'HEAD', path: '/readyz' })
          assert.is(head.status, 200)
          assert.is(head.text, '')
        }
      },
      {
        store: { first: memory(), second: memory() },
        ...(database === 'memory://' && { database }),
      },
    ))
}

test('a database that goes away is named, and costs an upload that runs nothing', async () => {
  const database = await postgres()
  const line = await proxy(database.url)
  try {
    await withServer(
      async (server) => {
        const url = await created(server.doors.http, { length: 10 })
        const raw = await openRaw(server.port)
        raw.ask('PATCH', url, {
          'Upload-Offset': '0',
          'Content-Type': offsetStream,
          'Content-Length': '10',
        })
        raw.write('hello')
        await eventually(
          async () => (await server.row(url)).offset,
          (offset) => offset === 5,
        )
        line.cut()
        const down = await eventually(
          () => ready(server),
          ({ status }) => status === 503,
        )
        assert.is(failing(down), 'database,queue')
        assert.match(down.text, '"code":"DATABASE_UNAVAILABLE"')
        assert.not.match(down.text, /127\.0\.0\.1|postgres|ECONN/)
        const alive = await server.doors.http({ method: 'GET', path: '/healthz' })
        assert.is(alive.status, 200)
        await line.restore()
        raw.write('world')
        assert.is((await raw.answer()).status, 204)
        await eventually(
          () => ready(server),
          ({ status }) => status === 200,
        )
        raw.cut()
      },
      { database: line.url },
    )
  } finally {
    line.close()
    await database.drop()
  }
})

test('queues that are missing are named', () =>
  withServer(async (server) => {
    await server.uploads.db.executeSql(
      `UPDATE carcosa_jobs.queue SET name = 'x' || name WHERE name = 'upload.digest'`,
    )
    const answer = await ready(server)
    assert.is(answer.status, 503)
    assert.is(failing(answer), 'queue')
  }))

test('a directory that cannot be written is named by its store, and by nothing else', async () => {
  const base = mkdtempSync(join(tmpdir(), 'carcosa-ready-'))
  const directory = join(base, 'files-of-mine')
  try {
    await withServer(
      async (server) => {
        rmSync(directory, { recursive: true })
        writeFileSync(directory, 'not a directory')
        const answer = await ready(server)
        assert.is(answer.status, 503)
        assert.is(failing(answer), 'store:papers')
        assert.not.match(answer.text, /files-of-mine|ENOTDIR|EEXIST/)
      },
      { store: { photos: memory(), papers: file({ directory }) } },
    )
  } finally {
    rmSync(base, { recursive: true })
  }
})

test('a thousand polls are one request to a store, and none writes', async () => {
  let probes = 0
  const inner = memory()
  const store: Store = {
    ...inner,
    probe: async () => void probes++,
    write: () => Promise.reject(new Error('nobody uploads')),
    put: () => Promise.reject(new Error('nobody uploads')),
  }
  await withServer(
    async (server) => {
      for (let i = 0; i < 10; i++) {
        const answers = await Promise.all(
          Array.from({ length: 100 }, () => ready(server)),
        )
        assert.ok(answers.every(({ status }) => status === 200))
      }
      assert.is(probes, 1)
    },
    { store },
  )
})

test('while it stops, and after, it is alive and not ready', () =>
  withServer(async (server) => {
    const closing = server.carcosa.close()
    for (const when of ['while', 'after']) {
      if (when === 'after') await closing
      for (const door of doors) {
        const answer = await ready(server, door)
        assert.is(answer.status, 503)
        assert.is(failing(answer), 'draining')
        const alive = await server.doors[door]({ method: 'GET', path: '/healthz' })
        assert.is(alive.status, 200, when)
      }
    }
  }))

test('what is below them, or another method, is refused', () =>
  withServer(async (server) => {
    for (const [method, path, status] of [
      ['GET', '/readyz/x', 404],
      ['GET', '/healthz/x', 404],
      ['POST', '/readyz', 405],
      ['DELETE', '/healthz', 405],
    ] as const) {
      assert.is((await server.doors.http({ method, path })).status, status, path)
    }
  }))

test.run()
