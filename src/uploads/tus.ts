import { AsyncLocalStorage } from 'node:async_hooks'
import { Readable } from 'node:stream'
import { Server } from '@tus/server'
import { DataStore, ERRORS, Upload } from '@tus/utils'
import type { FileRecord } from '../files/record.ts'
import { maxFileSize } from '../routes/check.ts'
import { CarcosaError, type ErrorCode, toCarcosaError } from '../shared/errors.ts'
import type { Reply } from '../shared/reply.ts'
import { admit } from './admission.ts'
import type { UploadDeps, UploadRequest } from './deps.ts'
import type { Admitted } from './door.ts'
import type { Lease } from './lease.ts'
import { create, declareLength, findOwn, guard, remove, terminate } from './lifecycle.ts'
import { receive } from './receive.ts'
import { isUnfinished } from './state.ts'

/**
 * The only translator between @tus/server and the lifecycle. The library keeps the order of
 * the protocol's steps (lock, load, compare offsets, write, answer); rows, locks, bytes and
 * errors are ours. Bytes never pass through it: the store reads the request itself.
 */

export interface TusExchange {
  request: UploadRequest
  admitted: Admitted
  /** Begins the body; on Node this is where `100 Continue` is sent, after all checks (W6). */
  openBody(): Readable
}

/** Answers one request that passed the door. @throws {CarcosaError} what the lifecycle throws */
export type Tus = (exchange: TusExchange) => Promise<Reply>

export function createTus(deps: UploadDeps): Tus {
  const current = new AsyncLocalStorage<Call>()
  const server = new TusServer({
    path: '/',
    datastore: new LifecycleStore(deps, () => callOf(current)),
    locker: () => ({ newLock: (id: string) => leaseFor(deps, callOf(current), id) }),
    namingFunction: async () => callOf(current).draftId(),
    getFileIdFromRequest: () => callOf(current).request.id ?? undefined,
    generateUrl: (_request, { id }) => callOf(current).urlOf(id),
    maxSize: () => maxFileSize(callOf(current).request.route),
    onResponseError: (_request, error) => {
      const call = callOf(current)
      call.error = translate(error, call)
      return { status_code: call.error.status, body: '' }
    },
  })

  return async (exchange) => {
    const call = new Call(deps, exchange)
    const response = await current.run(call, () => server.handleWeb(call.asked))
    if (call.error) throw call.error
    return toReply(response, call)
  }
}

/** What one request gathers on its way through the library. */
class Call {
  readonly request: UploadRequest
  readonly exchange: TusExchange
  /** The request as the library sees it: without its body. */
  readonly asked: Request
  lease: Lease | null = null
  record: FileRecord | null = null
  error: CarcosaError | null = null
  /** The same ticket was used before: answer again, write nothing. */
  replayed = false
  readonly #deps: UploadDeps
  #draft: ReturnType<typeof admit> | null = null
  #body: Readable | null = null

  constructor(deps: UploadDeps, exchange: TusExchange) {
    this.#deps = deps
    this.exchange = exchange
    this.request = exchange.request
    const { method, headers } = exchange.admitted
    this.asked = new Request('http://carcosa.invalid/', { method, headers })
  }

  /** Judges the creation, once; its id is needed before its row is. */
  draft() {
    const { creation } = this.exchange.admitted
    if (!creation) throw new TypeError('only POST creates')
    this.#draft ??= admit(this.#deps, this.request, creation)
    return this.#draft
  }

  /** The body, opened once: an empty upload is complete before its empty body is looked at. */
  body(): Readable {
    this.#body ??= this.exchange.openBody()
    return this.#body
  }

  async draftId(): Promise<string> {
    return (await this.draft()).id
  }

  urlOf(id: string): string {
    return `${this.request.prefix}/uploads/${this.request.route.name}/${id}`
  }
}

