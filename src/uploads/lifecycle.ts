import type { Action } from '../auth/roles.ts'
import { isForeignKeyViolation, isUniqueViolation } from '../db/errors.ts'
import type { NewEvent } from '../events/event.ts'
import { insertFile } from '../files/insert.ts'
import { customIdConstraint, customIdTaken } from '../files/labels.ts'
import {
  type FileRecord,
  type FileState,
  isReadable,
  type NewFile,
} from '../files/record.ts'
import { findByBatch, findFile } from '../files/records.ts'
import { transition } from '../files/transition.ts'
import { checkFile } from '../routes/check.ts'
import type { NamedRoute } from '../routes/definition.ts'
import { CarcosaError, hasCode } from '../shared/errors.ts'
import { storeNamed } from './admission.ts'
import { advance, commitHeld } from './advance.ts'
import type { UploadDeps, UploadRequest } from './deps.ts'
import { finish, otherwiseFinished } from './finish.ts'
import { failCorrupt, gone } from './gone.ts'
import { growingOf } from './growing.ts'
import type { Lease, Underway } from './lease.ts'
import { decide, notFound, refusalOf } from './permit.ts'
import { purge } from './purge.ts'
import { isUnfinished, predecessors } from './state.ts'
import type { EarlyType } from './tails.ts'

/** The story of one upload: create, guard, receive (receive.ts), finish (finish.ts), end. */

export interface Creation {
  followed?: boolean
  early?: EarlyType | null
  lease?: Lease | null
}

/**
 * Writes the row of a new upload and `file.created`, or finds the upload that the same ticket
 * created before: a client that lost the answer to its POST gets it again. With `followed` bytes
 * come with the same request: its answer waits for their commit, which takes this one along;
 * `early` is their type.
 * @throws {CarcosaError} QUOTA_EXCEEDED, PROJECT_NOT_FOUND
 */
export async function create(
  deps: UploadDeps,
  file: NewFile,
  { followed = false, early = null, lease = null }: Creation = {},
): Promise<{ record: FileRecord; replayed: boolean }> {
  const insertion = {
    events: [createdEvent(file)],
    lazily: followed,
    lease: (followed && lease?.begin()) || null,
  }
  const created = await writeWithin(deps, file, (counted) =>
    insertFile(deps.db, file, { ...insertion, counted }),
  )
  if (created) {
    deps.feed.hint()
    if (followed) lease?.begun()
    deps.meter.uploadCreated(file.route)
    deps.tails.begin(file.id, early)
    await deps.faults('create:after-row')
    return { record: created, replayed: false }
  }
  return { record: await madeBefore(deps, file), replayed: true }
}

/** What is told of a new upload. */
export function createdEvent({ id, route, filename, size, ownerId }: NewFile): NewEvent {
  return { type: 'file.created', data: { id, route, filename, size, ownerId } }
}

/** The upload that the ticket of this one made before. */
export async function madeBefore(
  { db }: Pick<UploadDeps, 'db'>,
  { batchId, batchIndex }: NewFile,
): Promise<FileRecord> {
  const before = await findByBatch(db, batchId ?? '', batchIndex ?? -1)
  if (before) return before
  throw new CarcosaError('INTERNAL')
}

/**
 * Writes the row of a new file, whose project may have a quota. Null if its ticket made an upload
 * before.
 * @throws {CarcosaError} QUOTA_EXCEEDED, CUSTOM_ID_TAKEN, PROJECT_NOT_FOUND: then there is no row
 */
export function writeWithin(
  { db, quotas }: Pick<UploadDeps, 'db' | 'quotas'>,
  file: NewFile,
  write: (counted: boolean) => Promise<FileRecord | null>,
): Promise<FileRecord | null> {
  const { batchId, batchIndex } = file
  return quotas.within({
    file,
    write: (counted) =>
      write(counted).catch((error) => {
        throw refusalOfRow(error, file) ?? error
      }),
    isMoot: async () =>
      batchId !== null && (await findByBatch(db, batchId, batchIndex ?? -1)) !== null,
  })
}

/** What to tell of a row that the database refused for what it says; null if it is not that. */
function refusalOfRow(
  error: unknown,
  { projectId, customId }: NewFile,
): CarcosaError | null {
  if (isUniqueViolation(error, customIdConstraint)) return customIdTaken(customId)
  return isForeignKeyViolation(error) ? noProject(projectId) : null
}

