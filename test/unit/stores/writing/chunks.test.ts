import { PassThrough, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Chunks, chunksOf } from '../../../../stores/writing/chunks.ts'
import {
  byteSource,
  pieces,
  randomBytesFrom,
  type WatchedSource,
} from '../../../support/byte-source.ts'
import { seededRandom } from '../../../support/random.ts'

const KiB = 1024

const test = suite('stores/writing/chunks')

/** All that is left of it. */
async function rest(chunks: Chunks): Promise<Buffer> {
  const all: Buffer[] = []
  for (let chunk = await chunks.next(); chunk; chunk = await chunks.next())
    all.push(chunk)
  return Buffer.concat(all)
}

test('chunks of any size come in order, and are shown when they are asked for', async () => {
  const bytes = randomBytesFrom(seededRandom(1), 2_000_000)
  const source = byteSource(pieces(bytes, seededRandom(2), 90_000))
  const chunks = chunksOf(source)
  const first = await chunks.next()
  assert.ok(first)
  assert.is(source.seen.length, 1)
  assert.ok(Buffer.concat([first, await rest(chunks)]).equals(bytes))
  assert.ok(Buffer.concat(source.seen).equals(bytes))
  assert.is(await chunks.next(), null, 'and it stays over')
})

test('empty chunks are nothing', async () => {
  const source = byteSource([
    Buffer.of(),
    Buffer.from('a'),
    Buffer.of(),
    Buffer.from('b'),
  ])
  assert.is(String(await rest(chunksOf(source))), 'ab')
  assert.is(source.seen.length, 2)
})

const endings: [how: string, end: (stream: Readable, abort: AbortController) => void][] =
  [
    ['ends', (stream) => void stream.push(null)],
    ['is destroyed', (stream) => stream.destroy()],
    ['fails', (stream) => stream.destroy(new Error('reset'))],
    ['says aborted, as requests of Node do', (stream) => void stream.emit('aborted')],
    ['is told to end', (_stream, abort) => abort.abort()],
  ]

for (const [how, end] of endings) {
  const begun = () => {
    const stream = new Readable({ read() {} })
    const abort = new AbortController()
    const source = byteSource(stream, { signal: abort.signal })
    return { stream, abort, source, chunks: chunksOf(source) }
  }

  test(`what a source yielded that ${how} can still be asked for`, async () => {
    const { stream, abort, chunks } = begun()
    stream.push('hel')
    stream.push('lo')
    await sleep(5)
    end(stream, abort)
    assert.is(String(await rest(chunks)), 'hello')
  })

  test(`who waits for a source that ${how} is told at once`, async () => {
    const { stream, abort, chunks } = begun()
    const next = chunks.next()
    end(stream, abort)
    assert.is(await next, null)
  })

  test(`the chunk that reaches the limit is kept when the source then ${how}`, async () => {
    const stream = new Readable({ read() {} })
    const abort = new AbortController()
    const source = byteSource(stream, { limit: 5, signal: abort.signal })
    const chunks = chunksOf(source)
    stream.push('hel')
    assert.is(String(await chunks.next()), 'hel')
    stream.push('lo')
    await sleep(5)
    assert.is(source.seen.length, 1, 'it is held back')
    end(stream, abort)
    assert.is(String(await rest(chunks)), 'lo')
  })
}

test('a source that was over before yields nothing, and no error', async () => {
  const destroyed = new PassThrough()
  destroyed.destroy()
  const read = Readable.from(['x'])
  await read.toArray()
  const aborted = byteSource('x', { signal: AbortSignal.abort() })
  for (const source of [byteSource(destroyed), byteSource(read), aborted]) {
    assert.is(await chunksOf(source).next(), null)
  }
})

const excesses: [what: string, parts: string[], kept: string][] = [
  ['one chunk that is too long', ['abcdefg'], ''],
  ['a last chunk that is too long', ['abc', 'defg'], 'abc'],
  ['one chunk too many after the limit was reached', ['abc', 'def', 'g'], 'abc'],
  ['many chunks too many', ['abcdef', 'g', 'h', 'i'], ''],
]

for (const [what, parts, kept] of excesses) {
  test(`of ${what} the last chunk within the limit is dropped`, async () => {
    const source = byteSource(
      parts.map((part) => Buffer.from(part)),
      { limit: 6 },
    )
    assert.is(String(await rest(chunksOf(source))), kept)
    assert.is(source.excess(), 1)
    assert.is(String(Buffer.concat(source.seen)), kept, 'a dropped chunk is not hashed')
  })
}

test('reading pauses while 64 KiB and a chunk wait, and goes on', async () => {
  const chunk = 64 * KiB
  let produced = 0
  const eager = new Readable({
    highWaterMark: chunk,
    read() {
      produced += chunk
      this.push(produced > 40 * chunk ? null : Buffer.alloc(chunk))
    },
  })
  const chunks = chunksOf(byteSource(eager))
  await chunks.next()
  await sleep(20)
  const before = produced
  assert.ok(before <= 64 * KiB + 3 * chunk, `${before} bytes were read ahead`)
  await sleep(20)
  assert.is(produced, before)
  assert.is((await rest(chunks)).length, 39 * chunk)
})

function listeners(source: WatchedSource): number[] {
  const names = ['data', 'end', 'aborted', 'close']
  return names.map((name) => source.stream.listenerCount(name))
}

test('once stopped it yields nothing, reads nothing and listens to nothing', async () => {
  const stream = new PassThrough()
  const source = byteSource(stream, { limit: 5 })
  const before = listeners(source)
  const chunks = chunksOf(source)
  stream.write('hello')
  await sleep(5)
  chunks.stop()
  chunks.stop()
  assert.is(await chunks.next(), null)
  assert.equal(source.seen, [])
  assert.equal(listeners(source), before)
  assert.ok(stream.isPaused())
  assert.not(stream.destroyed, 'a request has still to be answered')
})

test('stopping wakes who waits', async () => {
  const chunks = chunksOf(byteSource(new PassThrough()))
  const next = chunks.next()
  chunks.stop()
  assert.is(await next, null)
})

test('an error that comes after the end of the work ends nobody', async () => {
  const stream = new PassThrough()
  chunksOf(byteSource(stream)).stop()
  stream.destroy(new Error('late'))
  await sleep(5)
  assert.ok(stream.errored)
})

test.run()
