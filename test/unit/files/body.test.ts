import { once } from 'node:events'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openSections } from '../../../src/files/body.ts'
import { CarcosaError, type ErrorCode } from '../../../src/shared/errors.ts'
import { relief } from '../../../src/shared/relief.ts'
import type { MemoryStore } from '../../../stores/memory.ts'
import type { ByteRange } from '../../../stores/store.ts'
import { randomBytesFrom } from '../../support/byte-source.ts'
import { seededRandom } from '../../support/random.ts'
import { readReply, refusal, servedFile } from '../../support/served-file.ts'

const test = suite('files/body')

// However a body ends, nobody believes that some of it still waits.
test.after.each(async () => {
  for (let turns = 0; turns < 20 && relief.held > 0; turns++) await turn()
  assert.is(relief.held, 0)
})

test('a body waits in memory until it has ended', async () => {
  const { ask } = subject()
  const { body } = await ask()
  assert.ok(relief.held > 0)
  assert.equal(await buffer(body as Readable), content)
})

const content = Buffer.from('0123456789')

const subject = (bytes: Buffer | string = content) => servedFile(bytes)

// A store that does not hold what the row says (SEC-36)

const damages: Record<string, (store: MemoryStore, key: string) => void> = {
  missing: (store, key) => void store.objects.delete(key),
  shorter: (store, key) => damage(store, key, content.subarray(1)),
  longer: (store, key) => damage(store, key, Buffer.concat([content, content])),
  'not finished': (store, key) => {
    const object = store.objects.get(key)
    if (object) object.finished = false
  },
}

for (const [what, inflict] of Object.entries(damages)) {
  test(`an object that is ${what} is STORAGE_CORRUPT and no byte is sent`, async () => {
    for (const Range of ['', 'bytes=0-1', 'bytes=0-1,4-5']) {
      const { file, store, ask } = subject()
      inflict(store, file.key)
      const error = await refusal(ask({ Range }))
      assert.is(error.code, 'STORAGE_CORRUPT')
      assert.is(error.status, 500)
      // The size comes with the stream, so there may be one; nothing is read from it.
      assert.ok(
        store.opened.every((stream) => stream.destroyed && !stream.readableDidRead),
      )
      const sent = JSON.stringify(error.toProblem())
      assert.not(sent.includes('key'), 'which object it was stays inside')
      assert.match((error.cause as Error).message, /store "default" \(memory\), key/)
    }
  })
}

test('an empty file whose object grew is STORAGE_CORRUPT', async () => {
  const { file, store, ask } = subject('')
  damage(store, file.key, content)
  assert.is((await refusal(ask())).code, 'STORAGE_CORRUPT')
})

const lies: [what: string, code: ErrorCode, open: () => Readable][] = [
  ['too few bytes', 'STORAGE_CORRUPT', () => Readable.from([Buffer.from('012')])],
  ['too many bytes', 'STORAGE_CORRUPT', () => Readable.from([content, content])],
  ['nothing', 'STORAGE_CORRUPT', () => Readable.from([])],
  ['a read that breaks off', 'STORAGE_CORRUPT', () => endingWith(undefined)],
  [
    'an error',
    'STORAGE_UNAVAILABLE',
    () => endingWith(new CarcosaError('STORAGE_UNAVAILABLE')),
  ],
]

for (const [what, code, openLie] of lies) {
  test(`a body whose store yields ${what} fails with ${code} instead of ending`, async () => {
    const { store, ask } = subject()
    const open = async () => ({ size: content.length, stream: openLie() })
    const reply = await ask({}, { store: { ...store, open } })
    assert.is((await refusal(readReply(reply))).code, code)
  })
}

/** A stream that yields a little and is then destroyed. */
function endingWith(error: Error | undefined): Readable {
  const stream = new Readable({ read() {} })
  stream.push('012')
  setImmediate(() => stream.destroy(error))
  return stream
}

test('a body that fails before anyone listens does not end the process', async () => {
  const { store, ask } = subject()
  const stream = Readable.from([Buffer.from('012')])
  const open = async () => ({ size: content.length, stream })
  const reply = await ask({}, { store: { ...store, open } })
  for (let i = 0; i < 5; i++) await turn()
  assert.is((await refusal(readReply(reply))).code, 'STORAGE_CORRUPT')
})

test('a store that cannot be opened for a later part fails the body', async () => {
  const { store, ask } = subject()
  const open: MemoryStore['open'] = async (key, range) => {
    if (range?.start === 0) return store.open(key, range)
    throw new CarcosaError('STORAGE_UNAVAILABLE')
  }
  const reply = await ask({ Range: 'bytes=0-1,4-5' }, { store: { ...store, open } })
  assert.is((await refusal(readReply(reply))).code, 'STORAGE_UNAVAILABLE')
})

// Stores that stall, and readers that do

const tenBytes = { prefix: '', range: { start: 0, end: 9 } }

function sectionsOf(open: (range: ByteRange) => Readable, stallMs?: number) {
  return openSections({
    sections: [tenBytes],
    suffix: '',
    open: async (range) => open(range),
    corrupt: (found) => new Error(found),
    ...(stallMs && { stallMs }),
  })
}

test('a store that yields nothing while somebody waits breaks the body off', async () => {
  const stream = new Readable({ read() {} })
  stream.push('012')
  const body = await sectionsOf(() => stream, 50)
  const error = await buffer(body).catch((reason: unknown) => reason)
  assert.is(String(error), 'Error: a read that stalled')
  assert.ok(stream.destroyed)
})

