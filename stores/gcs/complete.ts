import { CarcosaError } from '../../src/shared/errors.ts'
import type { GrowingObject } from '../store.ts'
import type { Lengths } from '../writing/lengths.ts'
import { accountOf } from '../writing/part-writer.ts'
import { type Place, statObject } from './objects.ts'
import { finalize } from './session.ts'
import { sessionOf } from './target.ts'

export interface Completing {
  readonly place: Place
  readonly lengths: Lengths
  /** Sends what is staged of an object that has all its bytes. */
  flush(object: GrowingObject): Promise<unknown>
}

/**
 * Makes the object, unless it is made already, and lets nobody's word but its own size count.
 * @throws {CarcosaError} STORAGE_CORRUPT
 */
export async function completeObject(
  completing: Completing,
  object: GrowingObject,
  size: number,
): Promise<void> {
  const { place, lengths } = completing
  const { key, offset } = object
  if (lengths.take(key) === size) return
  if ((await sizeOf(place, key)) === size) return
  if (offset === size && (await hasAll(object, size))) {
    await makeObject(completing, object, size)
    if (lengths.take(key) === size) return
  }
  const held = await sizeOf(place, key)
  if (held === size) return
  throw new CarcosaError('STORAGE_CORRUPT', {
    message: `The store holds ${held ?? 'no'} bytes of an upload of ${size} bytes.`,
    details: { held, size },
  })
}

/** Whether what is remembered adds up. */
async function hasAll({ memo, staged }: GrowingObject, size: number): Promise<boolean> {
  const bytes = (await staged()).reduce((sum, { length }) => sum + length, 0)
  return accountOf(memo).settled + bytes === size
}

/** Something is staged, or the end not told, if nobody wrote after the length was declared. */
async function makeObject(
  { place, flush }: Completing,
  object: GrowingObject,
  size: number,
): Promise<void> {
  const { memo } = object
  await flush({ ...object, size })
  const session = sessionOf(place, memo)
  if (session && accountOf(memo).settled === size) await finalize(session, size)
}

async function sizeOf(place: Place, key: string): Promise<number | null> {
  return (await statObject(place, key))?.size ?? null
}
