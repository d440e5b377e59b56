import type { Progress } from '../../stores/store.ts'
import { commitPieces } from '../files/pieces.ts'
import type { FileRecord } from '../files/record.ts'
import { findFile, transition } from '../files/records.ts'
import { CarcosaError } from '../shared/errors.ts'
import { expiryOf } from './admission.ts'
import type { UploadDeps } from './deps.ts'
import { otherwiseFinished } from './finish.ts'
import { isUnfinished, predecessors } from './state.ts'

/** How an unfinished upload gets on: what became safe is committed. */

/**
 * Records that bytes up to `offset` are safe, and that the upload is alive.
 * @throws {CarcosaError} UPLOAD_GONE if it was ended meanwhile
 */
export async function commitOffset(
  deps: UploadDeps,
  record: FileRecord,
  offset: number,
): Promise<FileRecord> {
  return (await advance(deps, record, { offset })) ?? otherwiseFinished(deps, record)
}

/** Commits progress of a store that takes objects in parts. */
export async function commitProgress(
  deps: UploadDeps,
  record: FileRecord,
  progress: Progress,
): Promise<FileRecord> {
  const { offset, memo = null, parts = [], settled = 0, staged = null } = progress
  const expiresAt = expiryOf(deps, deps.route(record.route))
  const { id, offset: from } = record
  const pieces = { id, from, offset, memo, parts, settled, staged, expiresAt }
  if (await commitPieces(deps.db, pieces)) {
    const storeMemo = memo ?? record.storeMemo
    return { ...record, state: 'receiving', offset, storeMemo, expiresAt }
  }
  const now = await findFile(deps.db, id)
  if (!now || !isUnfinished(now.state)) return otherwiseFinished(deps, record)
  throw new CarcosaError('UPLOAD_LOCKED', {
    message: `Another request wrote to this upload meanwhile: it stands at ${now.offset}. Continue from there.`,
    headers: { 'Retry-After': '1' },
  })
}

/** Commits that the store holds more than the database knew. */
export function commitHeld(
  deps: UploadDeps,
  record: FileRecord,
  held: Progress,
): Promise<FileRecord> {
  if (held.memo) return commitProgress(deps, record, held)
  return commitOffset(deps, record, Math.min(held.offset, record.size ?? held.offset))
}

/** Changes the row of an unfinished upload and prolongs its life; null if it has ended. */
export function advance(
  deps: UploadDeps,
  record: FileRecord,
  changes: { offset?: number; size?: number },
): Promise<FileRecord | null> {
  return transition(deps.db, record, {
    to: 'receiving',
    from: predecessors('receiving'),
    changes: { ...changes, expiresAt: expiryOf(deps, deps.route(record.route)) },
  })
}
