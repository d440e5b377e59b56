import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { together } from '../../../src/shared/together.ts'

const test = suite('work that is done together')

/** Batches that end when they are told to. */
function gated(options: { most: number; patienceMs?: number }) {
  const batches: string[][] = []
  const ends: (() => void)[] = []
  const add = together<string>((items) => {
    batches.push(items)
    const { promise, resolve } = Promise.withResolvers<void>()
    ends.push(resolve)
    return promise
  }, options)
  return { add, batches, end: () => ends.shift()?.() }
}

test('what comes in one turn of the event loop goes together', async () => {
  const { add, batches } = gated({ most: 10 })
  add('a')
  await Promise.resolve()
  add('b')
  process.nextTick(() => add('c'))
  await sleep(5)
  assert.equal(batches, [['a', 'b', 'c']])
})

test('what comes while a batch is under way makes the next one', async () => {
  const { add, batches, end } = gated({ most: 10 })
  add('a')
  await sleep(5)
  add('b')
  await sleep(5)
  add('c')
  await sleep(5)
  assert.equal(batches, [['a']])
  end()
  await sleep(5)
  assert.equal(batches, [['a'], ['b', 'c']])
  end()
  await sleep(5)
  add('d')
  await sleep(5)
  assert.equal(batches, [['a'], ['b', 'c'], ['d']])
})

test('a batch has so many items at most', async () => {
  const { add, batches, end } = gated({ most: 2 })
  for (const item of ['a', 'b', 'c']) add(item)
  await sleep(5)
  assert.equal(batches, [['a', 'b']])
  end()
  await sleep(5)
  assert.equal(batches, [['a', 'b'], ['c']])
})

test('with patience the next batch does not wait for one that hangs', async () => {
  const { add, batches } = gated({ most: 10, patienceMs: 10 })
  add('a')
  await sleep(5)
  add('b')
  await sleep(50)
  assert.equal(batches, [['a'], ['b']])
})

test('without it the next one waits', async () => {
  const { add, batches } = gated({ most: 10 })
  add('a')
  await sleep(5)
  add('b')
  await sleep(50)
  assert.equal(batches, [['a']])
})

test.run()
