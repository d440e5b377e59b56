import { AsyncLocalStorage } from 'node:async_hooks'
import { Readable } from 'node:stream'
import { Server } from '@tus/server'
import type { Upload } from '@tus/utils'
import { maxFileSize } from '../routes/check.ts'
import type { Reply } from '../shared/reply.ts'
import type { UploadDeps } from './deps.ts'
import { actionOfDelete, findOwn } from './lifecycle.ts'
import { toReply, translate } from './tus-answer.ts'
import { Call, type TusExchange } from './tus-call.ts'
import { LifecycleStore } from './tus-store.ts'

/**
 * The only translator between @tus/server and the lifecycle. The library keeps the order of
 * the protocol's steps (lock, load, compare offsets, write, answer); rows, locks, bytes and
 * errors are ours. Bytes never pass through it: the store reads the request itself.
 */

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
    const response = await current.run(call, () =>
      // It looks at no more of a request than this: its body is read by the store.
      server.handleWeb(call.asked as Request),
    )
    if (call.error) throw call.error
    return toReply(response, call)
  }
}

/**
 * Leaves out what the library does for bodies, waiting and answers, which are the store's, the
 * lease's and ours.
 */
class TusServer extends Server {
  constructor(options: ConstructorParameters<typeof Server>[0]) {
    super(options)
    const { datastore } = this
    // The library would build five streams and a pipeline around a body nobody reads.
    const writeToStore = (_body: unknown, { id, offset }: Upload) =>
      datastore.write(nothing, id, offset)
    // Status and headers are all that is taken from it; a real one has a stream for its body.
    const write = (status: number, headers: HeadersInit) => ({
      status,
      headers: new Headers(headers),
    })
    Object.assign(this.handlers.POST, { writeToStore, write })
    Object.assign(this.handlers.PATCH, { writeToStore, write })
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
  const { method } = call.exchange.admitted
  const preempt = method === 'PATCH' ? 'idle' : 'now'
  const action = method === 'DELETE' ? actionOfDelete : 'uploads.write'
  // SEC-6: who may not touch the upload may not end the request that writes to it either.
  const beforeWaiting = () => findOwn(deps, call.request, { action })
  return {
    async lock() {
      call.lease = await deps.leases.acquire(id, { preempt, beforeWaiting })
    },
    async unlock() {
      call.lease?.release()
    },
  }
}

function callOf(current: AsyncLocalStorage<Call>): Call {
  const call = current.getStore()
  if (!call) throw new TypeError('outside of a request')
  return call
}
