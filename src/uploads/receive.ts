import type { Readable } from 'node:stream'
import type { ByteSource, Progress, Store } from '../../stores/store.ts'
import type { FileRecord } from '../files/record.ts'
import { findFile } from '../files/records.ts'
import { maxFileSize } from '../routes/check.ts'
import type { NamedRoute } from '../routes/definition.ts'
import { CarcosaError, hasCode } from '../shared/errors.ts'
import { relief } from '../shared/relief.ts'
import { countReceived } from '../shared/request-context.ts'
import { storeNamed } from './admission.ts'
import { commitHeld } from './advance.ts'
import type { UploadDeps } from './deps.ts'
import { finish, otherwiseFinished, reject } from './finish.ts'
import { failCorrupt } from './gone.ts'
import { type Growing, growingOf } from './growing.ts'
import type { Lease, Underway } from './lease.ts'
import { createLedger, type Ledger } from './ledger.ts'
import type { ByteCount } from './progress.ts'
import { isUnfinished } from './state.ts'
import { feed, type Tail } from './tails.ts'
import { isFutile } from './turns.ts'

export interface Reception {
  /** Unfinished, and guarded by `lease`. */
  record: FileRecord
  body: Readable
  lease: Lease
  route: NamedRoute
  /** What is in front of our paths, for the callback; null outside a request. */
  prefix: string | null
  /** Whether an error of the body is thrown, since nobody will resume. Default false. */
  failOnError?: boolean
}

/**
 * Lets the store pull the body of one request and commits what became safe. Returns the
 * record as it stands afterwards: complete if the last byte was among them.
 *
 * A client that goes away is not an error, unless `failOnError` says so. A store that fails is: what it kept is committed
 * first, so the offset the client is told next is true.
 *
 * @throws {CarcosaError} LENGTH_EXCEEDED, STORAGE_FULL, STORAGE_UNAVAILABLE, and what finish throws
 */
export async function receive(
  deps: UploadDeps,
  { record, body, lease, route, prefix, failOnError = false }: Reception,
): Promise<FileRecord> {
  const store = storeNamed(deps, record.storeName)
  const tail = deps.tails.take(record.id, record.offset)
  const { contested } = lease
  const object = growingOf(deps, record, { early: tail?.early ?? null, contested })
  const ledger = createLedger(deps, { record, lease })
  const limit = (record.size ?? maxFileSize(route)) - record.offset
  const received = deps.progress.begin(record)
  const onStored = ledger.note
  const source = tapped({ body, limit, lease, tail, received, onStored })

  let offset = record.offset
  deps.meter.uploadsActive(1)
  try {
    offset = await store.write(object, source)
  } catch (error) {
    throw await afterFailure(deps, { record, lease, store, object, ledger, error })
  } finally {
    received.end(offset)
    deps.meter.uploadsActive(-1)
    deps.meter.bytesReceived(record, source.taken)
    countReceived(source.taken)
  }
  await deps.faults('receive:after-write')

  if (source.exceeded) {
    deps.tails.drop(record.id)
    await ledger.settle()
    throw excess(record, offset, limit)
  }
  if (failOnError && body.errored) {
    await ledger.settle()
    throw body.errored
  }
  if (offset === record.size) {
    // What a crash between here and the end would need; a plain file needs nothing.
    const current = ledger.hasPieces ? await ledger.settle() : ledger.drop()
    return finish(deps, {
      record: { ...current, offset },
      tail,
      prefix,
      written: object,
      lease,
    })
  }
  const settled = await ledger.settle()
  if (isFutile(lease.releaseRequested)) return otherwiseFinished(deps, settled)
  if (tail) deps.tails.put(record.id, tail)
  return settled
}

type TappedSource = ByteSource & { exceeded: boolean; taken: number }

function tapped({
  body,
  limit,
  lease,
  tail,
  received,
  onStored,
}: {
  body: Readable
  limit: number
  lease: Lease
  tail: Tail | null
  received: ByteCount
  onStored(progress: Progress): void
}): TappedSource {
  const source: TappedSource = {
    stream: body,
    limit,
    signal: lease.releaseRequested,
    exceeded: false,
    taken: 0,
    onChunk(chunk) {
      source.taken += chunk.length
      relief.passed(chunk.length)
      received.add(chunk.length)
      lease.touch()
      if (tail) feed(tail, chunk)
    },
    onStored,
    onExcess() {
      source.exceeded = true
    },
  }
  return source
}

interface Failed {
  record: FileRecord
  lease: Lease
  store: Store
  object: Growing
  ledger: Ledger
  error: unknown
}

/**
 * What the store kept is committed first, so that the offset the client is told next is true.
 * Returns what to throw.
 */
async function afterFailure(
  deps: UploadDeps,
  { record, lease, store, object, ledger, error }: Failed,
): Promise<unknown> {
  const refusal = object.refusal(error)
  if (refusal) return reject(deps, { record, lease }, refusal)
  if (hasCode(error, 'STORAGE_CORRUPT')) return lost(deps, { record, lease }, error)
  try {
    const current = await ledger.settle()
    const now = await store.offset?.(growingOf(deps, current))
    if (now && now.offset > current.offset) {
      await commitHeld(deps, { record: current, lease }, now)
    }
  } catch (cause) {
    // The store just failed and may fail again; the next HEAD asks it once more.
    deps.log.warn({ err: cause, id: record.id }, 'could not commit what the store kept')
  }
  return error
}

/** Bytes that were acknowledged are gone: the only honest answer is that the upload is, too. */
async function lost(
  deps: UploadDeps,
  { record, lease }: Underway,
  error: unknown,
): Promise<unknown> {
  const current = await findFile(deps.db, record.id)
  if (!current || !isUnfinished(current.state)) {
    // Whoever ended the upload meanwhile deleted its bytes: nothing is wrong with the store.
    return otherwiseFinished(deps, record).then(
      () => error,
      (gone: unknown) => gone,
    )
  }
  return failCorrupt(deps, { record: current, lease }, error)
}

function excess(record: FileRecord, offset: number, limit: number): CarcosaError {
  if (record.size !== null) return lengthExceeded(limit, offset)
  return new CarcosaError('FILE_TOO_LARGE', {
    message: `The file is larger than the ${record.offset + limit} bytes this route allows.`,
    details: { remaining: limit, offset },
  })
}

/** The refusal of a body that has more than the `remaining` bytes of its upload. */
export function lengthExceeded(remaining: number, offset: number): CarcosaError {
  return new CarcosaError('LENGTH_EXCEEDED', {
    message: `The body goes on after the ${remaining} bytes that were still missing. Ask for the offset with HEAD and send no more than Upload-Length says.`,
    details: { remaining, offset },
  })
}
