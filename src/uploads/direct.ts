import type { DirectUpload, Store } from '../../stores/store.ts'
import type { FileRecord } from '../files/record.ts'
import { CarcosaError } from '../shared/errors.ts'
import { draft, storeNamed } from './admission.ts'
import { commitProgress } from './advance.ts'
import type { UploadDeps, UploadRequest } from './deps.ts'
import { finish, reject } from './finish.ts'
import { gone } from './gone.ts'
import { objectInfo } from './growing.ts'
import type { Underway } from './lease.ts'
import { create, findOwn } from './lifecycle.ts'
import { isUnfinished } from './state.ts'
import type { Ticket } from './ticket.ts'

/**
 * Uploads whose bytes go from the client to the store. The server is asked before the first
 * byte, like for any upload, and judges what is there after the last: nothing the client says
 * about it is believed.
 */

/** An upload that waits for its bytes at URLs of the store. */
export interface BegunDirectly {
  id: string
  /** When the URLs stop working. */
  expiresAt: Date
  parts: DirectUpload['parts']
}

/** S3 signs for at most a week. */
const maxUrlMs = 7 * 24 * 3_600_000

/**
 * Begins a direct upload for a file that was allowed; null where route, store or file do not
 * admit one, and then it goes through the server.
 */
export async function beginDirect(
  deps: UploadDeps,
  { route }: UploadRequest,
  agreed: Ticket,
): Promise<BegunDirectly | null> {
  const { direct } = storeNamed(deps, agreed.storeName)
  if (!route.isDirect || !direct || !agreed.size) return null
  const { record, replayed } = await create(deps, draft(deps, route, agreed))
  if (replayed || !record.expiresAt) return null
  const expiresIn = Math.min(record.expiresAt.getTime() - Date.now(), maxUrlMs)
  const info = announcedInfo(record)
  const { memo, parts } = await direct.begin(record.key, agreed.size, { info, expiresIn })
  const lease = { fence: null }
  await commitProgress(deps, { record, lease }, { offset: 0, memo })
  return { id: record.id, expiresAt: new Date(Date.now() + expiresIn), parts }
}

/**
 * Finishes a direct upload from the receipts of its parts. Safe to repeat. Its URL alone is not
 * enough: what the upload becomes is its creator's to say.
 *
 * @throws {CarcosaError} UPLOAD_NOT_FOUND, UPLOAD_GONE, UPLOAD_INCOMPLETE if parts are missing,
 *   LENGTH_INVALID if the object has another size than was announced (the upload is then
 *   rejected), and what finish throws
 */
export async function finishDirect(
  deps: UploadDeps,
  request: UploadRequest,
  receipts: readonly string[],
): Promise<FileRecord> {
  const action = 'uploads.finish'
  await findOwn(deps, request, { action })
  const lease = await deps.leases.acquire(request.id ?? '', { preempt: 'now' })
  try {
    const record = await findOwn(deps, request, { action, load: () => lease.hold() })
    if (!isUnfinished(record.state)) return settled(record)
    const store = storeNamed(deps, record.storeName)
    const { direct } = store
    if (!direct || !record.storeMemo?.direct) throw notDirect()
    await direct.finish(record.key, record.storeMemo, receipts)
    await requireSize(deps, store, { record, lease })
    const whole = { ...record, offset: record.size ?? 0 }
    const { prefix } = request
    return await finish(deps, { record: whole, tail: null, prefix, lease })
  } finally {
    lease.release()
  }
}

function settled(record: FileRecord): FileRecord {
  const { state, failure } = record
  if (['stored', 'processing', 'ready'].includes(state)) return record
  throw gone(`${state}${failure ? ` (${failure.code}: ${failure.message})` : ''}`)
}

/** A client that sends more or less than it announced has lied to limits and quota (SEC-9). */
async function requireSize(deps: UploadDeps, store: Store, underway: Underway) {
  const { record } = underway
  const held = await store.stat(record.key)
  if (held === null) {
    throw new CarcosaError('UPLOAD_INCOMPLETE', {
      message: 'The store has no such object: not every part of the upload arrived.',
    })
  }
  if (held.size === record.size) return
  const error = new CarcosaError('LENGTH_INVALID', {
    message: `The upload was announced with ${record.size} bytes, and ${held.size} arrived. It was removed; start a new one.`,
    details: { size: record.size, held: held.size },
  })
  const { contentDisposition, acl } = record
  const verdict = { error, detectedType: null, contentDisposition, acl }
  throw await reject(deps, underway, { ...verdict, contentType: '' })
}

/** What the object says of itself is decided before its bytes are seen. */
function announcedInfo(record: FileRecord) {
  const { declaredType, contentDisposition, acl } = record
  return objectInfo(record, {
    error: null,
    detectedType: null,
    contentType: declaredType ?? 'application/octet-stream',
    contentDisposition,
    acl,
  })
}

function notDirect(): CarcosaError {
  return new CarcosaError('BAD_REQUEST', {
    message: 'This upload goes through the server: send its bytes with PATCH.',
  })
}
