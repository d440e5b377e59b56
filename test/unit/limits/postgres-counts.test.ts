import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { postgresCounts } from '../../../src/limits/postgres-counts.ts'

const test = suite('counters in Postgres: their statements')

/** A database that keeps what it was asked, and answers at the next turn or when it is let. */
function table() {
  const statements: number[][] = []
  const totals = new Map<string, number>()
  let gate: Promise<void> = Promise.resolve()
  return {
    statements,
    /** Until the returned function is called no statement is answered. */
    hold(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = promise
      return resolve
    },
    db: {
      async query<Row>(_: unknown, [keys, points]: readonly unknown[] = []) {
        const added = points as number[]
        statements.push(added)
        await gate
        return (keys as string[]).map((key, i) => {
          const sum = (totals.get(key) ?? 0) + (added[i] ?? 0)
          totals.set(key, sum)
          return { key, points: sum, ms_left: 1000 }
        }) as Row[]
      },
    },
  }
}

const never = new Promise<void>(() => {})
const one = { points: 1, seconds: 60 }

test('who waits is counted at once', async () => {
  const { db, statements } = table()
  const { points } = await postgresCounts(db).add('a', one)
  assert.is(points, 1)
  assert.equal(statements, [[1]])
})

test('who is alone is counted at once, whether somebody waits or not', async () => {
  const { db, statements } = table()
  const { points } = await postgresCounts(db).add('a', { ...one, wanted: never })
  assert.is(points, 1)
  assert.equal(statements, [[1]])
})

test('all keys of who is alone are counted by one statement', async () => {
  const { db, statements } = table()
  const counts = postgresCounts(db)
  await Promise.all(['a', 'b'].map((key) => counts.add(key, { ...one, wanted: never })))
  assert.equal(statements, [[1, 1]])
})

/** Counters of which one statement is under way. */
function busy() {
  const { db, statements, hold } = table()
  const counts = postgresCounts(db)
  const answer = hold()
  const first = counts.add('first', one)
  return { counts, statements, first, answer }
}

test('whom nobody waits for is put off, and counted together with others', async () => {
  const { counts, statements, first, answer } = busy()
  const second = counts.add('a', { ...one, wanted: never })
  await turn()
  answer()
  await first
  const third = counts.add('a', { ...one, wanted: never })
  await turn()
  assert.equal(statements, [[1]])
  assert.equal([(await second).points, (await third).points], [1, 2])
  assert.equal(statements, [[1], [2]])
})

test('from the moment somebody waits it is counted, and the others with it', async () => {
  const { counts, statements, first, answer } = busy()
  const { promise: wanted, resolve } = Promise.withResolvers<void>()
  const second = counts.add('a', { ...one, wanted: never })
  const third = counts.add('b', { ...one, wanted })
  await turn()
  answer()
  await first
  assert.equal(statements, [[1]])
  resolve()
  await Promise.all([second, third])
  assert.equal(statements, [[1], [1, 1]])
})

test('who waits takes along what was put off', async () => {
  const { counts, statements, first, answer } = busy()
  await turn()
  const second = counts.add('a', { ...one, wanted: never })
  const third = counts.add('a', one)
  answer()
  assert.equal(
    [(await first).points, (await second).points, (await third).points],
    [1, 1, 2],
  )
  await sleep(20)
  assert.equal(statements, [[1], [2]])
})

test('what comes due while another is counted is not forgotten', async () => {
  const { counts, statements, first, answer } = busy()
  await turn()
  const second = counts.add('a', { ...one, wanted: never })
  await sleep(30)
  assert.equal(statements, [[1]])
  answer()
  assert.equal([(await first).points, (await second).points], [1, 1])
  assert.equal(statements, [[1], [1]])
})

test('a wish that was fulfilled long ago does not hurry the next', async () => {
  const { counts, statements, first, answer } = busy()
  const { promise: wanted, resolve } = Promise.withResolvers<void>()
  const second = counts.add('a', { ...one, wanted })
  await turn()
  answer()
  await Promise.all([first, second])
  const third = counts.add('a', one)
  const fourth = counts.add('a', { ...one, wanted: never })
  resolve()
  await third
  assert.equal(statements, [[1], [1], [1]])
  await fourth
})

test('a database that fails is told to everybody', async () => {
  const counts = postgresCounts({
    query: () => Promise.reject(new Error('gone')),
  })
  const failures = await Promise.all(
    [counts.add('a', one), counts.add('b', { ...one, wanted: never })].map((added) =>
      added.then(
        () => 'counted',
        (error: Error) => error.message,
      ),
    ),
  )
  assert.equal(failures, ['gone', 'gone'])
})

test.run()
