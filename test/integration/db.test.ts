/** What src/db/database.ts promises, on both databases. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Database } from '../../src/db/database.ts'
import { isUniqueViolation } from '../../src/db/errors.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openDatabase } from '../../src/db/open.ts'
import { postgres, type TestDatabase } from '../support/postgres.ts'

const server: TestDatabase = await postgres()
// The session, not the server, decides how Prisma reads times: see "in UTC" below.
const hereToo = 'Asia/Kolkata'

for (const [title, location] of [
  ['PGlite', 'memory://'],
  ['Postgres', server.url],
  ['Postgres without prepared statements', server.url],
] as const) {
  const preparedStatements = !title.includes('without')
  const db = suite<{ database: Database }>(`db on ${title}`)

  db.before(async (context) => {
    context.database = await openDatabase(location, { preparedStatements, poolSize: 4 })
    await migrate(context.database)
  })

  db.before.each(async ({ database }) => {
    await database.executeSql('DELETE FROM carcosa.event')
    await database.executeSql('DELETE FROM carcosa.file')
  })

  db.after(({ database }) => database.close())

  const values: [type: string, given: unknown, expected: unknown][] = [
    ['int8', 5, 5],
    ['int8', 2n ** 60n, 2n ** 60n],
    ['int8', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    ['int4', 7, 7],
    ['int8[]', [1, 2], [1, 2]],
    ['text[]', ['a', 'b"{},\\c'], ['a', 'b"{},\\c']],
    ['text', 'ä 😀 \'"\\', 'ä 😀 \'"\\'],
    ['text', null, null],
    ['boolean', true, true],
    ['jsonb', '{"a":[1,null]}', { a: [1, null] }],
    ['jsonb', '[1]', [1]],
    ['jsonb', '"text"', 'text'],
    ['json', '{"b":2}', { b: 2 }],
    ['timestamptz', new Date(1_700_000_000_123), new Date(1_700_000_000_123)],
  ]

  for (const [index, [type, given, expected]] of values.entries()) {
    db(`gives a ${type} back as it went in (${index})`, async ({ database }) => {
      const statement = { name: `echo ${index}`, sql: `SELECT $1::${type} AS value` }
      const rows = await database.query<{ value: unknown }>(statement, [given])
      assert.equal(rows, [{ value: expected }])
    })
  }

  db('gives bytes back as they went in', async ({ database }) => {
    const statement = { name: 'echo bytes', sql: 'SELECT $1::bytea AS value' }
    const given = Buffer.from([0, 255, 10])
    const [row] = await database.query<{ value: Uint8Array }>(statement, [given])
    assert.ok(row && given.equals(row.value))
  })

  db('counts in numbers', async ({ database }) => {
    const rows = await database.query({
      name: 'count',
      sql: 'SELECT count(*) AS n FROM carcosa.file',
    })
    assert.equal(rows, [{ n: 0 }])
  })

  db('runs several statements at once and returns all rows', async ({ database }) => {
    const { rows } = await database.executeSql('SELECT 1 AS a; SELECT 2 AS b')
    assert.equal(rows, [{ a: 1 }, { b: 2 }])
  })

  db('shows both ways in the same rows', async ({ database }) => {
    const createdAt = new Date(1_700_000_000_123)
    await database.prisma.file.create({
      data: { ...file('f1'), createdAt, size: 2n ** 53n },
    })
    const read = {
      name: 'read',
      sql: 'SELECT created_at, size FROM carcosa.file WHERE id = $1',
    }
    const rows = await database.query(read, ['f1'])
    assert.equal(rows, [{ created_at: createdAt, size: 2n ** 53n }])
    const found = await database.prisma.file.findUniqueOrThrow({ where: { id: 'f1' } })
    assert.equal([found.createdAt, found.size], [createdAt, 2n ** 53n])
  })

  db('keeps what a transaction wrote', async ({ database }) => {
    const result = await database.transaction(async (tx) => {
      await tx.query(insert, ['f1'])
      await tx.executeSql(`UPDATE carcosa.file SET filename = 'x' WHERE id = $1`, ['f1'])
      return 'done'
    })
    assert.is(result, 'done')
    assert.is((await database.prisma.file.findFirstOrThrow()).filename, 'x')
  })

  db('undoes a transaction that throws, and rethrows', async ({ database }) => {
    const reason = new Error('no')
    const failed = await database
      .transaction(async (tx) => {
        await tx.query(insert, ['f1'])
        throw reason
      })
      .catch((error: unknown) => error)
    assert.is(failed, reason)
    assert.is(await database.prisma.file.count(), 0)
  })

  db(
    'does not call a transaction done whose failed statement was ignored',
    async ({ database }) => {
      const failed = await database
        .transaction(async (tx) => {
          await tx.query(insert, ['f1'])
          await tx.query(insert, ['f1']).catch(() => undefined)
        })
        .catch((error: unknown) => error)
      assert.instance(failed, Error)
      assert.is(await database.prisma.file.count(), 0)
    },
  )

  db('refuses a statement after its transaction has ended', async ({ database }) => {
    const tx = await database.transaction(async (tx) => tx)
    const late = await tx.query(insert, ['late']).catch((error: unknown) => error)
    assert.instance(late, Error)
    assert.is(await database.prisma.file.count(), 0)
  })

  db('goes on after statements that Postgres refuses', async ({ database }) => {
    await database.query(insert, ['f1'])
    for (let round = 0; round < 10; round++) {
      const error = await database.query(insert, ['f1']).catch((error: unknown) => error)
      assert.ok(isUniqueViolation(error, 'file_pkey'))
    }
    const script = await database
      .executeSql('BEGIN; SELECT * FROM nowhere; COMMIT')
      .catch((error: unknown) => error)
    assert.is((script as { code: string }).code, '42P01')
    assert.is(await database.prisma.file.count(), 1)
  })

  db('serves many at once on few connections', async ({ database }) => {
    const ids = Array.from({ length: 50 }, (_, index) => `f${index}`)
    await Promise.all(
      ids.map((id) => database.transaction((tx) => tx.query(insert, [id]))),
    )
    assert.is(await database.prisma.file.count(), 50)
  })

  db.run()
}

const zones = suite('db time zone')

zones('reads and writes times in UTC, whatever the server prefers', async () => {
  const setup = await openDatabase(server.url)
  const name = new URL(server.url).pathname.slice(1)
  await setup.executeSql(`ALTER DATABASE ${name} SET timezone TO '${hereToo}'`)
  await setup.close()

  const database = await openDatabase(server.url)
  const at = new Date('2026-01-02T03:04:05.678Z')
  await database.prisma.file.create({ data: { ...file('zoned'), createdAt: at } })
  const found = await database.prisma.file.findUniqueOrThrow({ where: { id: 'zoned' } })
  assert.equal(found.createdAt, at)
  const read = {
    name: 'read',
    sql: 'SELECT created_at AS at FROM carcosa.file WHERE id = $1',
  }
  assert.equal(await database.query(read, ['zoned']), [{ at }])
  await database.close()
})

zones('frees everything when closed, twice without harm', async () => {
  for (const location of ['memory://', server.url]) {
    const database = await openDatabase(location)
    await Promise.all([database.close(), database.close()])
    const late = await database.executeSql('SELECT 1').catch((error: unknown) => error)
    assert.instance(late, Error)
  }
})

zones('lets a running transaction finish before it closes', async () => {
  for (const location of ['memory://', server.url]) {
    const database = await openDatabase(location)
    const running = database.transaction(async (tx) => {
      await new Promise((resolve) => setTimeout(resolve, 200))
      return (await tx.executeSql('SELECT 1 AS one')).rows
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    await database.close()
    assert.equal(await running, [{ one: 1 }])
  }
})

zones.after(() => server.drop())
zones.run()

const insert = {
  name: 'insert a file',
  sql: `INSERT INTO carcosa.file (id, project_id, route, state, store_name, key)
        VALUES ($1, 'default', 'r', 'created', 'file', $1)`,
}

function file(id: string) {
  return {
    id,
    projectId: 'default',
    route: 'r',
    state: 'created',
    storeName: 'file',
    key: id,
  }
}
