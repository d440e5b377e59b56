import { PassThrough, type Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { suite, type Test } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError } from '../../src/shared/errors.ts'
import type { Store } from '../../stores/store.ts'
import { byteSource, pieces, randomBytesFrom } from '../support/byte-source.ts'
import { seededRandom } from '../support/random.ts'

/**
 * What every store must do, as tests. `create` returns a store that was not started and is
 * used by one test only.
 */
export function testStore(name: string, create: () => Store | Promise<Store>): void {
  const tests = suite(`the contract of a store: ${name}`)
  const test = (title: string, check: (store: Store) => Promise<void>) =>
    tests(title, async () => {
      const store = await create()
      await store.start()
      await check(store)
    })
  writing(test)
  breakingOff(test)
  completing(test)
  reading(test)
  removing(test)
  aside(tests, create)
  tests.run()
}

type Define = (title: string, check: (store: Store) => Promise<void>) => void

const key = 'k3Y_-0123456789abcdefghi'
const otherKey = 'another-0123456789abcdef'

function writing(test: Define): void {
  test('an object grows at its offset, over any number of writes', async (store) => {
    assert.is(await store.offset(key), 0)
    assert.is(await store.write(key, 0, byteSource('hello')), 5)
    assert.is(await store.offset(key), 5)
    assert.is(await store.write(key, 5, byteSource(' world')), 11)
    assert.is(await store.offset(key), 11)
    assert.is((await finished(store, 11)).toString(), 'hello world')
  })

  test('an empty source at the beginning makes an empty object', async (store) => {
    assert.is(await store.write(key, 0, byteSource([])), 0)
    assert.equal(await store.stat(key), { size: 0 })
    assert.is((await finished(store, 0)).length, 0)
  })

  test('an empty source later changes nothing', async (store) => {
    await store.write(key, 0, byteSource('hello'))
    assert.is(await store.write(key, 5, byteSource([])), 5)
    assert.is((await finished(store, 5)).toString(), 'hello')
  })

  test('megabytes in chunks of any size come back as they were sent', async (store) => {
    const random = seededRandom(11)
    const bytes = randomBytesFrom(random, 3_000_001)
    const half = 1_234_567
    for (const [from, to] of [
      [0, half],
      [half, bytes.length],
    ] as const) {
      const source = byteSource(pieces(bytes.subarray(from, to), random, 200_000))
      assert.is(await store.write(key, from, source), to)
      assert.ok(Buffer.concat(source.seen).equals(bytes.subarray(from, to)))
    }
    assert.ok((await finished(store, bytes.length)).equals(bytes))
  })

  test('what is told to be stored grows and ends at the offset', async (store) => {
    await store.write(key, 0, byteSource('hello'))
    const source = byteSource(pieces(Buffer.alloc(900_000), seededRandom(3), 50_000))
    const end = await store.write(key, 5, source)
    assert.equal(
      source.stored,
      [...source.stored].sort((a, b) => a - b),
    )
    assert.ok(source.stored.every((offset) => offset > 5 && offset <= end))
    assert.is(source.stored.at(-1), end)
  })

  test('keys do not touch each other', async (store) => {
    await Promise.all([
      store.write(key, 0, byteSource('mine')),
      store.write(otherKey, 0, byteSource('another')),
    ])
    assert.is(await store.offset(key), 4)
    assert.is(await store.offset(otherKey), 7)
  })

  test('writing where the object does not end is refused, and harms nothing', async (store) => {
    await store.write(key, 0, byteSource('hello'))
    assert.is(await codeOf(store.write(key, 9, byteSource('!'))), 'STORAGE_CORRUPT')
    assert.is(await store.offset(key), 5)
  })
}