test('a slow store that yields something now and then is waited for', async () => {
  const bytes = [...'0123456789']
  const stream = new Readable({
    read() {
      setTimeout(() => this.push(bytes.shift() ?? null), 20)
    },
  })
  assert.is(String(await buffer(await sectionsOf(() => stream, 100))), '0123456789')
})

test('a reader that waits for long is no store that stalls', async () => {
  const { file, store } = subject(Buffer.alloc(4_000_000))
  const body = await openSections({
    sections: [{ prefix: '', range: { start: 0, end: 3_999_999 } }],
    suffix: '',
    async open(range) {
      const opened = await store.open(file.key, range)
      if (!opened) throw new Error('there is no object')
      return opened.stream
    },
    corrupt: (found) => new Error(found),
    stallMs: 50,
  })
  await sleep(200)
  assert.is((await buffer(body)).length, 4_000_000)
})

test('a read the store gave up while the reader waited goes on where it stopped', async () => {
  const bytes = randomBytesFrom(seededRandom(3), 3_000_000)
  const { store, ask } = subject(bytes)
  const reply = await ask({ Range: 'bytes=100-2999990' })
  const body = reply.body as Readable
  const chunks: Buffer[] = []
  for (let round = 0; round < 3; round++) {
    // Until the buffer of the body is full and the store is no longer read.
    while (!store.opened.at(-1)?.isPaused()) await turn()
    store.opened.at(-1)?.destroy(new Error('idle for too long'))
    for (let i = 0; i < 5; i++) await turn()
    for (let taken = 0; taken < 500_000; ) {
      const chunk: Buffer | null = body.read()
      if (chunk) taken += chunks.push(chunk) && chunk.length
      else await once(body, 'readable')
    }
  }
  for await (const chunk of body) chunks.push(chunk)
  assert.ok(Buffer.concat(chunks).equals(bytes.subarray(100, 2_999_991)))
  assert.is(store.opened.length, 4)
})

test('what cannot be opened again fails the body', async () => {
  const { store, ask } = subject(Buffer.alloc(3_000_000))
  const { body } = await ask()
  while (!store.opened[0]?.isPaused()) await turn()
  store.objects.clear()
  store.opened[0]?.destroy(new Error('idle for too long'))
  await turn()
  const error = await refusal(buffer(body as Readable))
  assert.is(error.code, 'STORAGE_CORRUPT')
})

// Clients that leave

test('destroying the body stops the read of the store', async () => {
  for (const Range of ['', 'bytes=1-', 'bytes=0-65535,100000-']) {
    const { store, ask } = subject(Buffer.alloc(1_000_000))
    const { body } = await ask({ Range })
    if (!(body instanceof Readable)) assert.unreachable('no stream')
    const reader = (body as Readable)[Symbol.asyncIterator]()
    await reader.next()
    ;(body as Readable).destroy()
    assert.equal(
      store.opened.map((stream) => stream.destroyed),
      [true],
    )
  }
})

test('destroying the body stops the read of a later part', async () => {
  const { store, ask } = subject(Buffer.alloc(1_000_000))
  const { body } = await ask({ Range: 'bytes=0-9,20-' })
  const reader = (body as Readable)[Symbol.asyncIterator]()
  while (store.opened.length < 2) await reader.next()
  await reader.next()
  ;(body as Readable).destroy()
  assert.not(store.opened[1]?.readableEnded)
  assert.ok(store.opened[1]?.destroyed)
})

test('parts larger than any buffer are read to their end', async () => {
  const { ask } = subject(Buffer.alloc(2_000_000))
  const reply = await ask({ Range: 'bytes=0-999990,1000010-' })
  const length = Number(reply.headers['Content-Length'])
  assert.is((await readReply(reply)).length, length)
  assert.ok(length > 1_999_900)
})

test('destroying a body that nobody read stops the read of the store', async () => {
  const { store, ask } = subject(Buffer.alloc(1_000_000))
  const { body } = await ask()
  ;(body as Readable).destroy()
  assert.ok(store.opened[0]?.destroyed)
})

test('a body given up while its next part is being opened closes that part', async () => {
  const { store, ask } = subject()
  const late = Promise.withResolvers<void>()
  const open: MemoryStore['open'] = async (key, range) => {
    if (range?.start !== 0) await late.promise
    return store.open(key, range)
  }
  const reply = await ask({ Range: 'bytes=0-1,4-5' }, { store: { ...store, open } })
  const body = reply.body as Readable
  body.resume()
  while (!store.opened[0]?.readableEnded) await turn()
  body.destroy()
  late.resolve()
  while (store.opened.length < 2) await turn()
  await turn()
  assert.ok(store.opened[1]?.destroyed)
})

test('a reader that stops reading stops the read of the store', async () => {
  const { store, ask } = subject(Buffer.alloc(4_000_000))
  const { body } = await ask()
  for (let i = 0; i < 200; i++) await turn()
  const buffered = (body as Readable).readableLength
  assert.ok(buffered < 500_000, `${buffered} bytes wait`)
  assert.is((await buffer(body as Readable)).length, 4_000_000)
  assert.is(store.opened.length, 1)
})

function damage(store: MemoryStore, key: string, bytes: Buffer): void {
  store.objects.set(key, { bytes, finished: true, modifiedAt: new Date() })
}

test.run()
