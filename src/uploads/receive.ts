import type { Readable } from 'node:stream'
import type { ByteSource, Store } from '../../stores/store.ts'
import type { FileRecord } from '../files/record.ts'
import { maxFileSize } from '../routes/check.ts'
import type { NamedRoute } from '../routes/definition.ts'
import { CarcosaError } from '../shared/errors.ts'
import { storeNamed } from './admission.ts'
import type { UploadDeps } from './deps.ts'
import { finish } from './finish.ts'
import type { Lease } from './lease.ts'
import { commitOffset } from './lifecycle.ts'
import { createRelief } from './relief.ts'
import { feed, type Tail } from './tails.ts'

/** Bytes of a request in flight are committed this often, so that a crash loses no more. */
const checkpointMs = 500

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
  const progress = checkpoints(deps, record)
  const limit = (record.size ?? maxFileSize(route)) - record.offset
  const source = tapped({ body, limit, lease, tail, onStored: progress.note })

  let offset: number
  try {
    offset = await store.write(record.key, record.offset, source)
  } catch (error) {
    await commitWhatIsSafe(deps, store, record)
    throw error
  } finally {
    progress.stop()
  }
  await deps.faults('receive:after-write')

  if (source.exceeded) throw await refuseExcess(deps, record, offset, limit)
  if (failOnError && body.errored) throw body.errored
  if (offset === record.size) {
    return finish(deps, { record: { ...record, offset }, tail, prefix })
  }
  if (tail) deps.tails.put(record.id, tail)
  return offset > record.offset ? commitOffset(deps, record, offset) : record
}

/** One for the process: what counts is how much passes through it. */
const relieve = createRelief()

type TappedSource = ByteSource & { exceeded: boolean }

function tapped({
  body,
  limit,
  lease,
  tail,
  onStored,
}: {
  body: Readable
  limit: number
  lease: Lease
  tail: Tail | null
  onStored(offset: number): void
}): TappedSource {
  const source: TappedSource = {
    stream: body,
    limit,
    signal: lease.releaseRequested,
    exceeded: false,
    onChunk(chunk) {
      relieve(chunk.length)
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

/** Commits the offset of a long or stalled request now and then, never twice at once. */
function checkpoints(deps: UploadDeps, record: FileRecord) {
  let safe = record.offset
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  const commit = async () => {
    const offset = safe
    try {
      await commitOffset(deps, record, offset)
      deps.bus.publish(record.id)
    } catch (error) {
      // The commit at the end of the request is the one that counts; this one is a courtesy.
      deps.log.warn({ err: error, id: record.id }, 'could not commit an offset early')
    }
    timer = undefined
    if (safe > offset && !stopped) arm()
  }
  const arm = () => {
    timer ??= setTimeout(() => void commit(), checkpointMs)
  }

  return {
    note(offset: number) {
      safe = offset
      arm()
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

async function commitWhatIsSafe(deps: UploadDeps, store: Store, record: FileRecord) {
  try {
    const safe = await store.offset(record.key)
    if (safe > record.offset) await commitOffset(deps, record, safe)
  } catch (error) {
    // The store just failed and may fail again; the next HEAD asks it once more.
    deps.log.warn({ err: error, id: record.id }, 'could not commit what the store kept')
  }
}

async function refuseExcess(
  deps: UploadDeps,
  record: FileRecord,
  offset: number,
  limit: number,
) {
  deps.tails.drop(record.id)
  if (offset > record.offset) await commitOffset(deps, record, offset)
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
