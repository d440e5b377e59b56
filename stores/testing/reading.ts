import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { read, repeatable, requireAbsent, requireContent, requireSame } from './bytes.ts'
import { type Define, key, otherKey, type Sizes } from './subject.ts'

/** What can be read, and what is left after it was removed. */
export function reading(test: Define, { large }: Sizes): void {
  test('of what does not exist there is nothing to read', async ({ store }) => {
    await requireAbsent(store, key)
    assert.equal(await store.open(key, { start: 0, end: 4 }), null)
  })

  test('a range has its first and its last byte, and tells the whole size', async (subject) => {
    const { store, upload } = subject
    const bytes = repeatable(large)
    const object = upload(large)
    await object.write(bytes)
    await object.complete()
    const last = large - 1
    const middle = Math.floor(large / 3.3)
    for (const [start, end] of [
      [0, 0],
      [0, 10],
      [middle, middle + 100],
      [middle - 70_000, last - 1],
      [last, last],
      [0, last],
    ] as const) {
      const opened = await store.open(key, { start, end })
      assert.equal(opened?.size, large)
      opened?.stream.destroy()
      requireSame(await read(store, key, { start, end }), bytes.subarray(start, end + 1))
    }
    const whole = await store.open(key)
    assert.equal(whole?.size, large)
    whole?.stream.destroy()
  })

  test('a read that is destroyed half way harms nothing', async ({ store }) => {
    const bytes = repeatable(large)
    await store.put(key, bytes, {})
    const opened = await store.open(key)
    assert.ok(opened)
    for await (const _chunk of opened.stream) break
    // A response of HTTP is destroyed with its socket, a moment later.
    for (let i = 0; !opened.stream.destroyed && i < 500; i++) await sleep(10)
    assert.ok(opened.stream.destroyed, 'the read was stopped')
    await sleep(10)
    await requireContent(store, key, bytes)
  })
}

export function removing(test: Define, { large }: Sizes): void {
  for (const size of [5, large]) {
    test(`of ${size} bytes nothing is left once they are removed, finished or not`, async (subject) => {
      const { store, upload } = subject
      const unfinished = upload(size + 1)
      await unfinished.write(repeatable(size))
      await unfinished.remove()
      await requireAbsent(store, key)
      const again = upload(size)
      await again.write(repeatable(size, 2))
      await again.complete()
      await requireContent(store, key, repeatable(size, 2))
      await store.remove(key)
      await requireAbsent(store, key)
    })
  }

  test('removing what does not exist is no failure', async ({ store, upload }) => {
    const object = upload(large)
    await object.write(repeatable(large - 1))
    const { memo } = object.object()
    await store.remove(key, memo)
    await store.remove(key, memo)
    await store.remove(key)
    await store.remove(otherKey, null)
  })
}
