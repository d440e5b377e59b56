import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRelief, youngCollection } from '../../../src/shared/relief.ts'

const MiB = 1024 ** 2
const test = suite('relief of the heap')

test('asks for a collection once for every 8 MiB, however they are cut', () => {
  for (const size of [64 * 1024, 100_000, 3 * MiB, 8 * MiB]) {
    let collections = 0
    const relieve = createRelief(() => collections++)
    let passed = 0
    while (passed < 80 * MiB) {
      relieve(size)
      passed += size
    }
    assert.ok(
      collections >= 7 && collections <= 10,
      `${collections} for pieces of ${size}`,
    )
  }
})

test('does nothing where the engine cannot be asked', () => {
  const relieve = createRelief(null)
  relieve(100 * MiB)
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
