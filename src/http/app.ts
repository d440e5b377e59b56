import type { Accounts } from '../accounts/accounts.ts'
import type { AuthProvider } from '../auth/principal.ts'
import type { FileDeps } from '../files/access.ts'
import type { RateLimiter } from '../limits/limiter.ts'
import type { Drain } from '../ops/drain.ts'
import { type Readiness, readinessReply } from '../ops/health.ts'
import { describeRouter } from '../routes/describe.ts'
import type { Router } from '../routes/router.ts'
import { CarcosaError, toCarcosaError } from '../shared/errors.ts'
import type { Logger } from '../shared/logger.ts'
import type { Meter } from '../shared/meter.ts'
import { jsonReply, type Reply, withHeaders } from '../shared/reply.ts'
import { answerAccounts } from './accounts/answer.ts'
import { authenticate } from './authenticate.ts'
import type { ClientAddress } from './client-address.ts'
import { type CorsOptions, preflight, withCors } from './cors.ts'
import { answerEvents, type EventPaths } from './events.ts'
import { answerFiles } from './files.ts'
import type { Incoming, Located } from './incoming.ts'
import { locate, type Place } from './locate.ts'
import { observed } from './observe.ts'
import { limitedAuthentication } from './rate-limit.ts'
import { refuse } from './refuse.ts'
import { noteCaller, notePlace, type RequestNotes } from './request-notes.ts'
import { answerUploads, type UploadPaths } from './uploads.ts'

export interface AppOptions {
  router: Router
  auth: readonly AuthProvider[]
  /** Null where there are none. */
  accounts: Accounts | null
  cors: CorsOptions
  basePath: string
  log: Logger
  meter: Meter
  drain: Drain
  /** Whether this process should be sent requests. */
  readiness(): Promise<Readiness>
  uploads: UploadPaths
  files: FileDeps
  events: EventPaths
  /** `/api/v1` and `/docs`. */
  rest(located: Located): Promise<Reply | null>
  limiter: RateLimiter
  clientAddress: ClientAddress
  notes: RequestNotes
}

/** Answers a request; null if it is none of ours and may be declined. Never rejects. */
export type App = (incoming: Incoming) => Promise<Reply | null>

/** The URL space under the mount point, and the one place where errors become answers. */
export function createApp(options: AppOptions): App {
  const { meter, log, router, notes } = options
  const routes = new Set(Object.keys(router.routes))
  const routeOf = (path: string) => {
    const [, name = ''] = /\/uploads\/([^/]+)/.exec(path) ?? []
    return routes.has(name) ? name : null
  }
  const app: App = async (incoming) => {
    const reply = await options.drain.run(() => answer(options, incoming))
    return reply && withCors(reply, incoming.headers, options.cors)
  }
  return observed(app, { meter, log, notes, routeOf })
}

async function answer(options: AppOptions, incoming: Incoming): Promise<Reply | null> {
  try {
    const place = locate(incoming, options)
    if (!place) {
      if (incoming.mayDecline) return null
      throw nothingAt(incoming.path)
    }
    notePlace(place.segments)
    requireSane(incoming)
    const asked = preflight(incoming.method, incoming.headers)
    if (asked && place.segments[0] !== 'uploads') return asked
    const client = options.clientAddress(incoming)
    const { limiter } = options
    const isLive = isLiveUpload(place)
    const principal = once(() =>
      limitedAuthentication({ limiter, client, isLive }, () =>
        authenticate(options.auth, incoming).then(noteCaller),
      ),
    )
    const reply = await dispatch(options, { ...incoming, ...place, client, principal })
    if (!asked || !reply) return reply
    // A browser stops at a preflight that fails, and the page never learns the reason; the
    // request itself is told. Else one answer serves the browser and a tus client's OPTIONS.
    if (reply.status >= 400) return asked
    return { ...reply, headers: { ...reply.headers, ...asked.headers } }
  } catch (error) {
    return refuse(options.log, incoming, toCarcosaError(error))
  }
}

/** Promise P5: whatever continues an upload is never refused for having been asked too often. */
function isLiveUpload({ segments: [root, , id] }: Place): boolean {
  return root === 'uploads' && id !== undefined && id !== 'prepare'
}

async function dispatch(options: AppOptions, located: Located): Promise<Reply | null> {
  const { method, segments } = located
  const [root, ...rest] = segments
  if (root === 'uploads') return answerUploads(options.uploads, located)
  if (root === 'api') {
    options.drain.assertOpen()
    return options.rest(located)
  }
  if (root === 'auth' && options.accounts) {
    options.drain.assertOpen()
    const { accounts, limiter } = options
    return answerAccounts({ accounts, limiter }, located)
  }
  if (method !== 'GET' && method !== 'HEAD') throw readOnly(method)
  if (rest.length === 0 && root === 'healthz') return jsonReply(200, { status: 'ok' })
  if (rest.length === 0 && root === 'readyz')
    return readinessReply(await options.readiness())
  options.drain.assertOpen()
  if (root === 'docs') return options.rest(located)
  if (root === 'files') {
    const standing = await options.limiter.spend({
      operation: 'read',
      client: { address: located.client },
    })
    const { files, router } = options
    return withHeaders(await answerFiles({ ...files, router }, located), standing)
  }
  if (rest.length > 0) throw new CarcosaError('NOT_FOUND')
  if (root === 'events') return answerEvents(options.events, located)
  if (root === 'ws') throw upgradeRequired()
  return jsonReply(200, describeRouter(options.router))
}

/** Longer ones are no URLs of ours; Node itself takes 16 KiB of URL and headers together. */
const longestUrl = 8 * 1024
/** Browsers and proxies together send about forty. */
const mostHeaders = 200

/** @throws {CarcosaError} URL_TOO_LONG, HEADERS_TOO_LARGE */
function requireSane({ path, search, headerCount: count }: Incoming): void {
  const length = path.length + search.length
  if (length > longestUrl) {
    throw new CarcosaError('URL_TOO_LONG', {
      message: `The URL has ${length} characters; at most ${longestUrl} are taken.`,
      details: { length, max: longestUrl },
    })
  }
  if (count > mostHeaders) {
    throw new CarcosaError('HEADERS_TOO_LARGE', {
      message: `The request has ${count} headers; at most ${mostHeaders} are taken.`,
      details: { count, max: mostHeaders },
    })
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined
  return () => {
    result ??= work()
    return result
  }
}

function nothingAt(path: string): CarcosaError {
  return new CarcosaError('NOT_FOUND', {
    message: `There is nothing at ${JSON.stringify(path.slice(0, 200))}. Uploads are under /uploads, files under /files.`,
  })
}

function upgradeRequired(): CarcosaError {
  return new CarcosaError('UPGRADE_REQUIRED', {
    message:
      'This URL speaks WebSocket. If the client did ask for it, the server in front of Carcosa lacks server.on("upgrade", carcosa.upgrade), or a proxy drops the Upgrade header. GET /events tells the same.',
    headers: { Upgrade: 'websocket' },
  })
}

function readOnly(method: string): CarcosaError {
  return new CarcosaError('METHOD_NOT_ALLOWED', {
    message: `${method} is not allowed here; use GET or HEAD.`,
    headers: { Allow: 'GET, HEAD, OPTIONS' },
  })
}
