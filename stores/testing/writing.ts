import assert from 'node:assert/strict'
import { inPieces, repeatable, requireContent } from './bytes.ts'
import {
  type Define,
  key,
  longerKey,
  otherKey,
  requireRefusal,
  type Sizes,
} from './subject.ts'

/** How objects grow. */
export function writing(test: Define, sizes: Sizes): void {
  small(test)
  deferred(test, sizes)
  large(test, sizes)
  fresh(test, sizes)

  test('keys do not touch each other', async ({ store, upload }) => {
    const texts = { [key]: 'mine', [longerKey]: 'longer', [otherKey]: 'another' }
    const uploads = Object.entries(texts).map(async ([name, text]) => {
      const one = upload(text.length, name)
      await one.write(text.slice(0, 2))
      await one.write(text.slice(2))
      await one.complete()
    })
    await Promise.all(uploads)
    for (const [name, text] of Object.entries(texts)) {
      await requireContent(store, name, text)
    }
    await store.remove(key)
    await requireContent(store, longerKey, texts[longerKey] ?? '')
  })

  if (sizes.partSize > 0) return
  test('writing where an object does not end is refused, and harms nothing', async (subject) => {
    const object = subject.upload(10)
    await object.write('hello')
    const right = object.remembered
    object.remembered = { ...right, offset: 9 }
    await requireRefusal(object.write('!'), 'STORAGE_CORRUPT')
    object.remembered = right
    await object.write(' you!')
    await object.complete()
    await requireContent(subject.store, key, 'hello you!')
  })
}

function small(test: Define): void {
  test('an object grows at its offset, over any number of writes', async (subject) => {
    const object = subject.upload(11)
    assert.equal((await object.write('hello')).offset, 5)
    assert.equal((await object.write(' ')).offset, 6)
    assert.equal((await object.write('world')).offset, 11)
    await object.complete()
    await requireContent(subject.store, key, 'hello world')
  })

  test('an empty source at the beginning makes an empty object', async (subject) => {
    const object = subject.upload(0)
    assert.equal((await object.write([])).offset, 0)
    await object.complete()
    await requireContent(subject.store, key, '')
  })

  test('an empty source changes nothing', async (subject) => {
    const object = subject.upload(6)
    for (const text of ['', 'hello', '', '!', ''])
      await object.write(text && [Buffer.from(text)])
    assert.equal(object.offset, 6)
    await object.complete()
    await requireContent(subject.store, key, 'hello!')
  })
}

function fresh(test: Define, { refusesOccupied }: Sizes): void {
  test('of a fresh key all is written, from the beginning on', async (subject) => {
    const object = subject.upload(11)
    object.fresh = true
    await object.write('hello world')
    await object.complete()
    await requireContent(subject.store, key, 'hello world')
  })

  test('a fresh object replaces nothing that is there, or all of it', async (subject) => {
    const first = subject.upload(5)
    await first.write('first')
    await first.complete()
    const second = subject.upload(6)
    second.fresh = true
    const writing = second.write('second').then(() => second.complete())
    const error = await writing.then(() => null, toError)
    if (refusesOccupied) assert.ok(error, 'it was not refused')
    if (error) await requireRefusal(writing, 'OBJECT_EXISTS')
    await requireContent(subject.store, key, error ? 'first' : 'second')
  })
}

const toError = (error: unknown) => ({ error })

function deferred(test: Define, { large }: Sizes): void {
  test('a size may be declared before the last bytes', async (subject) => {
    const object = subject.upload(null)
    await object.write('hello')
    object.size = 11
    assert.equal((await object.write(' world')).offset, 11)
    await object.complete()
    await requireContent(subject.store, key, 'hello world')
  })

  for (const [then, text] of [
    ['', 'hello'],
    [', after which nothing is written', 'hello'],
    [', also of nothing', ''],
  ] as const) {
    test(`a size may be declared after the last byte${then}`, async (subject) => {
      const object = subject.upload(null)
      await object.write(text && [Buffer.from(text)])
      object.size = text.length
      if (!then.includes('after')) await object.write([])
      await object.complete()
      await requireContent(subject.store, key, text)
    })
  }

  test('an object of many bytes may tell its size at the end', async (subject) => {
    const bytes = repeatable(large)
    const object = subject.upload(null)
    await object.write(inPieces(bytes, large / 10))
    assert.equal(object.offset, large)
    object.size = large
    await object.write([])
    await object.complete()
    await requireContent(subject.store, key, bytes)
  })
}

function large(test: Define, sizes: Sizes): void {
  for (const known of [true, false]) {
    const title = `megabytes in chunks of any size come back as they were sent, with their size ${known ? 'known' : 'unknown'}`
    test(title, async (subject) => {
      const bytes = repeatable(sizes.large)
      const half = Math.floor(sizes.large * 0.41)
      const object = subject.upload(known ? bytes.length : null)
      await object.write(inPieces(bytes.subarray(0, half), sizes.large / 12))
      assert.equal(object.offset, half)
      object.size = bytes.length
      const { shown } = await object.write(
        inPieces(bytes.subarray(half), sizes.large / 12),
      )
      assert.ok(shown.equals(bytes), 'onChunk is shown every byte in order')
      await object.complete()
      await requireContent(subject.store, key, bytes)
    })
  }

  test('many small writes make an object as one large write does', async (subject) => {
    const bytes = repeatable(sizes.large)
    const object = subject.upload(bytes.length)
    const step = Math.ceil(sizes.large / 23)
    for (let at = 0; at < bytes.length; at += step) {
      await object.write(bytes.subarray(at, at + step))
      assert.equal(object.offset, Math.min(at + step, bytes.length))
    }
    await object.complete()
    await requireContent(subject.store, key, bytes)
  })

  for (const parts of sizes.partSize > 0 ? [1, 2] : []) {
    test(`an object may end where part ${parts} does`, async (subject) => {
      const bytes = repeatable(parts * sizes.partSize)
      for (const known of [true, false]) {
        const object = subject.upload(known ? bytes.length : null, known ? key : otherKey)
        await object.write(inPieces(bytes, sizes.partSize))
        object.size = bytes.length
        if (!known) await object.write([])
        await object.complete()
        await requireContent(subject.store, object.key, bytes)
      }
    })
  }
}
