/** The rows of files that came whole, of several in one statement, in both databases. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Database, Statement } from '../../src/db/database.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openDatabase } from '../../src/db/open.ts'
import { createArrivals } from '../../src/files/arrivals.ts'
import type { Arrival } from '../../src/files/insert-stored.ts'
import type { NewFile } from '../../src/files/record.ts'
import { postgres } from '../support/postgres.ts'

function newFile(given: Partial<NewFile> = {}): NewFile {
  const id = randomBytes(12).toString('hex')
  const none = {
    ownerId: null,
    declaredType: null,
    size: null,
    input: null,
    metadata: {},
  }
  const alone = { rawMetadata: null, batchId: null, batchIndex: null, expiresAt: null }
  return {
    ...{ ...none, ...alone, route: 'demo', filename: 'a.png', projectId: 'default' },
    ...{ contentDisposition: 'inline', acl: 'private', storeName: 'default' },
    ...given,
    ...{ id, key: id },
  }
}

/** What the arrivals of a test ask their database, which says how many rows each statement has. */
function watched(db: Database) {
  const asked: number[] = []
  return {
    asked,
    query<Row>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
      const rows = values.length === 1 ? JSON.parse(String(values[0])).length : 1
      asked.push(rows)
      return db.query<Row>(statement, values)
    },
  }
}

const storedAt = new Date('2026-11-27T01:02:03.456Z')

function arrival(id: string, more: Partial<Arrival> = {}): Arrival {
  return {
    to: 'ready',
    changes: { offset: 5, detectedType: 'image/png', storedAt, readyAt: storedAt },
    events: ['file.created', 'file.stored', 'file.ready'].map((type) => ({
      type,
      data: { id },
    })) as Arrival['events'] & object,
    ...more,
  }
}

const refused = (error: { code?: string }) => error.code

