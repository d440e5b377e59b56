import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { memory } from '../../../../stores/memory.ts'
import type { GrowingObject, Part, Store } from '../../../../stores/store.ts'
import { Upload } from '../../../../stores/testing/upload.ts'
import { type PartTarget, writeParts } from '../../../../stores/writing/part-writer.ts'
import { createStaging, type Staging } from '../../../../stores/writing/staging.ts'
import { byteSource } from '../../../support/byte-source.ts'
import { growing } from '../../../support/growing.ts'
import { type PartTargetOptions, partTarget } from '../../../support/part-target.ts'

const test = suite('stores/writing/part-writer')

const partSize = 4
const letters = 'abcdefghijklmnopqrstuvwxyz'

/** An upload in parts of 4 bytes, whose caller remembers as a database would. */
function subject(options: Partial<PartTargetOptions> = {}, size: number | null = null) {
  const target = partTarget({ partSize, ...options })
  const staging = createStaging({ memory: 1_000, disk: 0 })
  const store = storeOf(target, staging)
  return { target, staging, upload: new Upload(store, { key: 'key', size, partSize }) }
}

/** Only `write` is of parts: nothing else is called here. */
function storeOf(target: PartTarget, staging: Staging): Store {
  const write: Store['write'] = (object, source) =>
    writeParts({ target, staging }, object, source)
  return Object.assign(memory(), { write })
}

function toldParts({ remembered }: Upload): Part[] {
  return JSON.parse(remembered.parts)
}

const staged = ({ remembered }: Upload) =>
  Buffer.concat(remembered.staged.map(({ bytes }) => bytes)).toString()

async function failure(work: Promise<unknown>): Promise<unknown> {
  const outcome = await work.then(
    () => null,
    (error: unknown) => ({ error }),
  )
  assert.ok(outcome, 'it did not fail')
  return outcome?.error
}

// How an upload is cut.

for (const size of [0, 1, 3, 4]) {
  test(`${size} bytes, no more than a part, are one request`, async () => {
    const { target, upload } = subject({}, size)
    assert.is((await upload.write(letters.slice(0, size))).offset, size)
    assert.equal(target.wholes, [letters.slice(0, size)])
    assert.is(target.infos[0]?.contentType, 'text/plain')
    assert.equal(target.sent, [])
    assert.is(upload.remembered.memo, null)
    assert.equal(toldParts(upload), [])
  })
}

test('more than a part is parts of full size, of which the last says that it is', async () => {
  const { target, upload } = subject({}, 10)
  await upload.write(letters.slice(0, 10))
  assert.equal(target.wholes, [])
  assert.equal(target.sent, [
    { number: 1, position: 0, bytes: 'abcd', last: false },
    { number: 2, position: 4, bytes: 'efgh', last: false },
    { number: 3, position: 8, bytes: 'ij', last: true },
  ])
  assert.equal(toldParts(upload), [
    { number: 1, size: 4, receipt: 'receipt 1' },
    { number: 2, size: 4, receipt: 'receipt 2' },
    { number: 3, size: 2, receipt: 'receipt 3' },
  ])
})

test('an object that ends with a full part has no empty one behind it', async () => {
  const { target, upload } = subject({}, 8)
  await upload.write(letters.slice(0, 8))
  assert.equal(
    target.sent.map(({ bytes, last }) => [bytes, last]),
    [
      ['abcd', false],
      ['efgh', true],
    ],
  )
})

test('what was begun is told before the first part is', async () => {
  const { upload } = subject({}, 10)
  await upload.write(letters.slice(0, 10))
  const [before, begun] = upload.history
  assert.is(before?.memo, null)
  assert.equal(JSON.parse(begun?.memo ?? ''), { id: 1, parts: 0, settled: 0 })
  assert.is(begun?.offset, 0)
})

test('the size of a part may depend on its place', async () => {
  const target = partTarget({ partSize })
  const grow: PartTarget = {
    ...target,
    partSize: ({ count, position }) => (position === 0 ? 2 : 2 + 2 * count),
  }
  const staging = createStaging({ memory: 1_000 })
  const upload = new Upload(storeOf(grow, staging), { key: 'key', size: 13, partSize: 9 })
  await upload.write(letters.slice(0, 13))
  assert.equal(
    target.sent.map(({ bytes }) => bytes),
    ['ab', 'cdef', 'ghijkl', 'm'],
  )
})

