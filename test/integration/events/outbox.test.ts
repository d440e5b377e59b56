import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Database } from '../../../src/db/database.ts'
import { migrate } from '../../../src/db/migrate.ts'
import { openDatabase } from '../../../src/db/open.ts'
import {
  createOutbox,
  type Outbox,
  type StoredEvent,
} from '../../../src/events/outbox.ts'
import { postgres, type TestDatabase } from '../../support/postgres.ts'

const test = suite('the numbers of events')

let database: TestDatabase
let db: Database
let outbox: Outbox

test.before(async () => {
  database = await postgres()
  db = await openDatabase(database.url)
  await migrate(db)
  outbox = createOutbox(db)
})
test.before.each(async () => {
  await db.executeSql(
    `TRUNCATE carcosa.event, carcosa.event_sequence;
     INSERT INTO carcosa.project (id, name) VALUES ('other', 'other') ON CONFLICT DO NOTHING`,
  )
})
test.after(async () => {
  await db.close()
  await database.drop()
})

test('an event that is committed after a later one is not missed', async () => {
  let commit = () => {}
  const late = db.transaction(async (tx) => {
    await tx.executeSql(insert('late'))
    await new Promise<void>((resolve) => {
      commit = resolve
    })
  })
  while ((await openTransactions()) === 0) await sleep(5)
  await db.executeSql(insert('early'))
  await outbox.number()
  const seen = await read(0)
  assert.equal(seen.map(typeOf), ['early'])
  commit()
  await late
  await outbox.number()
  const more = await read(seen.at(-1)?.number ?? 0)
  assert.equal(more.map(typeOf), ['late'])
  assert.equal(
    more.map(({ number }) => number),
    [2],
  )
})

test('a reader that follows many writers sees all, once, in order and without holes', async () => {
  const writers = 10
  const each = 150
  let writing = true
  const seen: StoredEvent[] = []
  const reader = async () => {
    for (;;) {
      const isLast = !writing
      await outbox.number()
      const page = await read(seen.at(-1)?.number ?? 0, 40)
      seen.push(...page)
      if (isLast && page.length === 0) return
    }
  }
  const second = async () => {
    while (writing) await createOutbox(db).number()
  }
  const write = async (writer: number) => {
    for (let i = 0; i < each; i++) {
      if (Math.random() < 0.3) {
        await db.transaction(async (tx) => {
          await tx.executeSql(insert(`${writer} ${i}`))
          await sleep(Math.random() * 5)
        })
      } else await db.executeSql(insert(`${writer} ${i}`))
    }
  }
  const readers = [reader(), second()]
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
  writing = false
  await Promise.all(readers)
  assert.equal(
    seen.map(({ number }) => number),
    Array.from({ length: writers * each }, (_, i) => i + 1),
  )
  for (let writer = 0; writer < writers; writer++) {
    const mine = seen.map(typeOf).filter((type) => type.startsWith(`${writer} `))
    assert.equal(
      mine,
      Array.from({ length: each }, (_, i) => `${writer} ${i}`),
    )
  }
})

test('each project counts for itself', async () => {
  await db.executeSql(insert('a') + insert('b', 'other') + insert('c'))
  await outbox.number()
  assert.equal((await read(0)).map(typeOf), ['a', 'c'])
  const projectId = 'other'
  const other = await outbox.read({ projectId, topics: null, after: 0, limit: 10 })
  assert.equal(
    other.map(({ number, type }) => [number, type]),
    [[1, 'b']],
  )
})

test('more than fits into one run is numbered all the same', async () => {
  await db.executeSql(
    `INSERT INTO carcosa.event (project_id, type, data)
     SELECT 'default', 'x' || i, '{}' FROM generate_series(1, 25000) i`,
  )
  await outbox.number()
  assert.equal(await outbox.extent('default'), { last: 25_000, dropped: 0 })
  const [last] = await read(24_999)
  assert.is(last?.type, 'x25000')
})

test('old events are deleted, and their numbers are not given again', async () => {
  await db.executeSql(insert('a') + insert('b') + insert('c'))
  await outbox.number()
  await db.executeSql(
    `UPDATE carcosa.event SET created_at = now() - interval '31 days' WHERE type <> 'c'`,
  )
  assert.is(await outbox.drop(new Date(Date.now() - 30 * 86_400_000)), 2)
  assert.equal((await read(0)).map(typeOf), ['c'])
  assert.equal(await outbox.extent('default'), { last: 3, dropped: 2 })
  await outbox.drop(new Date())
  await db.executeSql(insert('d'))
  await outbox.number()
  assert.equal(
    (await read(0)).map(({ number, type }) => [number, type]),
    [[4, 'd']],
  )
})

function insert(type: string, project = 'default'): string {
  return `INSERT INTO carcosa.event (project_id, type, data) VALUES ('${project}', '${type}', '{}');`
}

function read(after: number, limit = 100): Promise<StoredEvent[]> {
  return outbox.read({ projectId: 'default', topics: null, after, limit })
}

async function openTransactions(): Promise<number> {
  const { rows } = await db.executeSql(
    `SELECT count(*)::int4 AS n FROM pg_stat_activity
     WHERE datname = current_database() AND state = 'idle in transaction'`,
  )
  return Number(rows[0]?.n)
}

const typeOf = ({ type }: StoredEvent) => type

test.run()
