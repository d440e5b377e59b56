import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRelief, youngCollection } from '../../../src/shared/relief.ts'

const MiB = 1024 ** 2
const test = suite('relief of the heap')

test('asks for a collection once for every 4 MiB, however they are cut', () => {
  for (const size of [64 * 1024, 100_000, 1.5 * MiB, 4 * MiB]) {
    let collections = 0
    const relief = createRelief(() => collections++)
    let passed = 0
    while (passed < 40 * MiB) {
      relief.passed(size)
      passed += size
    }
    assert.ok(
      collections >= 7 && collections <= 10,
      `${collections} for pieces of ${size}`,
    )
  }
})

test('asks less often while more waits, up to 32 MiB, and as often again after that', () => {
  let collections = 0
  const relief = createRelief(() => collections++)
  const during = (bytes: number) => {
    collections = 0
    for (let passed = 0; passed < bytes; passed += MiB) relief.passed(MiB)
    return collections
  }
  relief.waiting(4 * MiB)
  assert.is(during(160 * MiB), 10)
  relief.waiting(60 * MiB)
  assert.is(during(320 * MiB), 10)
  relief.waiting(-64 * MiB)
  assert.is(during(40 * MiB), 10)
})

test('does nothing where the engine cannot be asked', () => {
  createRelief(null).passed(100 * MiB)
})

test('frees buffers nobody holds, and shows gc to nobody else', async () => {
  const collect = youngCollection()
  assert.ok(collect, 'Node 22 and 24 can be asked')
  for (let i = 0; i < 200; i++) Buffer.allocUnsafeSlow(64 * 1024)
  const before = process.memoryUsage().arrayBuffers
  collect?.()
  // Buffers are freed by another thread.
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.ok(before - process.memoryUsage().arrayBuffers > 5 * MiB)
  assert.is(typeof globalThis.gc, 'undefined')
})

test.run()
