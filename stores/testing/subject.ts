import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { CarcosaError, type ErrorCode } from '../../src/shared/errors.ts'
import type { Store } from '../store.ts'
import { createStaging } from '../writing/staging.ts'
import { Upload } from './upload.ts'

/** A store and where it keeps its objects. */
export interface StorePlace {
  readonly store: Store
  /** Another instance for the same place, as another process would make it. */
  reopen?(): Store
  /** Takes the place away, after the one test that used it. */
  close?(): void | Promise<void>
}

/** What a store of the contract tests can do beyond the core. */
export type Capability =
  | 'copy'
  | 'direct'
  | 'keyFor'
  | 'list'
  | 'listUnfinished'
  | 'offset'
  | 'signedUrl'

export interface Sizes {
  /**
   * Bytes of a part, for a store that takes objects in parts: fewer are ever staged. Default
   * 0, for a store that takes any byte as it comes and stages none.
   */
  readonly partSize: number
  /** Bytes of a large object. Default 3.3 parts, or 3 MB. */
  readonly large: number
  /** How many objects are listed. Default 12; more than the service puts on a page tell more. */
  readonly listed: number
  /** Whether a `fresh` object whose key is in use must be refused. Default false. */
  readonly refusesOccupied: boolean
}

/** What one test has to do with: a started store on a place of its own. */
export interface Subject {
  readonly store: Store
  readonly sizes: Sizes
  /** An unfinished object, of which nothing is written. */
  upload(size: number | null, key?: string): Upload
  /** Another instance on the same place, started. */
  reopen(): Promise<Store>
  /** A store on another place, started. */
  elsewhere(): Promise<Store>
}

export type Define = (title: string, check: (subject: Subject) => Promise<void>) => void

/** One is the beginning of the other, as ids never are and directories of keys may be. */
export const key = 'k3Y_-0123456789abcdefghi'
export const longerKey = `${key}-1`
export const otherKey = 'another-0123456789abcdef'

export interface Places {
  /** A place that no test has used. */
  open(): StorePlace
  readonly sizes: Sizes
}

/** Runs `check` on a place of its own, and looks whether room for bytes was given back. */
export async function withSubject(
  places: Places,
  check: (subject: Subject) => Promise<void>,
): Promise<void> {
  const staging = createStaging({ memory: 256 * 1024 * 1024 })
  const opened = [places.open()]
  const start = async (store: Store) => {
    await store.start({ staging })
    return store
  }
  const { sizes } = places
  try {
    const [place] = opened as [StorePlace]
    const store = await start(place.store)
    await check({
      store,
      sizes,
      upload: (size, name = key) =>
        new Upload(store, { key: name, size, partSize: sizes.partSize }),
      async reopen() {
        assert.ok(place.reopen, 'this place cannot be opened again')
        return start(place.reopen())
      },
      elsewhere() {
        const other = places.open()
        opened.push(other)
        return start(other.store)
      },
    })
    // A file is closed a moment after it was given back.
    for (let i = 0; staging.used.disk > 0 && i < 100; i++) await sleep(10)
    assert.deepEqual(staging.used, { memory: 0, disk: 0 }, 'staging is given back')
  } finally {
    for (const { close } of opened) await close?.()
  }
}

/** Fails unless `work` is refused with one of the codes. */
export async function requireRefusal(
  work: Promise<unknown>,
  ...codes: readonly ErrorCode[]
): Promise<void> {
  const error = await failureOf(work)
  const found = error instanceof CarcosaError ? error.code : `${error}`
  assert.ok(
    codes.some((code) => code === found),
    `${found} instead of ${codes.join(' or ')}`,
  )
}

/** What `work` fails with; fails if it does not. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  const outcome = await work.then(
    () => null,
    (error: unknown) => ({ error }),
  )
  assert.ok(outcome, 'it was not refused')
  return outcome.error
}
