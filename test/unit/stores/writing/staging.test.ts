import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CarcosaError } from '../../../../src/shared/errors.ts'
import {
  createStaging,
  type Place,
  type Staging,
} from '../../../../stores/writing/staging.ts'
import { randomBytesFrom } from '../../../support/byte-source.ts'
import { seededRandom } from '../../../support/random.ts'

const MiB = 1024 * 1024

setFlagsFromString('--expose-gc')
/** A collection of the whole heap, and of what hangs on it. */
const collectAll = runInNewContext('gc') as () => void

const test = suite('stores/writing/staging')

const directory = mkdtempSync(join(tmpdir(), 'carcosa-staging-'))
test.after(() => rmSync(directory, { recursive: true }))

/** 100 bytes of memory, and 100 of disk. */
const small = () => createStaging({ memory: 100, disk: 100, directory })
const inMemory = () => createStaging({ memory: 100, disk: 0 })

/** Whether `work` has come to an end, a few turns later. */
async function isOver(work: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending')
  return (await Promise.race([work, sleep(20, pending)])) !== pending
}

async function bytesOf(place: Place): Promise<Buffer> {
  const body = place.body()
  return Buffer.isBuffer(body) ? Buffer.from(body) : buffer(body)
}

/** A file is closed a moment after it was given back. */
async function requireUnused({ used }: Staging): Promise<void> {
  for (let i = 0; used.disk > 0 && i < 100; i++) await sleep(5)
  assert.equal(used, { memory: 0, disk: 0 })
}

for (const [where, options] of [
  ['memory', { memory: MiB, disk: 0 }],
  ['disk', { memory: 0, disk: MiB }],
] as const) {
  test(`a place in ${where} keeps its bytes, to be read again and again`, async () => {
    const staging = createStaging({ ...options, directory })
    const bytes = randomBytesFrom(seededRandom(1), 700_000)
    const place = await staging.take(700_000)
    assert.is(place.capacity, 700_000)
    assert.is(place.length, 0)
    assert.is((await bytesOf(place)).length, 0)
    for (let at = 0; at < bytes.length; at += 90_001) {
      const chunk = bytes.subarray(at, at + 90_001)
      assert.is(await place.append(chunk), chunk.length)
    }
    assert.is(place.length, bytes.length)
    assert.ok((await bytesOf(place)).equals(bytes))
    assert.ok((await bytesOf(place)).equals(bytes))
    place.release()
    await requireUnused(staging)
  })

  test(`a place in ${where} takes what fits, and says how much that was`, async () => {
    const staging = createStaging({ ...options, directory })
    const place = await staging.take(8)
    assert.is(await place.append(Buffer.from('hello')), 5)
    assert.is(await place.append(Buffer.from(' world')), 3)
    assert.is(await place.append(Buffer.from('!')), 0)
    assert.is(String(await bytesOf(place)), 'hello wo')
    place.release()
  })

  test(`a place in ${where} that is given back twice is given back once`, async () => {
    const staging = createStaging({ ...options, directory })
    const [one, other] = [await staging.take(10), await staging.take(20)]
    one.release()
    one.release()
    await sleep(10)
    const { memory, disk } = staging.used
    assert.is(memory + disk, 20)
    other.release()
    await requireUnused(staging)
  })
}

// Ceilings.

test('memory comes first, then disk, then waiting', async () => {
  const staging = small()
  const [first, second] = [await staging.take(60), await staging.take(60)]
  assert.equal(staging.used, { memory: 60, disk: 60 })
  assert.ok(Buffer.isBuffer(first.body()))
  assert.not(Buffer.isBuffer(second.body()))
  const third = staging.take(60)
  assert.not(await isOver(third))
  assert.equal(staging.used, { memory: 60, disk: 60 })
  first.release()
  assert.ok(await isOver(third))
  assert.equal(staging.used, { memory: 60, disk: 60 })
  second.release()
  ;(await third).release()
  await requireUnused(staging)
})

