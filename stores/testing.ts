import assert from 'node:assert/strict'
import type { Store } from './store.ts'
import { breakingOff } from './testing/breaking-off.ts'
import { requireContent } from './testing/bytes.ts'
import { completing, reopening } from './testing/completing.ts'
import { listing, listingUnfinished } from './testing/listing.ts'
import { putting } from './testing/putting.ts'
import { reading, removing } from './testing/reading.ts'
import { offsets, recovering } from './testing/recovering.ts'
import { copying, direct, naming, signing } from './testing/sharing.ts'
import {
  type Capability,
  type Define,
  key,
  type Places,
  type Sizes,
  type StorePlace,
  withSubject,
} from './testing/subject.ts'
import { writing } from './testing/writing.ts'

export type { Capability, StorePlace } from './testing/subject.ts'

export interface StoreTests {
  /**
   * A store that was not started, on a place of its own (a directory, a prefix): every test
   * uses one, some use two. What takes time to prepare is done before.
   */
  create(): Store | StorePlace
  /** Defines a test, e.g. `test` of node:test or Vitest, or a suite of uvu. */
  test(title: string, run: () => Promise<void>): unknown
  options?: StoreTestOptions
}

export interface StoreTestOptions extends Partial<Sizes> {
  /** All it must be able to do beyond the core. Default: whatever it can. */
  capabilities?: readonly Capability[]
}

/**
 * Defines the tests that every store must pass, by the contract in `Store`. What a store
 * cannot do is not tested: there are no tests of optional members that it lacks.
 *
 * @example
 * import { test } from 'node:test'
 * import { testStore } from 'carcosa/testing'
 *
 * testStore({ test, create: () => myStore({ bucket: 'tests', prefix: `${n++}/` }) })
 *
 * @throws {TypeError} if `create` does not return a store
 */
export function testStore({ create, test, options = {} }: StoreTests): void {
  const sizes = sizesOf(options)
  const first = placeOf(create())
  const { store } = first
  const places = placesOf(create, first, sizes)
  const define: Define = (title, check) =>
    void test(title, () => withSubject(places, check))

  aside(define)
  if (options.capabilities) expecting(define, options.capabilities)
  writing(define, sizes)
  breakingOff(define, sizes)
  completing(define, sizes)
  if (first.reopen) reopening(define, sizes)
  recovering(define, sizes)
  if (store.offset) offsets(define, sizes)
  putting(define, sizes)
  reading(define, sizes)
  removing(define, sizes)
  if (store.list) listing(define, sizes)
  if (store.listUnfinished) listingUnfinished(define, sizes)
  if (store.copy) copying(define, sizes)
  if (store.keyFor) naming(define)
  if (store.signedUrl) signing(define, sizes)
  if (store.direct) direct(define, sizes)
}

function sizesOf(options: StoreTestOptions): Sizes {
  const { partSize = 0, listed = 12, refusesOccupied = false } = options
  const { large = partSize > 0 ? Math.floor(3.3 * partSize) : 3_000_001 } = options
  return { partSize, large, listed, refusesOccupied }
}

/** The place that was looked at to see what the store can do is the first to be used. */
function placesOf(create: StoreTests['create'], first: StorePlace, sizes: Sizes): Places {
  let unused: StorePlace | null = first
  return {
    sizes,
    open() {
      const place = unused ?? placeOf(create())
      unused = null
      return place
    },
  }
}

function placeOf(created: Store | StorePlace): StorePlace {
  const place = 'store' in created ? created : { store: created }
  if (typeof place.store?.write === 'function') return place
  throw new TypeError(
    'testStore({ create }): create must return a store, or { store }, and not a promise',
  )
}

function aside(test: Define): void {
  test('it says what kind it is', async ({ store }) => {
    assert.match(store.kind, /^[a-z][a-z0-9-]*$/)
  })

  test('where it proves that it can be used, it does so without writing', async (subject) => {
    const { store } = subject
    const before = await keysOf(store)
    await store.probe?.()
    assert.deepEqual(await keysOf(store), before)
  })

  test('starting twice is starting once', async ({ store, upload }) => {
    const object = upload(6)
    await object.write('hello')
    await store.start()
    await object.write('!')
    await object.complete()
    await requireContent(store, key, 'hello!')
  })
}

async function keysOf(store: Store): Promise<string[]> {
  const keys: string[] = []
  if (store.list) for await (const { key } of store.list()) keys.push(key)
  return keys
}

const optional: readonly Capability[] = [
  'copy',
  'direct',
  'keyFor',
  'list',
  'listUnfinished',
  'offset',
  'signedUrl',
]

function expecting(test: Define, expected: readonly Capability[]): void {
  test('it can do what is expected of it, and nothing else', async ({ store }) => {
    const found = optional.filter((member) => store[member] !== undefined)
    assert.deepEqual(found, [...expected].sort())
  })
}
