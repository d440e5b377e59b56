import assert from 'node:assert/strict'
import type { ListedObject, UnfinishedObject } from '../store.ts'
import { repeatable, requireContent } from './bytes.ts'
import { type Define, key, longerKey, otherKey, type Sizes } from './subject.ts'

/** `list`, for stores that have it. */
export function listing(test: Define, { large, listed }: Sizes): void {
  test('it lists all its finished objects, and nobody else’s', async (subject) => {
    const { store, elsewhere } = subject
    const began = Date.now()
    await (await elsewhere()).put(otherKey, Buffer.from('not ours'), {})
    const sizes = new Map<string, number>()
    for (let n = 0; n < listed; n++) {
      sizes.set(`object-${n}-of-many`, n)
      await store.put(`object-${n}-of-many`, repeatable(n), {})
    }
    const found = await all<ListedObject>(store.list?.())
    assert.deepEqual(
      found.map(({ key, size }) => [key, size]).sort(),
      [...sizes].sort(),
      'keys and sizes',
    )
    for (const { modifiedAt } of found) requireRecent(modifiedAt, began)
    const [first = ''] = sizes.keys()
    await store.remove(first)
    const keys = (await all<ListedObject>(store.list?.())).map((object) => object.key)
    assert.equal(keys.length, listed - 1)
    assert.ok(!keys.includes(first), 'what is removed is not listed')
  })

  test('of an unfinished object it lists no part', async ({ store, upload }) => {
    const object = upload(large)
    await object.write(repeatable(large - 1))
    for (const found of await all<ListedObject>(store.list?.())) {
      // A store may be unable to tell finished objects from others, but knows its keys.
      assert.equal(found.key, key)
    }
    await object.write(repeatable(large).subarray(large - 1))
    await object.complete()
    const found = await all<ListedObject>(store.list?.())
    assert.deepEqual(
      found.map(({ key, size }) => ({ key, size })),
      [{ key, size: large }],
    )
  })
}

/** `listUnfinished`, for stores that have it. */
export function listingUnfinished(test: Define, { large }: Sizes): void {
  test('it lists what was begun until it is removed or completed', async (subject) => {
    const { store, upload, elsewhere } = subject
    const list = () => all<UnfinishedObject>(store.listUnfinished?.())
    const began = Date.now()
    await elsewhere()
    assert.deepEqual(await list(), [])
    const [given, completed] = [upload(large), upload(large, longerKey)]
    for (const object of [given, completed]) await object.write(repeatable(large - 1))
    const found = await list()
    assert.deepEqual(found.map((one) => one.key).sort(), [key, longerKey])
    for (const { startedAt } of found) requireRecent(startedAt, began)

    const memo = found.find((one) => one.key === key)?.memo
    await store.remove(key, JSON.parse(JSON.stringify(memo)))
    assert.deepEqual(
      (await list()).map((one) => one.key),
      [longerKey],
    )
    await completed.write(repeatable(large).subarray(large - 1))
    await completed.complete()
    assert.deepEqual(await list(), [])
    await requireContent(store, longerKey, repeatable(large))
  })

  test('giving up what was begun leaves a finished object of its key', async ({
    store,
    upload,
  }) => {
    if (!store.abort) return
    const object = upload(large)
    await object.write(repeatable(large - 1))
    await store.put(key, repeatable(5), {})
    for (const one of await all<UnfinishedObject>(store.listUnfinished?.())) {
      await store.abort(one)
      await store.abort(one)
    }
    assert.deepEqual(await all<UnfinishedObject>(store.listUnfinished?.()), [])
    await requireContent(store, key, repeatable(5))
  })

  test('what others began is not listed', async ({ store, elsewhere, upload }) => {
    const object = upload(large)
    object.store = await elsewhere()
    await object.write(repeatable(large - 1))
    assert.deepEqual(await all<UnfinishedObject>(store.listUnfinished?.()), [])
    await object.remove()
  })

  test('what fails to be put is not left unfinished', async ({ store }) => {
    const { Readable } = await import('node:stream')
    const body = Readable.from(
      (async function* () {
        yield repeatable(large)
        throw new Error('the body failed')
      })(),
    )
    await store.put(key, body, {}).catch(() => {})
    assert.deepEqual(await all<UnfinishedObject>(store.listUnfinished?.()), [])
  })
}

async function all<T>(listed: AsyncIterable<T> | undefined): Promise<T[]> {
  assert.ok(listed)
  const found: T[] = []
  for await (const one of listed) found.push(one)
  return found
}

/** Clocks of other machines differ, and some count seconds only. */
function requireRecent(date: Date, since: number): void {
  const distance = Math.abs(date.getTime() - since)
  assert.ok(distance < 3_600_000, `${date.toISOString()} is not now`)
}
