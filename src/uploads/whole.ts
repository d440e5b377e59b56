import type { Readable } from 'node:stream'
import type { Store } from '../../stores/store.ts'
import { type FileRecord, type NewFile, newRecord } from '../files/record.ts'
import { CarcosaError, hasCode } from '../shared/errors.ts'
import { relief } from '../shared/relief.ts'
import { countReceived } from '../shared/request-context.ts'
import { storeNamed } from './admission.ts'
import type { UploadDeps } from './deps.ts'
import { afterStored, type Found, foundIn, reject, storedFile } from './finish.ts'
import { type Growing, growingOf } from './growing.ts'
import type { Lease } from './lease.ts'
import { create, createdEvent, madeBefore, writeWithin } from './lifecycle.ts'
import { lengthExceeded } from './receive.ts'
import { type EarlyType, feed, newTail, type Tail } from './tails.ts'
import { judgeContent, type Verdict } from './verdict.ts'

/** A creation while it is counted for the rate limits. */
export interface Counted {
  /** Rejects where they refuse it. Until somebody asks, counting may be put off a little. */
  settled(): Promise<unknown>
}

/** A file that came whole with the request that creates it. */
export interface WholeFile {
  draft: NewFile
  body: Readable
  /** Its type, asked for already; null if it was not. */
  early: EarlyType | null
  lease: Lease
  /** Where this request found us mounted. */
  prefix: string
  /** Until it is settled nothing is written but the bytes. */
  counted: Counted | null
}

/** Whether all of a file of this size has arrived. */
export function isWhole(body: Readable, size: number | null): boolean {
  return size !== null && size > 0 && body.readableLength >= size
}

/**
 * The short way of a file that came whole: its bytes go to the store first, and its row is written
 * once, as that of a stored file. Nobody knows of it before, so nobody can watch, resume or end it;
 * what a process leaves that dies in between is an object without a row, and reconciling deletes it.
 *
 * Returns the file that the same ticket created before, if it did.
 *
 * @throws {CarcosaError} as receive and finish; nothing is left then but the row of a file that
 *   its route refuses
 */
export async function receiveWhole(
  deps: UploadDeps,
  { draft, body, early, lease, prefix, counted }: WholeFile,
): Promise<FileRecord> {
  const record = newRecord(draft, new Date())
  const store = storeNamed(deps, record.storeName)
  const tail = newTail(deps.settings.digest, early)
  const object = growingOf(deps, record, { early, fresh: true })
  const leavingNothing = <T>(work: Promise<T>): Promise<T> =>
    work.catch(async (error: unknown) => {
      // Whose key was given out twice: what is there is another file's.
      if (!hasCode(error, 'OBJECT_EXISTS')) await discard(deps, record)
      throw error
    })

  const arriving = put(deps, { record, store, object, body, lease, tail })
  const verdict = await leavingNothing(arriving)
  if (counted) await leavingNothing(counted.settled())
  if (verdict.error) return refuse(deps, { draft, verdict, lease })
  await leavingNothing(store.complete(object, tail.offset))
  await deps.faults('finish:before-commit')
  const received = { ...record, offset: tail.offset }
  const stored = await commit(deps, draft, received, foundIn(verdict, tail))
  if (!stored) {
    await discard(deps, draft)
    return madeBefore(deps, draft)
  }
  await afterStored(deps, stored, prefix)
  return stored
}

interface Putting extends Pick<WholeFile, 'body' | 'lease'> {
  record: FileRecord
  store: Store
  object: Growing
  tail: Tail
}

/** Puts all bytes into the store, and judges them. */
async function put(
  deps: UploadDeps,
  { record, store, object, body, lease, tail }: Putting,
): Promise<Verdict> {
  const { size } = record
  let exceeded = false
  deps.meter.uploadsActive(1)
  try {
    await store.write(object, {
      stream: body,
      limit: size ?? 0,
      signal: lease.releaseRequested,
      onChunk(chunk) {
        relief.passed(chunk.length)
        feed(tail, chunk)
      },
      onStored() {},
      onExcess() {
        exceeded = true
      },
    })
  } catch (error) {
    const refusal = object.refusal(error)
    if (refusal) return refusal
    throw error
  } finally {
    deps.meter.uploadsActive(-1)
    deps.meter.bytesReceived(record, tail.offset)
    countReceived(tail.offset)
  }
  if (exceeded) throw lengthExceeded(size ?? 0, tail.offset)
  // All of it was here: only a process that stops leaves some of it where it is.
  if (tail.offset !== size) throw new CarcosaError('SHUTTING_DOWN')
  await deps.faults('receive:after-write')
  return object.verdict ?? judgeContent(deps, record, tail)
}

/** A refused file has a row, which keeps it refused and tells why. */
async function refuse(
  deps: UploadDeps,
  { draft, verdict, lease }: Pick<WholeFile, 'draft' | 'lease'> & { verdict: Verdict },
): Promise<FileRecord> {
  const { record, replayed } = await create(deps, draft).catch(async (error) => {
    await discard(deps, draft)
    throw error
  })
  if (!replayed) throw await reject(deps, { record, lease }, verdict)
  await discard(deps, draft)
  return record
}

/**
 * The row of a stored file; null if the same ticket created another before. Where the database does
 * not answer the bytes stay: it may have committed.
 */
async function commit(
  deps: UploadDeps,
  draft: NewFile,
  record: FileRecord,
  found: Found,
): Promise<FileRecord | null> {
  const { to, changes, events, also } = storedFile(deps, record, found)
  const all = { to, changes, events: [createdEvent(draft), ...events], also }
  const stored = await writeWithin(deps, draft, (counted) =>
    deps.arrivals.insert(draft, { ...all, counted }),
  ).catch(async (error: unknown) => {
    if (hasNoRow.some((code) => hasCode(error, code))) await discard(deps, draft)
    throw error
  })
  if (!stored) return null
  deps.feed.hint()
  deps.meter.uploadCreated(draft.route)
  return stored
}

/** What is certain of such a refusal; after others the row may be there. */
const hasNoRow = ['QUOTA_EXCEEDED', 'CUSTOM_ID_TAKEN', 'PROJECT_NOT_FOUND'] as const

/** Deletes bytes that no row knows of. */
async function discard(
  deps: UploadDeps,
  { id, key, storeName }: Pick<NewFile, 'id' | 'key' | 'storeName'>,
): Promise<void> {
  await storeNamed(deps, storeName)
    .remove(key, null)
    .catch((err: unknown) => {
      deps.log.warn({ err, id }, 'could not delete bytes; reconciling will')
    })
}