function noProject(projectId: string): CarcosaError {
  return new CarcosaError('PROJECT_NOT_FOUND', {
    message: `There is no project ${JSON.stringify(projectId.slice(0, 64))}, which the credential names.`,
  })
}

/**
 * The upload a request names, if the request may touch it and it still takes bytes or is
 * complete.
 *
 * @throws {CarcosaError} UPLOAD_GONE, and what findOwn throws
 */
export async function guard(
  deps: UploadDeps,
  request: UploadRequest,
  { lease, toWrite, action = 'uploads.write' }: Guarding,
): Promise<FileRecord> {
  const load = () => (toWrite ? lease.hold() : lease.look())
  const record = await findOwn(deps, request, { action, load })
  assertAlive(record)
  if (!isUnfinished(record.state)) return record
  if (toWrite || !mayBeBehind(deps, record)) return catchUp(deps, { record, lease })
  return guard(deps, request, { lease, toWrite: true, action })
}

export interface Guarding {
  lease: Lease
  /** Whether the upload is held until the lease is released, or only looked at. */
  toWrite: boolean
  /** What is to be done to it. Default `uploads.write`, also to look at the offset: see Search. */
  action?: Wanted
}

/** An action, which may depend on how the upload stands. */
export type Wanted = Action | ((record: FileRecord) => Action)

export interface Search {
  /**
   * What the request is about to do. Asking for the offset by HEAD is `uploads.write`: it ends
   * the request that brings bytes, so it is not for those who may only look.
   */
  action: Wanted
  load?(id: string): Promise<FileRecord | null>
}

/**
 * The upload a request names, in any state, if the request may do to it what it is about to.
 * Unknown, foreign and other-route ids all look the same (promise P6).
 *
 * @throws {CarcosaError} UPLOAD_NOT_FOUND, FORBIDDEN for one that it may see, TICKET_INVALID,
 *   PROJECT_DELETED, and what auth providers throw
 */
export async function findOwn(
  deps: UploadDeps,
  request: UploadRequest,
  { action: wanted, load = (id) => findFile(deps.db, id) }: Search,
): Promise<FileRecord> {
  const record = request.id === null ? null : await load(request.id)
  if (record === null || record.route !== request.route.name) {
    // A credential that is wrong is refused here too, or its refusal would tell what exists.
    await request.ticket(true)
    await request.principal()
    throw notFound()
  }
  const action = typeof wanted === 'function' ? wanted(record) : wanted
  const decision = await decide(deps, request, { record, action })
  if (decision.allowed) {
    await deps.projects.require(record.projectId)
    return record
  }
  // As above: the ticket alone may have decided.
  await request.principal()
  throw await refusalOf(deps, request, { record, decision })
}

/**
 * Fixes the length of an upload whose length was deferred.
 * @throws {CarcosaError} QUOTA_EXCEEDED, and what checkFile throws
 */
export async function declareLength(
  deps: UploadDeps,
  route: NamedRoute,
  { record, lease, size }: Underway & { size: number },
): Promise<FileRecord> {
  const { filename, declaredType } = record
  const file = { name: filename ?? '', type: declaredType ?? '', size }
  const refused = checkFile(route, file)
  if (refused) throw refused
  await deps.quotas.reserve(record, size, 'exact')
  const declared = await advance(deps, { record, lease }, { size })
  return declared ?? otherwiseFinished(deps, record)
}

/**
 * What DELETE does. The id of a finished file is in every link to it, so an anonymous one can
 * only be deleted with the ticket that created it.
 *
 * @throws {CarcosaError} what guard throws
 */
export async function terminate(
  deps: UploadDeps,
  request: UploadRequest,
  lease: Lease,
): Promise<void> {
  const guarding = { lease, toWrite: true, action: actionOfDelete }
  await remove(deps, await guard(deps, request, guarding))
}

export function actionOfDelete({ state }: FileRecord): Action {
  return isReadable(state) ? 'files.delete' : 'uploads.cancel'
}

