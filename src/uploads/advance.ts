import type { Progress } from '../../stores/store.ts'
import { commitPieces } from '../files/pieces.ts'
import type { FileRecord } from '../files/record.ts'
import { transition } from '../files/transition.ts'
import { expiryOf } from './admission.ts'
import type { UploadDeps } from './deps.ts'
import { otherwiseFinished } from './finish.ts'
import type { Underway } from './lease.ts'
import { predecessors } from './state.ts'

/** How an unfinished upload gets on: what became safe is committed. */

/**
 * Records that bytes up to `offset` are safe, and that the upload is alive.
 * @throws {CarcosaError} UPLOAD_GONE if it was ended meanwhile, UPLOAD_LOCKED if the lease was lost,
 *   QUOTA_EXCEEDED for one of unknown length, which stays where it stood
 */
export async function commitOffset(
  deps: UploadDeps,
  underway: Underway,
  offset: number,
): Promise<FileRecord> {
  await reserveGrowth(deps, underway.record, offset)
  const advanced = await advance(deps, underway, { offset })
  return advanced ?? otherwiseFinished(deps, underway.record)
}

/** Commits progress of a store that takes objects in parts. @throws as commitOffset */
export async function commitProgress(
  deps: UploadDeps,
  { record, lease: { fence } }: Underway,
  progress: Progress,
): Promise<FileRecord> {
  const { offset, memo = null, parts = [], settled = 0, staged = null } = progress
  const expiresAt = expiryOf(deps, deps.route(record.route))
  const { id, offset: from } = record
  await reserveGrowth(deps, record, offset)
  const pieces = { id, from, offset, memo, parts, settled, staged, expiresAt, fence }
  if (await commitPieces(deps.db, pieces)) {
    const storeMemo = memo ?? record.storeMemo
    return { ...record, state: 'receiving', offset, storeMemo, expiresAt }
  }
  return otherwiseFinished(deps, record)
}

/** One whose length is known has reserved it. */
async function reserveGrowth(deps: UploadDeps, record: FileRecord, offset: number) {
  if (record.size === null && offset > 0) await deps.quotas.reserve(record, offset)
}

/** Commits that the store holds more than the database knew. */
export function commitHeld(
  deps: UploadDeps,
  underway: Underway,
  held: Progress,
): Promise<FileRecord> {
  if (held.memo) return commitProgress(deps, underway, held)
  const { size } = underway.record
  return commitOffset(deps, underway, Math.min(held.offset, size ?? held.offset))
}

/**
 * Changes the row of an unfinished upload and prolongs its life; null if it has ended or the
 * lease was lost.
 */
export function advance(
  deps: UploadDeps,
  { record, lease }: Underway,
  changes: { offset?: number; size?: number },
): Promise<FileRecord | null> {
  return transition(deps.db, record, {
    to: 'receiving',
    from: predecessors('receiving'),
    fence: lease.fence,
    changes: { ...changes, expiresAt: expiryOf(deps, deps.route(record.route)) },
  })
}