test('parts without receipts are settled, and nothing else is told of them', async () => {
  const { upload } = subject({ receipts: false }, 10)
  await upload.write(letters.slice(0, 10))
  assert.equal(toldParts(upload), [])
  assert.is(upload.remembered.settled, 10)
})

// What is left behind the last full part.

test('equal parts: the rest is staged, and taken into the next part', async () => {
  const { target, upload } = subject({}, 11)
  await upload.write('abcde')
  assert.is(staged(upload), 'e')
  await upload.write('fg')
  assert.is(staged(upload), 'efg', 'staged bytes add up')
  await upload.write('hi')
  assert.is(staged(upload), 'i')
  await upload.write('jk')
  assert.is(staged(upload), '')
  assert.equal(
    target.sent.map(({ bytes }) => bytes),
    ['abcd', 'efgh', 'ijk'],
  )
})

test('a source that brings nothing sends nothing', async () => {
  const { target, upload } = subject({ shortPart: (_at, { bytes }) => bytes }, 9)
  await upload.write('ab')
  const before = upload.remembered
  await upload.write([])
  assert.is(upload.remembered, before)
  assert.is(target.sent.length, 1)
})

test('short parts: the rest is sent, and parts go on behind it', async () => {
  const { target, upload } = subject({ shortPart: (_at, { bytes }) => bytes }, 9)
  await upload.write('abcde')
  assert.is(staged(upload), '')
  await upload.write('fghi')
  assert.equal(
    target.sent.map(({ bytes, position }) => [position, bytes]),
    [
      [0, 'abcd'],
      [4, 'e'],
      [5, 'fghi'],
    ],
  )
})

test('a short part may take some of the rest: the others are staged', async () => {
  const shortPart: PartTarget['shortPart'] = (_at, { bytes }) => bytes - (bytes % 2)
  const { target, upload } = subject({ shortPart }, 10)
  await upload.write('abcdefg')
  assert.equal(
    target.sent.map(({ bytes }) => bytes),
    ['abcd', 'ef'],
  )
  assert.is(staged(upload), 'g')
  await upload.write('hij')
  assert.is(target.sent.at(-1)?.bytes, 'ghij')
})

test('a short part is told where it would begin, and what is new of it', async () => {
  const asked: unknown[] = []
  const shortPart: PartTarget['shortPart'] = (at, rest) => {
    asked.push({ ...at, ...rest })
    return 0
  }
  const { upload } = subject({ shortPart }, 20)
  await upload.write('abcdef')
  await upload.write('g')
  assert.equal(asked, [
    { count: 1, position: 4, bytes: 2, arrived: 2 },
    { count: 1, position: 4, bytes: 3, arrived: 1 },
  ])
})

// Sizes that are not known.

test('without a size even a full part is not the last', async () => {
  const { target, upload } = subject()
  await upload.write('abcdefgh')
  assert.equal(
    target.sent.map(({ last }) => last),
    [false, false],
  )
  upload.size = 8
  assert.is((await upload.write([])).offset, 8)
  assert.is(target.sent.length, 2)
})

test('a size that is declared at last makes the staged bytes the last part', async () => {
  const { target, upload } = subject()
  await upload.write('abcdef')
  assert.is(staged(upload), 'ef')
  upload.size = 6
  await upload.write([])
  const last = { number: 2, position: 4, bytes: 'ef', last: true }
  assert.equal(target.sent.at(-1), last)
  assert.is(staged(upload), '')
})

test('a small object whose size is declared at last is one request', async () => {
  const { target, upload } = subject()
  await upload.write('abc')
  assert.is(upload.remembered.memo, null)
  upload.size = 3
  await upload.write([])
  assert.equal(target.wholes, ['abc'])
  assert.is(staged(upload), '')
})

// Side by side.

/** Parts wait until they are let go, in any order. */
function gates() {
  const gates = new Map<number, PromiseWithResolvers<void>>()
  const gate = (number: number) => {
    const known = gates.get(number) ?? Promise.withResolvers<void>()
    gates.set(number, known)
    return known
  }
  return { before: (number: number) => gate(number).promise, gate }
}