test('however many ask, the ceilings hold and everybody is served', async () => {
  const staging = small()
  const random = seededRandom(4)
  let most = { memory: 0, disk: 0 }
  const users = Array.from({ length: 200 }, async () => {
    const place = await staging.take(1 + Math.floor(random() * 100))
    const { memory, disk } = staging.used
    most = { memory: Math.max(most.memory, memory), disk: Math.max(most.disk, disk) }
    await place.append(Buffer.alloc(50))
    await sleep(random() * 3)
    place.release()
  })
  await Promise.all(users)
  assert.ok(most.memory <= 100 && most.disk <= 100, JSON.stringify(most))
  assert.ok(most.memory > 60 && most.disk > 60, 'both were used')
  await requireUnused(staging)
})

test('what fits under no ceiling is refused at once, and says what to do', async () => {
  const error = await small()
    .take(101)
    .catch((caught) => caught)
  assert.instance(error, CarcosaError)
  assert.is(error.code, 'CONFIG_INVALID')
  assert.equal(error.details, { bytes: 101, memory: 100, disk: 100 })
  assert.match(error.message, /Raise stagingMemory or stagingDisk/)
})

test('what fits under one of the ceilings is not refused', async () => {
  const staging = createStaging({ memory: 10, disk: 100, directory })
  const place = await staging.take(50)
  assert.equal(staging.used, { memory: 0, disk: 50 })
  place.release()
})

// Who waits.

test('who came first is served first', async () => {
  const staging = inMemory()
  const first = await staging.take(100)
  const order: number[] = []
  const places = [1, 2, 3].map(async (n) => {
    const place = await staging.take(60)
    order.push(n)
    place.release()
  })
  first.release()
  await Promise.all(places)
  assert.equal(order, [1, 2, 3])
})

test('nobody overtakes: a small one waits behind a large one', async () => {
  const staging = inMemory()
  const first = await staging.take(50)
  const large = staging.take(100)
  const little = staging.take(10)
  assert.not(await isOver(little), 'although there is room for it')
  first.release()
  ;(await large).release()
  ;(await little).release()
  await requireUnused(staging)
})

test('what is given back serves as many as fit', async () => {
  const staging = inMemory()
  const first = await staging.take(100)
  const [one, two, three] = [staging.take(40), staging.take(40), staging.take(40)]
  first.release()
  assert.ok(await isOver(Promise.all([one, two])))
  assert.not(await isOver(three))
  ;(await one).release()
  ;(await two).release()
  ;(await three).release()
})

test('the patient wait for memory, and never take disk', async () => {
  const staging = small()
  const first = await staging.take(60)
  const patient = staging.take(60, { patient: true })
  assert.not(await isOver(patient))
  assert.is(staging.used.disk, 0)
  first.release()
  assert.ok(Buffer.isBuffer((await patient).body()))
  ;(await patient).release()
  await requireUnused(staging)
})

test('what is larger than all memory goes to disk, however patient', async () => {
  const staging = createStaging({ memory: 10, disk: 100, directory })
  const place = await staging.take(50, { patient: true })
  assert.is(staging.used.disk, 50)
  place.release()
})

// Who gives up.

test('who gives up while waiting is told why, and leaves no gap', async () => {
  const staging = inMemory()
  const first = await staging.take(100)
  const abort = new AbortController()
  const given = staging.take(60, { signal: abort.signal }).catch((error) => error)
  const next = staging.take(60)
  abort.abort(new Error('enough'))
  assert.is((await given).message, 'enough')
  first.release()
  assert.ok(await isOver(next))
  ;(await next).release()
  await requireUnused(staging)
})

test('who stood in front of others and gives up lets them in', async () => {
  const staging = inMemory()
  const first = await staging.take(50)
  const abort = new AbortController()
  const large = staging.take(100, { signal: abort.signal }).catch(() => null)
  const little = staging.take(10)
  abort.abort()
  await large
  assert.ok(await isOver(little), 'there is room for it')
  first.release()
  ;(await little).release()
})

test('giving up after the place was given changes nothing', async () => {
  const staging = inMemory()
  const first = await staging.take(100)
  const abort = new AbortController()
  const waiting = staging.take(60, { signal: abort.signal })
  first.release()
  const place = await waiting
  abort.abort()
  assert.is(staging.used.memory, 60)
  const other = staging.take(60)
  assert.not(await isOver(other))
  place.release()
  ;(await other).release()
  await requireUnused(staging)
})

