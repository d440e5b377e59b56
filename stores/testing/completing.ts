import assert from 'node:assert/strict'
import { repeatable, requireContent } from './bytes.ts'
import { type Define, failureOf, key, requireRefusal, type Sizes } from './subject.ts'

/** How objects become finished, and which do not. */
export function completing(test: Define, { large }: Sizes): void {
  for (const size of [5, large]) {
    const what = size === 5 ? 'an object' : 'a large object'
    test(`completing ${what} twice is completing it once`, async (subject) => {
      const bytes = repeatable(size)
      const object = subject.upload(size)
      await object.write(bytes)
      await object.complete()
      await object.complete()
      await requireContent(subject.store, key, bytes)
    })

    for (const wrong of [size - 1, size + 1]) {
      const title = `${what} of ${size} bytes does not complete as one of ${wrong}`
      test(title, async (subject) => {
        const bytes = repeatable(size)
        const object = subject.upload(size)
        await object.write(bytes)
        const { remembered } = object
        // What a caller says who remembers another number of bytes.
        object.remembered = { ...remembered, offset: wrong }
        object.size = wrong
        await requireRefusal(object.complete(), 'STORAGE_CORRUPT')
        object.remembered = remembered
        object.size = size
        await object.complete()
        await requireContent(subject.store, key, bytes)
      })
    }
  }

  test('an object that does not exist does not complete', async ({ upload }) => {
    await requireRefusal(upload(5).complete(), 'STORAGE_CORRUPT')
  })

  test('an object that lost its bytes does not complete', async ({ store, upload }) => {
    const bytes = repeatable(large)
    const object = upload(large)
    await object.write(bytes.subarray(0, large - 1))
    const { memo } = object.object()
    await store.remove(key, memo)
    const rest = async () => {
      await object.write(bytes.subarray(large - 1))
      await object.complete()
    }
    await requireRefusal(rest(), 'STORAGE_CORRUPT', 'STORAGE_UNAVAILABLE')
    assert.equal(await store.stat(key).then((found) => found?.size === large), false)
  })
}

/** What another process does that knows nothing but what was remembered. */
export function reopening(test: Define, { large }: Sizes): void {
  test('every step may be done by another process', async ({ upload, store, reopen }) => {
    const bytes = repeatable(large)
    const object = upload(null)
    const step = Math.ceil(large / 3)
    for (let at = 0; at < large; at += step) {
      await object.write(bytes.subarray(at, at + step))
      object.store = await reopen()
    }
    object.size = large
    await object.write([])
    object.store = await reopen()
    await object.complete()
    object.store = await reopen()
    await object.complete()
    await requireContent(store, key, bytes)
    await requireContent(await reopen(), key, bytes)
    await (await reopen()).remove(key)
    assert.equal(await store.stat(key), null)
  })

  test('another process sees a wrong size as well', async ({ upload, reopen }) => {
    for (const size of [5, large]) {
      const object = upload(size)
      await object.write(repeatable(size))
      object.store = await reopen()
      object.size = size + 1
      const error = await failureOf(object.complete())
      assert.equal((error as { code?: unknown }).code, 'STORAGE_CORRUPT')
      await object.remove()
    }
  })
}