/**
 * Ends an upload or deletes a finished file: client's DELETE, or the server's own wish. Whoever
 * writes to it, on whatever node, is told. False if it was in none of the states `from`, by
 * default all that have bytes, or of another `revision`, if one is given. With `deleteGrace` a file that is `ready` keeps its bytes until
 * the sweep after it.
 */
export async function remove(
  deps: UploadDeps,
  record: FileRecord,
  { from = predecessors('removed'), revision = null }: Removing = {},
): Promise<boolean> {
  const removed = await becomeRemoved(deps, record, { from, revision })
  if (!removed && revision !== null) return false
  deps.tails.drop(record.id)
  deps.leases.cancel(record.id)
  deps.bus.publish(record.id)
  if (!removed) return false
  deps.meter.uploadTerminated(record.route)
  if (!removed.purgeAfter) await purge(deps, removed)
  return true
}

export interface Removing {
  from?: readonly FileState[]
  revision?: number | null
}

async function becomeRemoved(
  deps: UploadDeps,
  record: FileRecord,
  { from, revision }: Required<Removing>,
): Promise<FileRecord | null> {
  const { id, route } = record
  const { deleteGrace } = deps.settings
  const end = (states: readonly FileState[], purgeAfter: Date | null) =>
    transition(deps.db, record, {
      to: 'removed',
      from: states,
      revision,
      // Also of one that had failed, and kept its bytes until then.
      changes: { expiresAt: null, purgeAfter },
      events: [
        { type: 'file.removed', data: { id, route, ...(purgeAfter && { purgeAfter }) } },
      ],
    })
  if (deleteGrace === 0 || !from.includes('ready')) return end(from, null)
  const keep = () => end(['ready'], new Date(Date.now() + deleteGrace))
  const others = from.filter((state) => state !== 'ready')
  // Twice: it may become ready between the first two.
  return (await keep()) ?? (await end(others, null)) ?? keep()
}

function assertAlive(record: FileRecord): void {
  const { state, failure } = record
  if (isUnfinished(state)) {
    if (record.expiresAt && record.expiresAt.getTime() <= Date.now())
      throw gone('expired')
    return
  }
  if (state === 'rejected' || state === 'failed') {
    throw gone(`${state}${failure ? ` (${failure.code}: ${failure.message})` : ''}`)
  }
  if (state === 'expired' || state === 'removed' || state === 'quarantined')
    throw gone(state)
}

/**
 * After a crash the store may hold more than the database knows: bytes that were written but
 * not yet committed. They are real, so the client need not send them again. Less than was
 * acknowledged means the store lost data, and the only honest answer is that the upload is
 * gone. Skipped when this process wrote last, because then it knows.
 */
async function catchUp(
  deps: UploadDeps,
  { record, lease }: { record: FileRecord; lease: Lease },
): Promise<FileRecord> {
  const current = wroteLast(deps, record)
    ? record
    : await adoptHeld(deps, { record, lease })
  if (current.size === null || current.offset < current.size) return current
  // Every byte is here and only the last step is missing. A client that is told so by HEAD
  // believes that it is done and never asks again.
  const tail = deps.tails.take(current.id, current.offset)
  return finish(deps, { record: current, tail, prefix: null, lease })
}

/** Whether catching up with the store may change the row, which only a writer may. */
function mayBeBehind(deps: UploadDeps, record: FileRecord): boolean {
  const { offset, size } = record
  if (size !== null && offset >= size) return true
  return (
    !wroteLast(deps, record) && storeNamed(deps, record.storeName).offset !== undefined
  )
}

function wroteLast(deps: UploadDeps, { id, offset }: FileRecord): boolean {
  return deps.tails.offsetOf(id) === offset
}

async function adoptHeld(
  deps: UploadDeps,
  { record, lease }: Underway,
): Promise<FileRecord> {
  const held = await storeNamed(deps, record.storeName).offset?.(growingOf(deps, record))
  if (!held) return record
  if (held.offset < record.offset) throw await failCorrupt(deps, { record, lease }, held)
  if (held.offset <= record.offset) return record
  return commitHeld(deps, { record, lease }, held).catch((error) => {
    // What was never acknowledged need not be kept, and HEAD must not end an upload (P5).
    if (hasCode(error, 'QUOTA_EXCEEDED')) return record
    throw error
  })
}
