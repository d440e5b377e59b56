import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { memoryCounts } from '../../../src/limits/memory-counts.ts'
import { createRecent } from '../../../src/limits/recent.ts'

const test = suite('counting in memory')

test('points of one key add up, those of another do not', async () => {
  const counts = memoryCounts()
  assert.is((await counts.add('a', { points: 2, seconds: 60 })).points, 2)
  assert.is((await counts.add('b', { points: 1, seconds: 60 })).points, 1)
  const { points, msLeft } = await counts.add('a', { points: 3, seconds: 60 })
  assert.is(points, 5)
  assert.ok(msLeft > 59_000 && msLeft <= 60_000)
})

test('beyond 50,000 keys the oldest is forgotten, and memory stays bounded', async () => {
  const counts = memoryCounts()
  await counts.add('first', { points: 9, seconds: 3600 })
  await counts.add('second', { points: 9, seconds: 3600 })
  for (let i = 0; i < 49_999; i++)
    await counts.add(`key ${i}`, { points: 1, seconds: 3600 })
  assert.is((await counts.add('second', { points: 1, seconds: 3600 })).points, 10)
  assert.is((await counts.add('first', { points: 1, seconds: 3600 })).points, 1)
})

test('a moment that is kept again is the youngest', () => {
  const recent = createRecent(2)
  assert.is(recent.keep('a', 1_000), undefined)
  assert.is(recent.keep('b', 1_000), undefined)
  assert.is(recent.keep('a', 1_000), undefined)
  assert.is(recent.keep('c', 1_000), 'b')
  assert.is(recent.msUntil('b'), 0)
  assert.ok(recent.msUntil('a') > 900)
})

test.run()