for (const kind of ['postgres', 'embedded'] as const) {
  const test = suite(`files that arrive together: ${kind}`)
  let db: Database
  let url: string
  let drop = async () => {}

  test.before(async () => {
    const made = kind === 'postgres' ? await postgres() : null
    url = made?.url ?? 'memory://'
    drop = made?.drop ?? drop
    db = await openDatabase(url)
    await migrate(db)
  })
  test.after(async () => {
    await db.close()
    await drop()
  })

  const rowsOf = (files: readonly NewFile[]) =>
    db.prisma.file.findMany({
      where: { id: { in: files.map(({ id }) => id) } },
      orderBy: { id: 'asc' },
    })

  test('one statement writes the rows of all, as one for each would', async () => {
    const asked = watched(db)
    const arrivals = createArrivals(asked)
    const files = Array.from({ length: 5 }, (_, i) =>
      newFile({
        size: 5,
        filename: `"${i}"\\ \u{1F600} é.png`,
        input: i === 0 ? null : { deep: [i, 'a\0b', { '\ud800': true }] },
        metadata: { name: `it's ${i}` },
        rawMetadata: 'a b',
        expiresAt: new Date(),
      }),
    )
    const alone = newFile(files[1])
    const together = await Promise.all(
      files.map((file) => arrivals.insert(file, arrival(file.id))),
    )
    assert.equal(asked.asked, [5])
    const single = await arrivals.insert(alone, arrival(alone.id))
    assert.equal(asked.asked, [5, 1])

    const rows = await rowsOf([...files, alone])
    assert.is(rows.length, 6)
    const [copy] = rows.filter(({ id }) => id === files[1]?.id)
    const [model] = rows.filter(({ id }) => id === alone.id)
    const same = { id: '', key: '', createdAt: null, updatedAt: null }
    assert.equal({ ...copy, ...same }, { ...model, ...same })
    assert.equal({ ...together[1], ...same }, { ...single, ...same })
    assert.equal(copy?.input, { deep: [1, 'a\ufffdb', { '\ufffd': true }] })
    assert.equal(copy?.storedAt, storedAt)
    assert.is(copy?.expiresAt, null)
    const { rows: without } = await db.executeSql(
      'SELECT id FROM carcosa.file WHERE input IS NULL',
    )
    assert.equal(without, [{ id: files[0]?.id }])
    for (const record of together) {
      assert.is(record?.state, 'ready')
      assert.ok(record?.createdAt instanceof Date)
    }
  })

  test('each file has its events, in their order', async () => {
    const arrivals = createArrivals(db)
    const files = Array.from({ length: 8 }, () => newFile({ size: 5 }))
    await Promise.all(files.map((file) => arrivals.insert(file, arrival(file.id))))
    for (const { id } of files) {
      const events = await db.prisma.event.findMany({
        where: { fileId: id },
        orderBy: { seq: 'asc' },
      })
      assert.equal(
        events.map(({ type, data }) => [type, data]),
        ['file.created', 'file.stored', 'file.ready'].map((type) => [type, { id }]),
      )
    }
  })

  test('each file has its jobs, with what is told to them', async () => {
    const arrivals = createArrivals(db)
    const files = Array.from({ length: 3 }, () => newFile({ size: 5 }))
    await Promise.all(
      files.map((file, i) => {
        const also = [
          {
            name: 'plain',
            sql: `INSERT INTO carcosa.rate_count (key, points, expires_at)
              SELECT 'plain ' || id, 1, now() FROM f`,
          },
          {
            name: 'told',
            sql: `INSERT INTO carcosa.rate_count (key, points, expires_at)
              SELECT $value || ' ' || id, 1, now() FROM f`,
            value: i === 2 ? null : `it's ${i}`,
          },
        ]
        if (i === 2) also.pop()
        return arrivals.insert(file, arrival(file.id, { also }))
      }),
    )
    const keys = await db.prisma.rateCount.findMany()
    const [first, second, third] = files.map(({ id }) => id)
    assert.equal(
      keys.map(({ key }) => key).toSorted(),
      [
        `it's 0 ${first}`,
        `it's 1 ${second}`,
        ...[first, second, third].map((id) => `plain ${id}`),
      ].toSorted(),
    )
  })

  test('one that is refused is refused alone', async () => {
    const arrivals = createArrivals(db)
    const files = [
      newFile({ size: 5 }),
      newFile({ size: 5, projectId: 'nowhere' }),
      newFile({ size: 5 }),
    ]
    const results = await Promise.all(
      files.map((file) => arrivals.insert(file, arrival(file.id)).catch(refused)),
    )
    assert.is(results[1], '23503')
    assert.is((await rowsOf(files)).length, 2)
    assert.is((results[0] as { id: string }).id, files[0]?.id)
    assert.is((results[2] as { id: string }).id, files[2]?.id)
  })

  test('of two with one ticket the second is told that it is', async () => {
    const asked = watched(db)
    const arrivals = createArrivals(asked)
    const place = { batchId: `batch ${kind}`, batchIndex: 0 }
    const files = [newFile({ ...place, size: 5 }), newFile({ ...place, size: 5 })]
    const results = await Promise.all(
      files.map((file) => arrivals.insert(file, arrival(file.id))),
    )
    assert.equal(asked.asked, [2])
    assert.is(results.filter((record) => record === null).length, 1)
    const rows = await rowsOf(files)
    assert.is(rows.length, 1)
    assert.is(rows[0]?.id, results.find((record) => record !== null)?.id)
    assert.is(await db.prisma.event.count({ where: { fileId: rows[0]?.id ?? '' } }), 3)
  })

  test('those of another kind have a statement of their own', async () => {
    const asked = watched(db)
    const arrivals = createArrivals(asked)
    const files = Array.from({ length: 4 }, () => newFile({ size: 5 }))
    const other = arrival('', { to: 'stored', changes: { offset: 5, storedAt } })
    await Promise.all(
      files.map((file, i) =>
        arrivals.insert(file, i < 2 ? arrival(file.id) : { ...other, events: [] }),
      ),
    )
    assert.equal(asked.asked, [2, 2])
    const states = (await rowsOf(files)).map(({ state }) => state).toSorted()
    assert.equal(states, ['ready', 'ready', 'stored', 'stored'])
  })

  test('labels and quotas have one each', async () => {
    const asked = watched(db)
    const arrivals = createArrivals(asked)
    const files = [
      newFile({ size: 5, tags: ['a', 'b'] }),
      newFile({ size: 5, tags: ['c'] }),
    ]
    await Promise.all(files.map((file) => arrivals.insert(file, arrival(file.id))))
    assert.equal(asked.asked, [1, 1])
    assert.equal((await rowsOf(files)).map(({ tags }) => tags.join()).toSorted(), [
      'a,b',
      'c',
    ])
  })

  test('a database that is gone is told to everybody', async () => {
    const arrivals = createArrivals({
      query: () => Promise.reject(Object.assign(new Error('gone'), { code: '57P01' })),
    })
    const files = Array.from({ length: 3 }, () => newFile({ size: 5 }))
    const results = await Promise.all(
      files.map((file) => arrivals.insert(file, arrival(file.id)).catch(refused)),
    )
    assert.equal(results, ['57P01', '57P01', '57P01'])
  })

  if (kind === 'postgres') {
    test('one that waits for another process does not hold up the others for long', async () => {
      const arrivals = createArrivals(db)
      const place = { batchId: 'contested', batchIndex: 0 }
      const contested = newFile({ ...place, size: 5 })
      const other = new pg.Client({ connectionString: url })
      await other.connect()
      try {
        await other.query('BEGIN')
        await other.query(
          `INSERT INTO carcosa.file (id, project_id, route, state, store_name, key, batch_id, batch_index)
           VALUES ('theirs', 'default', 'demo', 'created', 'default', 'theirs', 'contested', 0)`,
        )
        const waiting = arrivals.insert(contested, arrival(contested.id))
        await sleep(100)
        const file = newFile({ size: 5 })
        const record = await arrivals.insert(file, arrival(file.id))
        assert.is(record?.id, file.id)
        await other.query('COMMIT')
        assert.is(await waiting, null)
      } finally {
        await other.end()
      }
    })
  }

  test.run()
}