function breakingOff(test: Define): void {
  const endings: [how: string, end: (s: Readable, abort: AbortController) => void][] = [
    ['is destroyed', (stream) => stream.destroy()],
    ['fails', (stream) => stream.destroy(new Error('reset'))],
    ['says aborted', (stream) => void stream.emit('aborted')],
    ['must end', (_stream, abort) => abort.abort()],
  ]
  for (const [how, end] of endings) {
    test(`of a source that ${how} everything that arrived is kept`, async (store) => {
      const stream = new PassThrough()
      const abort = new AbortController()
      const source = byteSource(stream, { signal: abort.signal })
      const writing = store.write(key, 0, source)
      stream.write('hello')
      while (source.seen.length === 0) await new Promise(setImmediate)
      end(stream, abort)
      assert.is(await writing, 5)
      assert.is(await store.offset(key), 5)
      assert.is(await store.write(key, 5, byteSource('!')), 6)
      assert.is((await finished(store, 6)).toString(), 'hello!')
    })
  }

  test('a source that was over before it began yields nothing', async (store) => {
    const stream = new PassThrough()
    stream.destroy()
    assert.is(await store.write(key, 0, byteSource(stream)), 0)
  })

  for (const parts of [['hello!'], ['hel', 'lo!'], ['hello', '!']]) {
    test(`a source beyond its limit (${parts.join(' ')}) never fills the object`, async (store) => {
      const source = byteSource(
        parts.map((part) => Buffer.from(part)),
        { limit: 5 },
      )
      const end = await store.write(key, 0, source)
      assert.is(source.excess(), 1)
      assert.ok(end < 5, `${end} bytes were kept`)
      assert.is(await store.offset(key), end)
    })
  }

  test('a source of exactly its limit is kept whole', async (store) => {
    const source = byteSource([Buffer.from('hel'), Buffer.from('lo')], { limit: 5 })
    assert.is(await store.write(key, 0, source), 5)
    assert.is(source.excess(), 0)
  })
}

function completing(test: Define): void {
  test('completing twice is completing once', async (store) => {
    await store.write(key, 0, byteSource('hello'))
    await store.complete(key, 5, { contentType: 'text/plain' })
    await store.complete(key, 5, { contentType: 'text/plain' })
    assert.is((await read(store)).toString(), 'hello')
  })

  for (const size of [0, 4, 6]) {
    test(`an object of 5 bytes does not complete as one of ${size}`, async (store) => {
      await store.write(key, 0, byteSource('hello'))
      assert.is(await codeOf(store.complete(key, size, {})), 'STORAGE_CORRUPT')
      assert.is(await store.offset(key), 5)
    })
  }

  test('an object that does not exist does not complete', async (store) => {
    assert.is(await codeOf(store.complete(key, 5, {})), 'STORAGE_CORRUPT')
  })
}

function reading(test: Define): void {
  test('of what does not exist there is nothing to read', async (store) => {
    assert.is(await store.open(key), null)
    assert.is(await store.stat(key), null)
    assert.is(await store.offset(key), 0)
  })

  const ranges = [
    [0, 0],
    [0, 10],
    [4, 6],
    [10, 10],
    [0, 9],
  ] as const
  test('a range has its first and its last byte', async (store) => {
    const text = 'hello world'
    await store.write(key, 0, byteSource(text))
    await store.complete(key, text.length, {})
    for (const [start, end] of ranges) {
      const stream = await store.open(key, { start, end })
      assert.ok(stream)
      assert.is(String(await buffer(stream)), text.slice(start, end + 1))
    }
  })

  test('a read that is destroyed half way harms nothing', async (store) => {
    const bytes = randomBytesFrom(seededRandom(5), 2_000_000)
    await store.write(key, 0, byteSource(bytes))
    await store.complete(key, bytes.length, {})
    const stream = await store.open(key)
    assert.ok(stream)
    for await (const _chunk of stream) break
    assert.ok(stream.destroyed)
    assert.ok((await read(store)).equals(bytes))
  })
}

function removing(test: Define): void {
  test('what is removed is gone, finished or not', async (store) => {
    await store.write(key, 0, byteSource('hello'))
    await store.remove(key)
    assert.is(await store.stat(key), null)
    assert.is(await store.offset(key), 0)
    await store.write(key, 0, byteSource('again'))
    await finished(store, 5)
    await store.remove(key)
    assert.is(await store.open(key), null)
  })

  test('removing what does not exist is no failure', async (store) => {
    await store.remove(key)
    await store.remove(key)
  })
}

function aside(tests: Test, create: () => Store | Promise<Store>): void {
  tests('it says what kind it is', async () => {
    assert.match((await create()).kind, /^[a-z][a-z0-9-]*$/)
  })

  tests('starting twice is starting once', async () => {
    const store = await create()
    await store.start()
    await store.write(key, 0, byteSource('hello'))
    await store.start()
    assert.is(await store.offset(key), 5)
  })
}

async function finished(store: Store, size: number): Promise<Buffer> {
  await store.complete(key, size, {})
  assert.equal(await store.stat(key), { size })
  return read(store)
}

async function read(store: Store): Promise<Buffer> {
  const stream = await store.open(key)
  assert.ok(stream, 'the object can be opened')
  return buffer(stream)
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing',
    (error) => (error instanceof CarcosaError ? error.code : String(error)),
  )
}
