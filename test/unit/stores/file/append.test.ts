import fs, { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { relief } from '../../../../src/shared/relief.ts'
import { append } from '../../../../stores/file/append.ts'
import {
  byteSource,
  pieces,
  randomBytesFrom,
  type WatchedSource,
} from '../../../support/byte-source.ts'
import { seededRandom } from '../../../support/random.ts'

const KiB = 1024
const MiB = 1024 * KiB

const test = suite('stores/file/append')

const directory = mkdtempSync(join(tmpdir(), 'carcosa-append-'))
test.after(() => rmSync(directory, { recursive: true }))

// What the kernel may do with a writev, and a disk that is slow or full, is done here in its
// place: Node's own function is replaced for the length of one test.

interface Call {
  fd: number
  buffers: Buffer[]
  position: number
}
type Done = (error: NodeJS.ErrnoException | null, written: number) => void
type Writev = (call: Call, done: Done) => void

const realWritev = fs.writev
test.after.each(() => {
  replaceWritev(realWritev)
  // Whatever became of the bytes, nobody believes that they still wait.
  assert.is(relief.held, 0)
})

function useWritev(writev: Writev): void {
  replaceWritev((...args: [number, Buffer[], number, Done]) => {
    const [fd, buffers, position, done] = args
    writev({ fd, buffers, position }, done)
  })
}

function replaceWritev(writev: unknown): void {
  Object.assign(fs, { writev })
  syncBuiltinESMExports()
}

/** Writes at most as many bytes as `most()` says, like a kernel that was interrupted. */
function partialWritev(most: () => number): Writev {
  return ({ fd, buffers, position }, done) => {
    const bytes = Buffer.concat(buffers).subarray(0, most())
    fs.write(fd, bytes, 0, bytes.length, position, (error, written) =>
      done(error, written),
    )
  }
}

let files = 0

/** Appends to a new file that holds `before`, and returns what became of both. */
async function appendTo(before: string, source: WatchedSource) {
  const path = join(directory, String(files++))
  fs.writeFileSync(path, before)
  const fd = openSync(path, 'r+')
  try {
    const end = await append({ fd: fd, position: before.length }, source)
    return { end, content: readFileSync(path) }
  } finally {
    closeSync(fd)
  }
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`chunks of any size arrive in order, whatever the kernel takes (seed ${seed})`, async () => {
    const random = seededRandom(seed)
    const bytes = randomBytesFrom(random, 1 + Math.floor(random() * 5 * MiB))
    if (seed % 2 === 0) {
      useWritev(partialWritev(() => 1 + Math.floor(random() ** 2 * MiB)))
    }
    const parts = pieces(bytes, random, [100, 70 * KiB, 2 * MiB][seed % 3] ?? 1)
    const source = byteSource(parts)
    const { end, content } = await appendTo('before', source)
    assert.is(end, 6 + bytes.length)
    assert.ok(content.equals(Buffer.concat([Buffer.from('before'), bytes])))
    assert.ok(Buffer.concat(source.seen).equals(bytes), 'onChunk saw every byte in order')
    assert.equal(
      source.stored,
      [...source.stored].sort((a, b) => a - b),
    )
    assert.is(source.stored.at(-1), end)
  })
}

test('a source without a byte writes nothing', async () => {
  const source = byteSource([])
  const { end, content } = await appendTo('before', source)
  assert.is(end, 6)
  assert.is(content.toString(), 'before')
  assert.equal(source.stored, [])
})

test('empty chunks are nothing', async () => {
  const nothing = Buffer.alloc(0)
  const source = byteSource([
    nothing,
    Buffer.from('a'),
    nothing,
    Buffer.from('b'),
    nothing,
  ])
  assert.is((await appendTo('', source)).content.toString(), 'ab')
})

test('what was told to be stored is in the file at that moment', async () => {
  const path = join(directory, 'told')
  const fd = openSync(path, 'w+')
  const random = seededRandom(7)
  const bytes = randomBytesFrom(random, 3 * MiB)
  const source = byteSource(pieces(bytes, random, 40 * KiB))
  let told = 0
  await append(
    { fd: fd, position: 0 },
    {
      ...source,
      onStored({ offset }) {
        told++
        assert.ok(
          readFileSync(path).subarray(0, offset).equals(bytes.subarray(0, offset)),
        )
      },
    },
  )
  closeSync(fd)
  assert.ok(told > 1)
})

test('a single byte of a client that then stalls is written within moments', async () => {
  const stream = new PassThrough()
  const source = byteSource(stream)
  const result = appendTo('', source)
  stream.write('x')
  await sleep(100)
  assert.equal(source.stored, [1])
  stream.end()
  assert.is((await result).end, 1)
})