test('receipts that come out of order tell the bytes without a hole only', async () => {
  const { before, gate } = gates()
  const { upload } = subject({ before, concurrency: 4 }, 13)
  const writing = upload.write(letters.slice(0, 13))
  const told: number[] = []
  for (const number of [3, 2, 1, 4]) {
    await sleep(5)
    gate(number).resolve()
    await sleep(5)
    told.push(upload.offset)
  }
  assert.equal(told, [0, 0, 12, 13])
  await writing
  const numbers = toldParts(upload).map(({ number }) => number)
  assert.equal(numbers, [1, 2, 3, 4])
})

for (const concurrency of [1, 2, 5]) {
  test(`no more than ${concurrency} parts are under way, and no fewer`, async () => {
    const before = () => sleep(2)
    const { target, upload } = subject({ concurrency, before }, 26)
    await upload.write(letters)
    assert.is(target.most(), concurrency)
    assert.is(target.sent.length, 7)
  })
}

// Parts that fail.

const refused = new Error('the part was refused')
const refuse = (wrong: number) => async (number: number) => {
  await sleep(number === wrong ? 1 : 10)
  if (number === wrong) throw refused
}

for (const [wrong, told] of [
  [1, 0],
  [2, 4],
  [3, 8],
  [5, 16],
] as const) {
  test(`if part ${wrong} fails, ${told} bytes are told, and a resumed upload sends it again`, async () => {
    const { target, staging, upload } = subject(
      { concurrency: 3, before: refuse(wrong) },
      18,
    )
    assert.is(await failure(upload.write(letters.slice(0, 18))), refused)
    assert.is(upload.offset, told)
    assert.is(toldParts(upload).length, wrong - 1)
    assert.equal(staging.used, { memory: 0, disk: 0 })

    const again = partTarget({ partSize })
    upload.store = storeOf(again, staging)
    await upload.write(letters.slice(told, 18))
    assert.is(again.sent[0]?.number, wrong)
    const bytes = new Map(
      [...target.sent, ...again.sent].map((part) => [part.number, part]),
    )
    const whole = [...bytes.values()].sort((a, b) => a.number - b.number)
    assert.is(whole.map((part) => part.bytes).join(''), letters.slice(0, 18))
  })
}

test('after a part failed no other is begun, and the source is not read on', async () => {
  const { target, upload } = subject({ before: refuse(2) }, null)
  const stream = new PassThrough({ highWaterMark: 4 })
  const writing = failure(upload.write(stream))
  stream.write('abcdefghijkl')
  await writing
  stream.write('mnop')
  await sleep(5)
  assert.equal(
    target.sent.map(({ number }) => number),
    [1],
  )
  assert.not(stream.destroyed)
})

test('bytes staged before a part that fails stay staged', async () => {
  const { upload, staging } = subject({}, 8)
  await upload.write('abc')
  upload.store = storeOf(partTarget({ partSize, before: refuse(1) }), staging)
  assert.is(await failure(upload.write('defg')), refused)
  assert.is(upload.offset, 3)
  assert.is(staged(upload), 'abc')
  upload.store = storeOf(partTarget({ partSize }), staging)
  assert.is((await upload.write('defgh')).offset, 8)
})

// Room for bytes.

type Ending = [how: string, end: (room: Room) => Promise<unknown>]
interface Room {
  staging: Staging
  target: PartTarget
  /** Three of four parts and a half. */
  object: GrowingObject
}

const half = letters.slice(0, 14)
const write = ({ staging, target, object }: Room, source = byteSource(half)) =>
  writeParts({ staging, target }, object, source)

