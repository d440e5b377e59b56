import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { inPieces, repeatable, requireAbsent, requireContent } from './bytes.ts'
import { type Define, failureOf, key, type Sizes } from './subject.ts'

/** Objects that are stored in one go. */
export function putting(test: Define, sizes: Sizes): void {
  whole(test, sizes)
  failing(test, sizes)
}

function whole(test: Define, { large }: Sizes): void {
  for (const size of [0, 5, large]) {
    const bytes = repeatable(size)
    const pieces = () => Readable.from(inPieces(bytes, Math.max(size / 12, 2)))
    test(`${size} bytes are put, of known length and of unknown`, async ({ store }) => {
      const ways = [
        () => store.put(key, bytes, {}),
        () => store.put(key, pieces(), { size, contentType: 'text/plain' }),
        () => store.put(key, pieces(), { metadata: { 'carcosa-id': 'id' } }),
      ]
      for (const put of ways) {
        assert.equal(await put(), size)
        await requireContent(store, key, bytes)
        await store.remove(key)
      }
    })
  }

  test('what is put replaces what is there', async ({ store }) => {
    for (const [size, seed] of [
      [large, 1],
      [5, 2],
      [large, 3],
    ] as const) {
      await store.put(key, Readable.from([repeatable(size, seed)]), { size })
      await requireContent(store, key, repeatable(size, seed))
    }
  })

  test('no other object is touched by what is put', async ({ store }) => {
    await store.put(`${key}-1`, Buffer.from('other'), {})
    await store.put(key, repeatable(large), {})
    await requireContent(store, `${key}-1`, 'other')
  })
}

/** Bodies of which there must be nothing. */
function failing(test: Define, { large }: Sizes): void {
  test('a body that fails leaves nothing, and its error is the one told', async ({
    store,
  }) => {
    for (const [size, share] of [
      [10, 0.5],
      [large, 0.8],
      [undefined, 0.8],
    ] as const) {
      const error = new Error('the body failed')
      const bytes = repeatable(Math.floor((size ?? large) * share))
      const put = store.put(key, failingAfter(inPieces(bytes, bytes.length / 4), error), {
        size,
      })
      assert.equal(await failureOf(put), error)
      await requireAbsent(store, key)
    }
  })

  test('a body that breaks off without an error leaves nothing either', async ({
    store,
  }) => {
    for (const size of [10, undefined]) {
      const body = new PassThrough()
      body.write('hello')
      const put = store.put(key, body, { size })
      setTimeout(() => body.destroy(), 20)
      await failureOf(put)
      await requireAbsent(store, key)
    }
  })

  for (const [what, size] of [
    ['shorter', 6],
    ['longer', 4],
  ] as const) {
    test(`a body ${what} than it was said to be leaves nothing`, async ({ store }) => {
      await failureOf(store.put(key, Readable.from([Buffer.from('hello')]), { size }))
      await requireAbsent(store, key)
    })
  }
}

function failingAfter(pieces: readonly Buffer[], error: Error): Readable {
  return Readable.from(
    (async function* () {
      yield* pieces
      throw error
    })(),
  )
}
