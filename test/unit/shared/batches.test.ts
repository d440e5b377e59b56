import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { inBatches } from '../../../src/shared/batches.ts'

const test = suite('shared/batches')

for (const [count, sizes] of [
  [0, []],
  [2, [2]],
  [3, [3]],
  [7, [3, 3, 1]],
] as const) {
  test(`${count} items come in batches of ${sizes.join(', ') || 'none'}`, async () => {
    const items = Array.from({ length: count }, (_, n) => n)
    const found: number[][] = []
    for await (const batch of inBatches(items, 3)) found.push(batch)
    assert.equal(
      found.map((batch) => batch.length),
      [...sizes],
    )
    assert.equal(found.flat(), items)
  })
}

test('who stops early ends the source', async () => {
  let ended = false
  async function* source() {
    try {
      for (;;) yield 1
    } finally {
      ended = true
    }
  }
  for await (const _batch of inBatches(source(), 3)) break
  assert.ok(ended)
})

test.run()
