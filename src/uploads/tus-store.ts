import type { Readable } from 'node:stream'
import { DataStore, Upload } from '@tus/utils'
import type { FileRecord } from '../files/record.ts'
import { CarcosaError, hasCode } from '../shared/errors.ts'
import type { UploadDeps } from './deps.ts'
import { detectEarly } from './early.ts'
import type { Lease } from './lease.ts'
import { create, declareLength, guard, remove, terminate } from './lifecycle.ts'
import { receive } from './receive.ts'
import { isUnfinished } from './state.ts'
import type { Call } from './tus-call.ts'
import { isWhole, receiveWhole } from './whole.ts'

/**
 * What @tus/server takes for a data store: each of its steps is one of the lifecycle, for the
 * request that is running.
 */
export class LifecycleStore extends DataStore {
  override extensions = [
    'creation',
    'creation-with-upload',
    'creation-defer-length',
    'expiration',
    'termination',
  ]
  readonly #deps: UploadDeps
  readonly #call: () => Call

  constructor(deps: UploadDeps, call: () => Call) {
    super()
    this.#deps = deps
    this.#call = call
  }

  override async create(upload: Upload): Promise<Upload> {
    const call = this.#call()
    const followed = Number(call.exchange.admitted.headers.get('content-length') ?? 0) > 0
    const draft = await call.draft()
    // W6: who waits to be asked for the bytes is asked when nothing can be refused any more.
    if (call.request.headers.has('expect')) await call.exchange.counted?.settled()
    const early = followed ? detectEarly(this.#deps, call.body(), draft.size) : null
    if (followed && isWhole(call.body(), draft.size)) {
      call.whole = { draft, early }
      return upload
    }
    await call.exchange.counted?.settled()
    const { record, replayed } = await create(this.#deps, draft, {
      followed,
      early,
      lease: call.lease,
    })
    call.record = record
    call.replayed = replayed
    // The library takes the id of the Location from here: a replay gets the old one.
    upload.id = record.id
    upload.offset = record.offset
    if (record.size === 0 && !replayed) await this.#receive(call, record)
    return upload
  }

  override async getUpload(id: string): Promise<Upload> {
    const call = this.#call()
    const toWrite = call.exchange.admitted.method !== 'HEAD'
    const record = await guard(this.#deps, call.request, {
      lease: leaseOf(call),
      toWrite,
    })
    call.record = record
    dropRepeatedLength(call, record)
    return new Upload({ id, size: record.size ?? undefined, offset: record.offset })
  }

  override async declareUploadLength(_id: string, size: number): Promise<void> {
    const call = this.#call()
    const { route } = call.request
    const underway = { record: recordOf(call), lease: leaseOf(call) }
    call.record = await declareLength(this.#deps, route, { ...underway, size })
  }

  override async write(_stream: unknown, _id: string, offset: number): Promise<number> {
    const call = this.#call()
    if (call.whole) return (await this.#receiveWhole(call, call.whole)).offset
    const record = recordOf(call)
    if (call.replayed) return record.offset
    if (!isUnfinished(record.state)) return refuseMore(call, offset)
    return (await this.#receive(call, record)).offset
  }

  override async remove(): Promise<void> {
    const call = this.#call()
    await terminate(this.#deps, call.request, leaseOf(call))
  }

  async #receiveWhole(
    call: Call,
    whole: NonNullable<Call['whole']>,
  ): Promise<FileRecord> {
    const { prefix } = call.request
    const { counted } = call.exchange
    const file = { ...whole, body: call.body(), lease: leaseOf(call), prefix, counted }
    call.record = await receiveWhole(this.#deps, file)
    return call.record
  }

  async #receive(call: Call, record: FileRecord): Promise<FileRecord> {
    const { request } = call
    const lease = leaseOf(call)
    try {
      const body = call.body()
      const { route, prefix } = request
      call.record = await receive(this.#deps, { record, body, lease, route, prefix })
      return call.record
    } catch (error) {
      // W4: a creation whose body lies about its length leaves nothing behind.
      if (request.id === null && isLengthExceeded(error)) {
        await remove(this.#deps, record)
      }
      throw error
    }
  }
}

/**
 * D4: the length may be declared once; repeating the same one is what a client does that
 * lost our answer, and is no error.
 */
function dropRepeatedLength({ asked }: Call, record: FileRecord): void {
  const { headers, method } = asked
  if (method !== 'PATCH' || record.size === null) return
  if (Number(headers.get('upload-length') ?? Number.NaN) === record.size) {
    headers.delete('upload-length')
  }
}

/** C29: an empty PATCH at the end of a complete upload is fine; more bytes are not. */
async function refuseMore(call: Call, offset: number): Promise<number> {
  if (!(await hasBytes(call.body(), call.lease?.releaseRequested))) return offset
  throw new CarcosaError('LENGTH_EXCEEDED', {
    message: `The upload is complete at ${offset} bytes; the body has more.`,
  })
}

/** Looks without destroying the stream: on Node the answer needs its socket. */
function hasBytes(body: Readable, signal: AbortSignal | undefined): Promise<boolean> {
  if (body.readableEnded || body.destroyed || signal?.aborted)
    return Promise.resolve(false)
  return new Promise((resolve) => {
    const settle = (found: boolean) => {
      body.off('data', onData).pause()
      for (const ending of endings) body.off(ending, onEnd)
      signal?.removeEventListener('abort', onEnd)
      resolve(found)
    }
    const onData = (chunk: Buffer) => chunk.length > 0 && settle(true)
    const onEnd = () => settle(false)
    for (const ending of endings) body.on(ending, onEnd)
    signal?.addEventListener('abort', onEnd)
    body.on('data', onData)
  })
}

const endings = ['end', 'aborted', 'close', 'error'] as const

function recordOf(call: Call): FileRecord {
  if (!call.record) throw new TypeError('the upload is not loaded')
  return call.record
}

function leaseOf(call: Call): Lease {
  if (!call.lease) throw new TypeError('this needs the lease')
  return call.lease
}

function isLengthExceeded(error: unknown): boolean {
  return hasCode(error, 'LENGTH_EXCEEDED')
}