class LifecycleStore extends DataStore {
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
    const { record, replayed } = await create(this.#deps, await call.draft())
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
    const record = await guard(this.#deps, call.request)
    call.record = record
    dropRepeatedLength(call, record)
    return new Upload({ id, size: record.size ?? undefined, offset: record.offset })
  }

  override async declareUploadLength(_id: string, size: number): Promise<void> {
    const call = this.#call()
    const { route } = call.request
    call.record = await declareLength(this.#deps, route, { record: recordOf(call), size })
  }

  override async write(_stream: unknown, _id: string, offset: number): Promise<number> {
    const call = this.#call()
    const record = recordOf(call)
    if (call.replayed) return record.offset
    if (!isUnfinished(record.state)) return refuseMore(call, offset)
    return (await this.#receive(call, record)).offset
  }

  override async remove(): Promise<void> {
    const call = this.#call()
    await terminate(this.#deps, call.request)
  }

  async #receive(call: Call, record: FileRecord): Promise<FileRecord> {
    const { request, lease } = call
    if (!lease) throw new TypeError('writing needs the lease')
    try {
      const body = call.body()
      const { route, prefix } = request
      call.record = await receive(this.#deps, { record, body, lease, route, prefix })
      return call.record
    } catch (error) {
      // W4: a creation whose body lies about its length leaves nothing behind.
      if (request.id === null && isCode(error, 'LENGTH_EXCEEDED')) {
        await remove(this.#deps, record)
      }
      throw error
    }
  }
}

/** Leaves out what the library does for bodies and waiting, which are the store's and the lease's. */
class TusServer extends Server {
  constructor(options: ConstructorParameters<typeof Server>[0]) {
    super(options)
    const { datastore } = this
    // The library would build five streams and a pipeline around a body nobody reads.
    const writeToStore = (_body: unknown, { id, offset }: Upload) =>
      datastore.write(nothing, id, offset)
    Object.assign(this.handlers.POST, { writeToStore })
    Object.assign(this.handlers.PATCH, { writeToStore })
  }

  /** One abort signal instead of two, and no timer. */
  protected override createContext() {
    const controller = new AbortController()
    const abort = () => controller.abort('the request ended')
    return { signal: controller.signal, abort, cancel: abort }
  }
}

/** What the library believes to be the body. */
const nothing = Readable.from([])

function leaseFor(deps: UploadDeps, call: Call, id: string) {
  const preempt = call.exchange.admitted.method === 'PATCH' ? 'idle' : 'now'
  // SEC-6: who may not touch the upload may not end the request that writes to it either.
  const beforeWaiting = () => findOwn(deps, call.request)
  return {
    async lock() {
      call.lease = await deps.leases.acquire(id, { preempt, beforeWaiting })
    },
    async unlock() {
      call.lease?.release()
    },
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

/** The library throws plain objects; these are the ones that can get through our door. */
const libraryErrors = new Map<unknown, ErrorCode>([
  [ERRORS.INVALID_LENGTH, 'LENGTH_INVALID'],
  [ERRORS.ERR_SIZE_EXCEEDED, 'LENGTH_EXCEEDED'],
  [ERRORS.ERR_MAX_SIZE_EXCEEDED, 'FILE_TOO_LARGE'],
  [ERRORS.FILE_NOT_FOUND, 'UPLOAD_NOT_FOUND'],
  [ERRORS.INVALID_METADATA, 'METADATA_INVALID'],
])

function translate(error: unknown, { record, exchange }: Call): CarcosaError {
  if (error === ERRORS.INVALID_OFFSET && record) {
    const given = Number(exchange.admitted.headers.get('upload-offset'))
    return new CarcosaError('OFFSET_MISMATCH', {
      message: `The request continues at byte ${given}, but the upload stands at ${record.offset}. Continue from there.`,
      details: { given, offset: record.offset },
      // C22: so that a client need not ask.
      headers: { 'Upload-Offset': String(record.offset) },
    })
  }
  const code = libraryErrors.get(error)
  return code ? new CarcosaError(code) : toCarcosaError(error)
}

function isCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof CarcosaError && error.code === code
}

function callOf(current: AsyncLocalStorage<Call>): Call {
  const call = current.getStore()
  if (!call) throw new TypeError('outside of a request')
  return call
}

function recordOf(call: Call): FileRecord {
  if (!call.record) throw new TypeError('the upload is not loaded')
  return call.record
}

const answerHeaders = [
  'Location',
  'Upload-Offset',
  'Upload-Length',
  'Upload-Defer-Length',
  'Tus-Version',
  'Tus-Extension',
  'Tus-Max-Size',
]

/** The library's answer with what it leaves out: raw metadata, expiry, offsets on 409, problem bodies. */
function toReply(response: Response, call: Call): Reply {
  const { method } = call.exchange.admitted
  const headers: Record<string, string> = { 'Tus-Resumable': '1.0.0' }
  if (method === 'HEAD') headers['Cache-Control'] = 'no-store'
  for (const name of answerHeaders) {
    const value = response.headers.get(name)
    if (value !== null) headers[name] = value
  }
  const { record } = call
  // tus-js-client asks for the offset even where it sent no body with its creation.
  if (method === 'POST') headers['Upload-Offset'] ??= String(record?.offset ?? 0)
  if (record && method !== 'DELETE') {
    if (isUnfinished(record.state) && record.expiresAt) {
      headers['Upload-Expires'] = record.expiresAt.toUTCString()
    }
    if (method === 'HEAD' && record.rawMetadata !== null) {
      headers['Upload-Metadata'] = record.rawMetadata
    }
  }
  return { status: response.status, headers, body: null }
}