// Sources that break off: what arrived is kept, and nothing is thrown.

const endings: [how: string, end: (stream: Readable, abort: AbortController) => void][] =
  [
    ['is destroyed', (stream) => stream.destroy()],
    ['fails', (stream) => stream.destroy(new Error('reset'))],
    ['says aborted, as requests of Node do', (stream) => void stream.emit('aborted')],
    ['is told to end', (_stream, abort) => abort.abort()],
  ]

for (const [how, end] of endings) {
  test(`of a source that ${how} everything is kept that arrived`, async () => {
    const stream = new PassThrough()
    const abort = new AbortController()
    const source = byteSource(stream, { signal: abort.signal })
    const result = appendTo('before', source)
    stream.write(Buffer.alloc(700 * KiB, 'a'))
    stream.write('b')
    await sleep(5)
    end(stream, abort)
    const { end: position, content } = await result
    const seen = Buffer.concat(source.seen)
    assert.is(seen.length, 700 * KiB + 1)
    assert.is(position, 6 + seen.length)
    assert.ok(content.subarray(6).equals(seen))
  })

  test(`a source that ${how} while the disk is busy loses nothing`, async () => {
    useWritev((call, done) => {
      setTimeout(() => partialWritev(() => 300 * KiB)(call, done), 10)
    })
    const stream = new PassThrough({ highWaterMark: MiB })
    const abort = new AbortController()
    const source = byteSource(stream, { signal: abort.signal })
    const result = appendTo('', source)
    for (let i = 0; i < 12; i++) stream.write(Buffer.alloc(64 * KiB, i))
    await sleep(2)
    end(stream, abort)
    const { end: position, content } = await result
    const seen = Buffer.concat(source.seen)
    assert.ok(seen.length > 0)
    assert.is(position, seen.length)
    assert.ok(content.equals(seen))
  })

  test(`a source that ${how} before it is asked yields nothing, and no error`, async () => {
    const stream = new PassThrough()
    const abort = new AbortController()
    stream.on('error', () => {})
    if (how.startsWith('says')) stream.destroy()
    else end(stream, abort)
    const source = byteSource(stream, { signal: abort.signal })
    const { end: position, content } = await appendTo('before', source)
    assert.is(position, 6)
    assert.is(content.toString(), 'before')
    assert.equal(source.seen, [])
  })
}

test('a source that has ended before it is asked yields nothing', async () => {
  const stream = Readable.from([])
  await stream.toArray()
  assert.is((await appendTo('before', byteSource(stream))).end, 6)
})

test('an error that comes after the end of the work ends nobody', async () => {
  const stream = new PassThrough()
  const abort = new AbortController()
  const result = appendTo('', byteSource(stream, { signal: abort.signal }))
  abort.abort()
  await result
  stream.destroy(new Error('late'))
  await sleep(5)
  assert.ok(stream.errored)
})

test('nothing of ours is left on the stream but a deaf ear for late errors', async () => {
  const stream = new PassThrough()
  const before = new Map(
    stream.eventNames().map((name) => [name, stream.listenerCount(name)]),
  )
  const abort = new AbortController()
  const result = appendTo('', byteSource(stream, { signal: abort.signal }))
  abort.abort()
  await result
  for (const name of ['data', 'end', 'aborted', 'close']) {
    assert.is(stream.listenerCount(name), before.get(name) ?? 0, name)
  }
  assert.ok(stream.isPaused())
})

// The limit.

test('a source of exactly the limit is written whole, in one chunk or many', async () => {
  for (const parts of [['abcdef'], ['abc', 'def'], ['a', 'b', 'c', 'd', 'e', 'f']]) {
    const source = byteSource(
      parts.map((part) => Buffer.from(part)),
      { limit: 6 },
    )
    const { end, content } = await appendTo('', source)
    assert.is(end, 6)
    assert.is(content.toString(), 'abcdef')
    assert.is(source.excess(), 0)
  }
})

const excesses: [what: string, parts: string[], kept: string][] = [
  ['one chunk that is too long', ['abcdefg'], ''],
  ['a last chunk that is too long', ['abc', 'defg'], 'abc'],
  ['one chunk too many after the limit was reached', ['abc', 'def', 'g'], 'abc'],
  ['many chunks too many', ['abcdef', 'g', 'h', 'i'], ''],
]

