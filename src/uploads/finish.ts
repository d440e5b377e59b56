import { buffer } from 'node:stream/consumers'
import type { NewEvent } from '../events/event.ts'
import { dropPiecesSql } from '../files/pieces.ts'
import {
  type FileChanges,
  type FileRecord,
  type FileState,
  isReadable,
} from '../files/record.ts'
import { findFile } from '../files/records.ts'
import { transition } from '../files/transition.ts'
import { CarcosaError, hasCode } from '../shared/errors.ts'
import { storeNamed } from './admission.ts'
import { complete } from './completion.ts'
import type { UploadDeps } from './deps.ts'
import { completionJob, fileJob, mirrorOf } from './file-job.ts'
import { failCorrupt } from './gone.ts'
import { type Growing, growingOf } from './growing.ts'
import type { Lease, Underway } from './lease.ts'
import { purge } from './purge.ts'
import { isUnfinished, predecessors } from './state.ts'
import { headBytes, type Tail } from './tails.ts'
import { tellRoute } from './tell-route.ts'
import { judgeContent, type Verdict } from './verdict.ts'

export interface Finishing {
  /** The record with every byte in: `offset === size`. */
  record: FileRecord
  /** What was noted while the bytes passed; null if they came by way of another process. */
  tail: Tail | null
  /** Where this request found us mounted; null outside a request. */
  prefix: string | null
  /** Under which it was written. */
  lease: Lease
  /** The object as this request began to write it; null if nothing was written. */
  written?: Growing | null
}

/**
 * Turns an upload whose last byte is in into a stored file: the store proves its size, the
 * first bytes say its type, and one transaction changes the state, appends `file.stored` and
 * enqueues the jobs. Safe to call twice and from two places; one of them wins.
 *
 * @throws {CarcosaError} TYPE_NOT_ALLOWED, FILE_TOO_SMALL … when the route refuses what
 *   arrived (the upload is then `rejected`), UPLOAD_GONE if it ended or its bytes are lost,
 *   STORAGE_UNAVAILABLE
 */
export async function finish(
  deps: UploadDeps,
  { record, tail, prefix, lease, written = null }: Finishing,
): Promise<FileRecord> {
  const judged =
    written?.verdict ??
    (tail && (await judgeContent(deps, record, { head: tail.head, early: tail.early })))
  if (judged?.error) throw await reject(deps, { record, lease }, judged)
  if (!(await completeObject(deps, { record, lease })))
    return otherwiseFinished(deps, record)
  await deps.faults('finish:before-commit')
  // Bytes that another process saw can only be looked at now that they can be read.
  const verdict =
    judged ?? (await judgeContent(deps, record, { head: await readHead(deps, record) }))
  if (verdict.error) throw await reject(deps, { record, lease }, verdict)
  const found = foundIn(verdict, tail)
  const hasPieces = record.storeMemo !== null || written?.offset !== 0
  const stored = await commitStored(deps, { record, lease }, { found, hasPieces })
  if (!stored) return otherwiseFinished(deps, record)
  lease.over()
  await afterStored(deps, stored, prefix)
  return stored
}

/** What goes on once a file is stored: whoever waits is told, and the completion callback runs. */
export async function afterStored(
  deps: UploadDeps,
  stored: FileRecord,
  prefix: string | null,
): Promise<void> {
  deps.meter.uploadFinished(stored.route, secondsSince(stored.createdAt))
  await deps.faults('finish:after-commit')
  deps.bus.publish(stored.id)
  if (stored.state === 'stored') deps.background(complete(deps, stored, prefix))
}

/**
 * Whether the object is made. False if somebody ended the upload meanwhile, and with it deleted
 * its bytes: then nothing is wrong with the store.
 */
async function completeObject(
  deps: UploadDeps,
  { record, lease }: Underway,
): Promise<boolean> {
  const store = storeNamed(deps, record.storeName)
  const object = growingOf(deps, record)
  try {
    await store.complete(object, record.offset)
    return true
  } catch (error) {
    const current = await findFile(deps.db, record.id)
    if (!current || !isUnfinished(current.state)) return false
    const refusal = object.refusal(error)
    if (refusal) throw await reject(deps, { record, lease }, refusal)
    throw hasCode(error, 'STORAGE_CORRUPT')
      ? await failCorrupt(deps, { record: current, lease }, error)
      : error
  }
}

/** What was found out about the bytes of a file. */
export type Found = Pick<
  FileRecord,
  'detectedType' | 'contentType' | 'contentDisposition' | 'acl' | 'sha256'
>

/** Its digest is null where the bytes did not pass this process in order. Once for each tail. */
export function foundIn(verdict: Verdict, tail: Tail | null): Found {
  const { detectedType, contentType, contentDisposition, acl } = verdict
  const sha256 = tail?.hash?.digest('hex') ?? null
  return { detectedType, contentType, contentDisposition, acl, sha256 }
}

