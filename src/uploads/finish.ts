import type { NewEvent } from '../events/event.ts'
import { type FileRecord, isReadable } from '../files/record.ts'
import { type FileChanges, findFile, transition } from '../files/records.ts'
import { checkDetected } from '../routes/check.ts'
import type { NamedRoute } from '../routes/definition.ts'
import { CarcosaError } from '../shared/errors.ts'
import { storeNamed } from './admission.ts'
import { complete } from './completion.ts'
import type { UploadDeps } from './deps.ts'
import { purge } from './purge.ts'
import { isUnfinished, predecessors } from './state.ts'
import { headBytes, type Tail } from './tails.ts'
import { tellRoute } from './tell-route.ts'

export interface Finishing {
  /** The record with every byte in: `offset === size`. */
  record: FileRecord
  /** What was noted while the bytes passed; null if they came by way of another process. */
  tail: Tail | null
  /** Where this request found us mounted; null outside a request. */
  prefix: string | null
}

/**
 * Turns an upload whose last byte is in into a stored file: the store proves its size, the
 * first bytes say its type, and one transaction changes the state, appends `file.stored` and
 * enqueues the jobs. Safe to call twice and from two places; one of them wins.
 *
 * @throws {CarcosaError} TYPE_NOT_ALLOWED, FILE_TOO_SMALL … when the route refuses what
 *   arrived (the upload is then `rejected`), STORAGE_CORRUPT, UPLOAD_GONE
 */
export async function finish(
  deps: UploadDeps,
  { record, tail, prefix }: Finishing,
): Promise<FileRecord> {
  const route = deps.route(record.route)
  const size = record.offset
  const store = storeNamed(deps, record.storeName)
  const detectedType = await deps.detector.detect(
    tail ? tail.head : await readHead(deps, record),
  )
  const verdict = judge(route, record, detectedType)
  if (verdict.error) throw await reject(deps, record, detectedType, verdict.error)

  // A file that turns out to be of another type falls under the rule for that type.
  const { contentType, rule } = verdict
  const { contentDisposition, acl } = rule ?? record
  try {
    await store.complete(record.key, size, { contentType, contentDisposition })
  } catch (error) {
    // Whoever ended the upload meanwhile deleted its bytes: then nothing is wrong with the store.
    const current = await findFile(deps.db, record.id)
    if (current && isUnfinished(current.state)) throw error
    return otherwiseFinished(deps, record)
  }
  await deps.faults('finish:before-commit')
  const sha256 = tail?.hash?.digest('hex') ?? null
  const found = { detectedType, contentType, contentDisposition, acl, sha256 }
  const stored = await commitStored(deps, record, found)
  if (!stored) return otherwiseFinished(deps, record)
  await deps.faults('finish:after-commit')
  deps.bus.publish(record.id)
  if (stored.state === 'stored') deps.background(complete(deps, stored, prefix))
  return stored
}

type Found = Pick<
  FileRecord,
  'detectedType' | 'contentType' | 'contentDisposition' | 'acl' | 'sha256'
>

/**
 * State, events and jobs in one statement: one round trip and one transaction. A route
 * without a completion callback goes straight to `ready`.
 */
function commitStored(
  deps: UploadDeps,
  record: FileRecord,
  found: Found,
): Promise<FileRecord | null> {
  const now = new Date()
  const { id, route, filename, ownerId, offset: size } = record
  const hasCallback = Boolean(deps.route(route)?.onUploadComplete)
  const needsDigest = deps.settings.digest && found.sha256 === null
  const changes: FileChanges = {
    ...found,
    offset: size,
    storedAt: now,
    expiresAt: null,
    ...(hasCallback
      ? { claimedUntil: new Date(now.getTime() + deps.settings.claimMs), attempts: 1 }
      : { readyAt: now }),
  }
  const { contentType, sha256 } = found
  const data = { id, route, filename, ownerId, size, contentType, sha256 }
  const events: NewEvent[] = [{ type: 'file.stored', data }]
  if (!hasCallback) events.push({ type: 'file.ready', data })
  return transition(deps.db, record, {
    to: hasCallback ? 'stored' : 'ready',
    from: ['created', 'receiving'],
    changes,
    events,
    also: [
      ...(hasCallback ? [job(deps, 'upload.complete')] : []),
      ...(needsDigest ? [job(deps, 'upload.digest')] : []),
    ],
  })
}

/** Adds a job for the file in `f`. The completion's own job only runs if its claim runs out. */
function job(deps: UploadDeps, name: 'upload.complete' | 'upload.digest') {
  const data = `jsonb_build_object('fileId', id) AS data`
  const source =
    name === 'upload.complete'
      ? `SELECT ${data}, (claimed_until - now()) AS start_after FROM f`
      : `SELECT ${data} FROM f`
  return { name, sql: deps.jobs.enqueueSql(name, source) }
}

/**
 * The record after somebody else was first. If they stored it, that is success too.
 * @throws {CarcosaError} UPLOAD_GONE
 */
export async function otherwiseFinished(
  deps: UploadDeps,
  record: FileRecord,
): Promise<FileRecord> {
  const current = await findFile(deps.db, record.id)
  if (current && isReadable(current.state)) return current
  throw new CarcosaError('UPLOAD_GONE', {
    message: `The upload was ${current?.state ?? 'removed'} while its bytes arrived.`,
  })
}

function judge(route: NamedRoute | null, record: FileRecord, detected: string | null) {
  if (!route) {
    // The route was taken out of the program while the upload ran: nothing judges it any more.
    const contentType = detected ?? 'application/octet-stream'
    return { error: null, contentType, rule: null }
  }
  const { declaredType, filename, offset } = record
  return checkDetected(route, { declaredType, name: filename, size: offset }, detected)
}

/**
 * The state is what keeps a refused file refused: a tus client that retries sees 410, never
 * a complete upload (SEC-35).
 */
async function reject(
  deps: UploadDeps,
  record: FileRecord,
  detectedType: string | null,
  error: CarcosaError,
): Promise<CarcosaError> {
  const failure = { code: error.code, message: error.message }
  const rejected = await transition(deps.db, record, {
    to: 'rejected',
    from: predecessors('rejected'),
    changes: { failure, detectedType, expiresAt: null },
    events: [
      { type: 'file.rejected', data: { id: record.id, route: record.route, ...failure } },
    ],
  })
  deps.bus.publish(record.id)
  if (rejected) {
    await purge(deps, rejected)
    await tellRoute(deps, rejected, error)
  }
  return error
}

async function readHead(deps: UploadDeps, record: FileRecord): Promise<Buffer> {
  if (record.offset === 0) return Buffer.alloc(0)
  const end = Math.min(headBytes, record.offset) - 1
  const stream = await storeNamed(deps, record.storeName).open(record.key, {
    start: 0,
    end,
  })
  if (!stream) return Buffer.alloc(0)
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}
