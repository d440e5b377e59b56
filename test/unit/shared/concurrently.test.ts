import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { concurrently } from '../../../src/shared/concurrently.ts'

const test = suite('concurrently')

async function* numbers(count: number): AsyncGenerator<number> {
  for (let i = 0; i < count; i++) yield i
}

test('does every item once, and never more than the limit at the same time', async () => {
  const done: number[] = []
  let running = 0
  let most = 0
  await concurrently(numbers(20), 3, async (n) => {
    most = Math.max(most, ++running)
    await sleep(n % 4)
    running--
    done.push(n)
  })
  assert.equal(
    done.sort((a, b) => a - b),
    [...Array(20).keys()],
  )
  assert.is(most, 3)
})

test('takes no more items after a failure, and waits for what was begun', async () => {
  let begun = 0
  let ended = 0
  const work = concurrently(numbers(100), 4, async (n) => {
    begun++
    await sleep(10)
    ended++
    if (n === 5) throw new Error(`item ${n}`)
  })
  assert.is(await work.catch(String), 'Error: item 5')
  assert.ok(begun < 20, `${begun}`)
  assert.is(ended, begun)
})

test('fails as its items do', async () => {
  async function* broken(): AsyncGenerator<number> {
    yield 1
    throw new Error('no more')
  }
  const work = concurrently(broken(), 2, async () => {})
  assert.is(await work.catch(String), 'Error: no more')
})

test.run()