/** State, events and jobs in one statement: one round trip and one transaction. */
function commitStored(
  deps: UploadDeps,
  { record, lease }: Underway,
  { found, hasPieces }: { found: Found; hasPieces: boolean },
): Promise<FileRecord | null> {
  const { also, ...stored } = storedFile(deps, record, found)
  const changes = {
    ...stored.changes,
    expiresAt: null,
    ...(record.storeMemo && { storeMemo: null }),
  }
  return transition(deps.db, record, {
    ...stored,
    from: ['created', 'receiving'],
    changes,
    fence: lease.fence,
    also: [...(hasPieces ? dropPiecesSql : []), ...also],
  })
}

/**
 * What a stored file becomes, with its events and jobs. On a route without a completion callback
 * it is `ready` at once.
 */
export function storedFile(deps: UploadDeps, record: FileRecord, found: Found) {
  const now = new Date()
  const { id, route, filename, ownerId, offset: size } = record
  const hasCallback = Boolean(deps.route(route)?.onUploadComplete)
  const needsDigest = deps.settings.digest && found.sha256 === null
  const changes: FileChanges = {
    ...found,
    offset: size,
    storedAt: now,
    ...(hasCallback
      ? { claimedUntil: new Date(now.getTime() + deps.settings.claimMs), attempts: 1 }
      : { readyAt: now }),
  }
  const { contentType, sha256 } = found
  const data = { id, route, filename, ownerId, size, contentType, sha256 }
  const events: NewEvent[] = [{ type: 'file.stored', data }]
  if (!hasCallback) events.push({ type: 'file.ready', data })
  const to: FileState = hasCallback ? 'stored' : 'ready'
  const also = [
    ...(hasCallback ? [completionJob(deps)] : []),
    ...(needsDigest ? [fileJob(deps, 'upload.digest')] : []),
    ...(mirrorOf(deps, record) ? [fileJob(deps, 'file.mirror')] : []),
  ]
  return { to, changes, events, also }
}

/**
 * The record after somebody else was first. If they stored it, that is success too.
 * @throws {CarcosaError} UPLOAD_GONE, UPLOAD_LOCKED if another process goes on writing it
 */
export async function otherwiseFinished(
  deps: UploadDeps,
  record: FileRecord,
): Promise<FileRecord> {
  const current = await findFile(deps.db, record.id)
  if (current && isReadable(current.state)) return current
  if (current && isUnfinished(current.state)) throw overtaken(current)
  throw new CarcosaError('UPLOAD_GONE', {
    message: `The upload was ${current?.state ?? 'removed'} while its bytes arrived.`,
  })
}

function overtaken({ offset }: FileRecord): CarcosaError {
  return new CarcosaError('UPLOAD_LOCKED', {
    message: `Another request wrote to this upload meanwhile: it stands at ${offset}. Continue from there.`,
    headers: { 'Retry-After': '1' },
  })
}

/**
 * The state is what keeps a refused file refused: a tus client that retries sees 410, never
 * a complete upload (SEC-35).
 */
export async function reject(
  deps: UploadDeps,
  { record, lease }: Underway,
  { error, detectedType }: Verdict,
): Promise<CarcosaError> {
  if (!error) throw new TypeError('nothing to reject it for')
  const failure = { code: error.code, message: error.message }
  const rejected = await transition(deps.db, record, {
    to: 'rejected',
    from: predecessors('rejected'),
    changes: { failure, detectedType, expiresAt: null },
    fence: lease.fence,
    events: [
      { type: 'file.rejected', data: { id: record.id, route: record.route, ...failure } },
    ],
  })
  deps.bus.publish(record.id)
  if (rejected) {
    deps.meter.uploadRejected(record.route, error.code)
    await purge(deps, rejected)
    await tellRoute(deps, rejected, error)
  }
  return error
}

function secondsSince(date: Date): number {
  return (Date.now() - date.getTime()) / 1_000
}

async function readHead(deps: UploadDeps, record: FileRecord): Promise<Buffer> {
  if (record.offset === 0) return Buffer.alloc(0)
  const end = Math.min(headBytes, record.offset) - 1
  const store = storeNamed(deps, record.storeName)
  const opened = await store.open(record.key, { start: 0, end })
  if (!opened) return Buffer.alloc(0)
  return buffer(opened.stream).catch((cause: unknown) => {
    throw new CarcosaError('STORAGE_UNAVAILABLE', {
      message: 'The store could not be read. What was acknowledged is kept; retry.',
      headers: { 'Retry-After': '5' },
      cause,
    })
  })
}