for (const [what, parts, kept] of excesses) {
  test(`with ${what} the object stays short of its full length`, async () => {
    const source = byteSource(
      parts.map((part) => Buffer.from(part)),
      { limit: 6 },
    )
    const { end, content } = await appendTo('', source)
    assert.is(source.excess(), 1)
    assert.is(content.toString(), kept)
    assert.is(end, kept.length)
    assert.is(
      Buffer.concat(source.seen).toString(),
      kept,
      'a dropped chunk is not hashed',
    )
  })
}

test('a limit of nothing refuses the first byte', async () => {
  const source = byteSource('x', { limit: 0 })
  const { end, content } = await appendTo('before', source)
  assert.is(source.excess(), 1)
  assert.is(end, 6)
  assert.is(content.toString(), 'before')
})

test('the chunk that reaches the limit is kept when the source then breaks off', async () => {
  const stream = new PassThrough()
  const source = byteSource(stream, { limit: 6 })
  const result = appendTo('', source)
  stream.write('abc')
  stream.write('def')
  await sleep(20)
  stream.destroy()
  assert.is((await result).content.toString(), 'abcdef')
})

// Backpressure.

test('never more than 1 MiB and a chunk waits to be written, however slow the disk', async () => {
  const chunk = 64 * KiB
  let taken = 0
  let handed = 0
  let written = 0
  let mostWaiting = 0
  let mostHeld = 0
  useWritev((call, done) => {
    handed += Buffer.concat(call.buffers).length
    const slowly = () =>
      partialWritev(() => Number.MAX_SAFE_INTEGER)(call, (error, n) => {
        written += n
        done(error, n)
      })
    setTimeout(slowly, 15)
  })
  let produced = 0
  const eager = new Readable({
    read() {
      produced += chunk
      this.push(produced > 12 * MiB ? null : Buffer.alloc(chunk, 'a'))
    },
  })
  const source = byteSource(eager)
  const watched = {
    ...source,
    onChunk(part: Buffer) {
      taken += part.length
      mostWaiting = Math.max(mostWaiting, taken - handed)
      mostHeld = Math.max(mostHeld, taken - written)
    },
  }
  const { end } = await appendTo('', watched)
  assert.is(end, 12 * MiB)
  assert.ok(mostWaiting <= MiB + chunk, `${mostWaiting} bytes waited`)
  assert.ok(mostHeld <= 2 * (MiB + chunk), `${mostHeld} bytes were in memory`)
  assert.ok(mostHeld > MiB / 2, 'the disk was slower than the source')
})

test('a source faster than the disk is paused, and goes on', async () => {
  useWritev((call, done) => {
    setTimeout(() => partialWritev(() => MiB)(call, done), 5)
  })
  const stream = Readable.from(Array.from({ length: 80 }, () => Buffer.alloc(64 * KiB)))
  let pauses = 0
  stream.on('pause', () => pauses++)
  const { end } = await appendTo('', byteSource(stream))
  assert.is(end, 80 * 64 * KiB)
  assert.ok(pauses > 1, `paused ${pauses} times`)
})

// The disk says no.

test('a full disk rejects with what the kernel said', async () => {
  const fd = openSync('/dev/full', 'r+')
  const source = byteSource(Buffer.alloc(2 * MiB))
  const error = await append({ fd: fd, position: 0 }, source).catch((caught) => caught)
  closeSync(fd)
  assert.is(error.code, 'ENOSPC')
  assert.equal(source.stored, [])
  assert.ok(source.stream.isPaused() || source.stream.destroyed, 'no more is read')
})

test('a disk that fills up half way keeps what it took, and says so', async () => {
  let room = MiB
  useWritev((call, done) => {
    if (room === 0) {
      done(Object.assign(new Error('full'), { code: 'ENOSPC' }), 0)
      return
    }
    partialWritev(() => room)(call, (error, written) => {
      room -= written
      done(error, written)
    })
  })
  const path = join(directory, 'half')
  const fd = openSync(path, 'w+')
  const bytes = randomBytesFrom(seededRandom(9), 3 * MiB)
  const source = byteSource(pieces(bytes, seededRandom(10), 64 * KiB))
  const error = await append({ fd: fd, position: 0 }, source).catch((caught) => caught)
  closeSync(fd)
  assert.is(error.code, 'ENOSPC')
  assert.ok((source.stored.at(-1) ?? 0) <= MiB)
  assert.ok(readFileSync(path).equals(bytes.subarray(0, MiB)))
})

test('a kernel that takes nothing is an error, not an endless loop', async () => {
  useWritev((_call, done) => done(null, 0))
  const fd = openSync(join(directory, 'stuck'), 'w+')
  const error = await append({ fd: fd, position: 0 }, byteSource('x')).catch(
    (caught) => caught,
  )
  closeSync(fd)
  assert.is(error.code, 'EIO')
})

test.run()