const ends: Ending[] = [
  ['bytes are staged', (room) => write(room)],
  [
    'nothing is left',
    ({ object, ...room }) => write({ ...room, object: { ...object, size: 14 } }),
  ],
  [
    'a short part is sent',
    ({ target, ...room }) =>
      write({ ...room, target: { ...target, shortPart: () => 1 } }),
  ],
  [
    'a part fails',
    ({ target, ...room }) => {
      const send = async () => Promise.reject(refused)
      return failure(write({ ...room, target: { ...target, send } }))
    },
  ],
  [
    'it cannot begin',
    ({ target, ...room }) => {
      const begin = async () => Promise.reject(refused)
      return failure(write({ ...room, target: { ...target, begin } }))
    },
  ],
  [
    'it cannot be stored whole',
    ({ target, object, staging }) => {
      const whole = async () => Promise.reject(refused)
      const small = {
        staging,
        target: { ...target, whole },
        object: { ...object, size: 3 },
      }
      return failure(write(small, byteSource('abc', { limit: 3 })))
    },
  ],
  [
    'it is refused for its bytes',
    async ({ object, ...room }) => {
      const describe = async () => Promise.reject(refused)
      assert.is(
        await failure(write({ ...room, object: { ...object, describe } })),
        refused,
      )
    },
  ],
  [
    'the staged bytes cannot be read',
    ({ object, ...room }) => {
      const read = async () => Promise.reject(refused)
      const behind = { ...object, offset: 2, staged: read }
      return failure(write({ ...room, object: behind }))
    },
  ],
  [
    'the source goes on beyond its limit',
    (room) =>
      write(room, byteSource([Buffer.from(half), Buffer.from('x')], { limit: 14 })),
  ],
  [
    'the source breaks off',
    async (room) => {
      const stream = new PassThrough()
      stream.write(half)
      setTimeout(() => stream.destroy(), 5)
      await write(room, byteSource(stream))
    },
  ],
  [
    'the source must end',
    async (room) => {
      const abort = new AbortController()
      const stream = new PassThrough()
      stream.write(half)
      setTimeout(() => abort.abort(), 5)
      await write(room, byteSource(stream, { signal: abort.signal }))
    },
  ],
  [
    'it must end while it waits for room',
    async ({ staging, ...room }) => {
      const taken = await staging.take(40)
      const abort = new AbortController()
      setTimeout(() => abort.abort(), 5)
      const source = byteSource(half, { signal: abort.signal })
      assert.is(await write({ staging, ...room }, source), 0)
      taken.release()
    },
  ],
]

for (const [how, end] of ends) {
  test(`the room for bytes is given back when ${how}`, async () => {
    const staging = createStaging({ memory: 40, disk: 0 })
    const target = partTarget({ partSize, concurrency: 2, before: () => sleep(1) })
    await end({ staging, target, object: growing('key') })
    assert.equal(staging.used, { memory: 0, disk: 0 })
  })
}

test('who has no room for the next part waits for a part of its own', async () => {
  const staging = createStaging({ memory: 2 * partSize, disk: 100 })
  let most = 0
  const before = async () => {
    most = Math.max(most, staging.used.memory)
    await sleep(2)
  }
  const target = partTarget({ partSize, concurrency: 10, before })
  await writeParts(
    { target, staging },
    growing('key', 0, { size: 26 }),
    byteSource(letters),
  )
  assert.is(target.sent.length, 7)
  assert.ok(most <= 2 * partSize)
  assert.is(target.most(), 2)
})

test('uploads that share room for one part all come to their end', async () => {
  const staging = createStaging({ memory: partSize, disk: 0 })
  const target = partTarget({ partSize, concurrency: 3, before: () => sleep(1) })
  const ends = ['one', 'two', 'three', 'four'].map((key) =>
    writeParts({ target, staging }, growing(key, 0, { size: 26 }), byteSource(letters)),
  )
  assert.equal(await Promise.all(ends), [26, 26, 26, 26])
  assert.is(target.sent.length, 4 * 7)
})

test('from disk the same bytes come as from memory', async () => {
  const staging = createStaging({ memory: 0, disk: 1_000 })
  const target = partTarget({ partSize, concurrency: 2, shortPart: () => 1 })
  const store = storeOf(target, staging)
  const upload = new Upload(store, { key: 'key', size: 14, partSize })
  await upload.write('abcdef')
  assert.is(staged(upload), 'f')
  await upload.write('ghijklmn')
  assert.equal(
    target.sent.map(({ bytes }) => bytes),
    ['abcd', 'e', 'fghi', 'jklm', 'n'],
  )
})

test.run()
