import type { GrowingObject, Progress } from '../store.ts'
import { accountOf } from '../writing/part-writer.ts'
import { type Place, statObject } from './objects.ts'
import { cancel, standingOf } from './session.ts'
import { sessionOf } from './target.ts'

/** A session that has nothing yet may be gone, and a new one costs no more than to ask. */
export async function withoutEmptySession(
  place: Place,
  object: GrowingObject,
): Promise<GrowingObject> {
  const session = sessionOf(place, object.memo)
  if (!session || accountOf(object.memo).settled > 0) return object
  // It ends by itself, too.
  await cancel(session).catch(() => {})
  return { ...object, memo: null }
}

/**
 * Where an object stands. What its session has beyond what is remembered was sent right before
 * a crash, and is kept: it is the file's, and a session cannot go back.
 */
export async function findProgress(
  place: Place,
  object: GrowingObject,
): Promise<Progress> {
  const { offset, memo } = object
  const { parts, settled } = accountOf(memo)
  const found = await findHeld(place, object)
  if (!found) return { offset: settled > 0 ? 0 : offset }
  const { held, finished } = found
  if (held < settled || (finished && held < offset)) return { offset: held }
  // Less than what is staged is sent again with it, and skipped by the session.
  if (held < offset || held === settled) return { offset }
  const account = { parts: Math.max(parts, 1), settled: held }
  return { offset: held, memo: { ...memo, ...account }, settled: held }
}

/** Bytes that a session or the object made of it has; null if neither is there. */
async function findHeld(
  place: Place,
  { key, memo }: GrowingObject,
): Promise<{ held: number; finished: boolean } | null> {
  const session = sessionOf(place, memo)
  const standing = session && (await standingOf(session))
  if (standing && standing.persisted !== null) {
    return { held: standing.persisted, finished: standing.finished }
  }
  if (!session) return null
  const object = await statObject(place, key)
  return object && { held: object.size, finished: true }
}