test('buffers that wait to be used again are within the ceiling', async () => {
  const mib = 1024 * 1024
  const staging = createStaging({ memory: 32 * mib, disk: 0 })
  const takeAll = (count: number, bytes: number) =>
    Promise.all(Array.from({ length: count }, () => staging.take(bytes)))
  const held = async () => {
    collectAll()
    // What was found is given back on another thread.
    await sleep(50)
    collectAll()
    return process.memoryUsage().arrayBuffers / mib
  }
  const before = await held()
  for (const place of await takeAll(32, mib)) place.release()
  const places = await takeAll(16, 2 * mib)
  const more = (await held()) - before
  assert.ok(more < 34, `${more} MiB`)
  for (const place of places) place.release()
  await requireUnused(staging)
})

// Disk.

test('files have no name while they are used, and were for their owner only', async () => {
  const modes: unknown[] = []
  const { open } = fs
  const watched = (...given: unknown[]) => {
    modes.push(given[2])
    return Reflect.apply(open, fs, given)
  }
  Object.assign(fs, { open: watched })
  syncBuiltinESMExports()
  // The module took `open` when it was loaded: a second copy of it takes this one.
  const fresh = '../../../../stores/writing/staging.ts?watched'
  try {
    const module: { createStaging: typeof createStaging } = await import(fresh)
    const place = await module.createStaging({ memory: 0, disk: 100, directory }).take(50)
    await place.append(Buffer.from('secret'))
    assert.equal(readdirSync(directory), [])
    assert.is(String(await bytesOf(place)), 'secret')
    place.release()
  } finally {
    Object.assign(fs, { open })
    syncBuiltinESMExports()
  }
  assert.equal(modes, [0o600])
  assert.equal(readdirSync(directory), [])
})

test('a directory that cannot be written is 503, and costs no room', async () => {
  const staging = createStaging({
    memory: 0,
    disk: 100,
    directory: join(directory, 'missing'),
  })
  for (let i = 0; i < 3; i++) {
    const error = await staging.take(100).catch((caught) => caught)
    assert.instance(error, CarcosaError)
    assert.is(error.code, 'STORAGE_UNAVAILABLE')
    assert.not.match(JSON.stringify(error.toProblem()), directory)
  }
  await requireUnused(staging)
})

test('a body on disk that is given up half way can be read again', async () => {
  const staging = createStaging({ memory: 0, disk: 4 * MiB, directory })
  const place = await staging.take(2 * MiB)
  const bytes = randomBytesFrom(seededRandom(2), 2 * MiB)
  await place.append(bytes)
  // It is no Buffer on disk.
  for await (const _chunk of place.body() as Readable) break
  assert.ok((await bytesOf(place)).equals(bytes))
  place.release()
  await requireUnused(staging)
})

test('a body on disk that is still read when its room is given back just ends', async () => {
  const staging = createStaging({ memory: 0, disk: 4 * MiB, directory })
  for (let i = 0; i < 20; i++) {
    const place = await staging.take(2 * MiB)
    await place.append(Buffer.alloc(2 * MiB))
    // It is no Buffer on disk.
    const body = place.body() as Readable
    body.resume()
    if (i % 2) await once(body, 'data')
    place.release()
    // An error without a listener would end the process.
    await once(body, 'close')
    assert.ok(body.destroyed)
  }
  await requireUnused(staging)
})

// Memory is used again.

test('buffers are used again, and never by two at the same time', async () => {
  const staging = createStaging({ memory: 4 * MiB, disk: 0 })
  const first = await staging.take(MiB)
  await first.append(Buffer.alloc(MiB, 'a'))
  const before = first.body()
  first.release()
  first.release()
  const [second, third] = [await staging.take(MiB), await staging.take(MiB)]
  assert.is(second.length, 0, 'it is empty')
  await second.append(Buffer.alloc(MiB, 'b'))
  await third.append(Buffer.alloc(MiB, 'c'))
  assert.is((before as Buffer)[0], 'b'.charCodeAt(0), 'the same memory')
  assert.ok((await bytesOf(second)).equals(Buffer.alloc(MiB, 'b')))
  assert.ok((await bytesOf(third)).equals(Buffer.alloc(MiB, 'c')))
  second.release()
  third.release()
  await requireUnused(staging)
})

test.run()
