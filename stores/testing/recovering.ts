import assert from 'node:assert/strict'
import { inPieces, repeatable, requireContent } from './bytes.ts'
import { nothing, remember } from './remembered.ts'
import { type Define, key, type Sizes } from './subject.ts'

/** Crashes between what a store did and what was remembered of it. */
export function recovering(test: Define, { large }: Sizes): void {
  for (const [which, share] of [
    ['nothing', 0],
    ['half', 0.5],
    ['nearly all', 0.99],
  ] as const) {
    test(`an upload goes on where ${which} of what was told is remembered`, async (subject) => {
      const bytes = repeatable(large)
      const object = subject.upload(large)
      await object.write(inPieces(bytes, large / 12))
      const at = Math.floor((object.history.length - 1) * share)
      object.remembered = object.history[at] ?? nothing
      await object.write(bytes.subarray(object.offset))
      await object.complete()
      await requireContent(subject.store, key, bytes)
    })
  }
}

/** `offset`, for stores that have it. */
export function offsets(test: Define, { large }: Sizes): void {
  test('it says where an object stands', async ({ store, upload }) => {
    const object = upload(null)
    assert.equal((await store.offset?.(object.object()))?.offset, 0)
    for (const text of ['hello', ' world']) {
      await object.write(text)
      assert.equal((await store.offset?.(object.object()))?.offset, object.offset)
    }
  })

  test('what is told to be stored is stored at that moment', async ({
    store,
    upload,
  }) => {
    const object = upload(large)
    const found: Promise<[told: number, held: number]>[] = []
    await object.write(inPieces(repeatable(large), large / 12), {
      onStored() {
        const told = object.offset
        const held = store.offset?.(object.object())
        found.push(Promise.resolve(held).then((now) => [told, now?.offset ?? 0]))
      },
    })
    for (const [told, held] of await Promise.all(found)) {
      assert.ok(held >= told, `${told} bytes were told and ${held} held`)
    }
  })

  test('it finds what was stored before a crash and not remembered', async (subject) => {
    const bytes = repeatable(large)
    const object = subject.upload(large)
    await object.write(bytes.subarray(0, large - 1))
    const { offset } = object
    object.remembered = object.history[Math.floor(object.history.length / 2)] ?? nothing
    const found = await subject.store.offset?.(object.object())
    assert.ok(found && found.offset >= object.offset, 'it is not behind what was told')
    assert.ok(found.offset <= offset, 'it is not beyond what was stored')
    object.remembered = remember(object.remembered, found)
    await object.write(bytes.subarray(object.offset))
    await object.complete()
    await requireContent(subject.store, key, bytes)
  })

  test('it admits that bytes were lost', async ({ store, upload }) => {
    const object = upload(large)
    await object.write(repeatable(large - 1))
    const before = object.object()
    await store.remove(key, before.memo)
    const found = await store.offset?.(before)
    assert.ok(found && found.offset < before.offset)
  })
}
