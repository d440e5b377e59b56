import type { Trail } from '../audit/trail.ts'
import { type FileRecord, isReadable } from '../files/record.ts'
import type { Drain } from '../ops/drain.ts'
import { CarcosaError, toCarcosaError } from '../shared/errors.ts'
import { jsonReply, type Reply, withHeaders } from '../shared/reply.ts'
import { judgeBatch } from '../uploads/admission.ts'
import type { UploadDeps, UploadRequest } from '../uploads/deps.ts'
import { type BegunDirectly, beginDirect, finishDirect } from '../uploads/direct.ts'
import { passDoor } from '../uploads/door.ts'
import { headRefusal } from '../uploads/head-refusal.ts'
import { decide } from '../uploads/permit.ts'
import { awaitStatus, describeUpload } from '../uploads/status.ts'
import type { Tus } from '../uploads/tus.ts'
import type { TusExchange } from '../uploads/tus-call.ts'
import { auditedDelete } from './audited-delete.ts'
import { readJson } from './body.ts'
import type { Located } from './incoming.ts'
import { parseBatch, parseReceipts } from './parse-batch.ts'
import { type CreationLimits, limitCreation, limitCreations } from './rate-limit.ts'
import { refuse } from './refuse.ts'

export interface UploadPaths {
  uploads: UploadDeps
  tus: Tus
  trail: Trail
  drain: Drain
  /** Where clients find the file; signed where it is private. */
  linkOf(record: FileRecord, prefix: string): string
  limits: CreationLimits
  /** Origin in front of every URL told to clients; empty for relative ones. */
  origin: string
}

/** Everything under `/uploads/:route`. Never rejects. */
export async function answerUploads(
  paths: UploadPaths,
  located: Located,
): Promise<Reply> {
  try {
    return await route(paths, located)
  } catch (error) {
    return refuseUpload(paths, located, toCarcosaError(error))
  }
}

async function route(paths: UploadPaths, located: Located): Promise<Reply> {
  paths.drain.assertOpen()
  const { method, segments, headers } = located
  const [, routeName, id = null, ...rest] = segments
  const request = requestFor(paths, located, { routeName, id })
  if (id !== null && rest.length === 1 && rest[0] === 'finish') {
    return finishUpload(paths, located, request)
  }
  if (rest.length > 0) throw new CarcosaError('UPLOAD_NOT_FOUND')
  if (id === 'prepare') return prepare(paths, located, request)
  if (method === 'GET' && id !== null) return status(paths, located, request)

  const { hasBody, bodyAlreadyRead } = located
  const admitted = passDoor({ method, id, headers, hasBody, bodyAlreadyRead })
  const openBody = () => located.openBody()
  const exchange = { request, admitted, openBody }
  const answer = () => paths.tus({ ...exchange, counted: null })
  if (admitted.method === 'DELETE') return auditedDelete(paths, request, answer)
  if (admitted.method !== 'POST') return answer()
  return create(paths, located, exchange)
}

/** Counts the creation while it is under way, and refuses it before it has an effect. */
async function create(
  { limits, tus }: UploadPaths,
  located: Located,
  exchange: Omit<TusExchange, 'counted'>,
): Promise<Reply> {
  const { request } = exchange
  const creation = { operation: 'create', request } as const
  const counted = await limitCreation(limits, located, creation)
  const answer = tus({ ...exchange, counted }).catch(async (error: unknown) => {
    // Who is beyond the limit is told that before anything else.
    await counted.settled()
    throw error
  })
  return withHeaders(await answer, await counted.settled())
}

function requestFor(
  { uploads, origin }: UploadPaths,
  located: Located,
  { routeName = '', id }: { routeName: string | undefined; id: string | null },
): UploadRequest {
  const route = uploads.route(routeName)
  if (!route) {
    throw new CarcosaError('ROUTE_NOT_FOUND', {
      message: `There is no route ${JSON.stringify(routeName.slice(0, 64))}. GET /routes lists them.`,
    })
  }
  const { method, headers, path, search, prefix, stripped } = located
  const token = headers.get('upload-ticket')
  return {
    method,
    route,
    id,
    url: new URL(stripped + path + search, origin || 'http://localhost').href,
    headers,
    prefix: origin + prefix,
    principal: located.principal,
    ticket: remembered(async (late) =>
      token === null ? null : uploads.tickets.read(token, { late }),
    ),
  }
}

/** Opening a ticket costs more than keeping it for the time of a request. */
function remembered<T>(
  read: (late: boolean) => Promise<T>,
): (late: boolean) => Promise<T> {
  const results = new Map<boolean, Promise<T>>()
  return (late) => {
    const result = results.get(late) ?? read(late)
    results.set(late, result)
    return result
  }
}

async function prepare(
  { uploads, limits }: UploadPaths,
  located: Located,
  request: UploadRequest,
): Promise<Reply> {
  requirePost(located, 'A batch is prepared with POST.')
  const preparation = { operation: 'prepare', request } as const
  const counted = await limitCreation(limits, located, preparation)
  const headers = await counted.settled()
  const batch = parseBatch(await readJson(located))
  const { batchId, expiresAt, errors, files } = await judgeBatch(uploads, request, batch)
  const count = files.filter((file) => !('error' in file)).length
  // A direct upload exists from here on. Beyond the limit a file gets a ticket like any other,
  // and is counted when it is created.
  let directly =
    batch.direct && count > 0
      ? await limitCreations(limits, located, { request, count })
      : 0
  const answers = files.map(async (file) => {
    if ('error' in file) return { name: file.name, error: file.error.toProblem() }
    const { name, ticket, agreed } = file
    const begun = directly-- > 0 ? await beginDirect(uploads, request, agreed) : null
    return { name, ticket, ...(begun && { direct: describeDirect(request, begun) }) }
  })
  const reply = jsonReply(200, {
    batchId,
    expiresAt,
    errors: errors.map((error) => error.toProblem()),
    files: await Promise.all(answers),
  })
  return withHeaders(reply, headers)
}

/** `url` is the upload's, as if it had been created by POST; `…/finish` ends it. */
function describeDirect(
  { prefix, route }: UploadRequest,
  { id, expiresAt, parts }: BegunDirectly,
) {
  return { url: `${prefix}/uploads/${route.name}/${id}`, expiresAt, parts }
}

/** `POST /uploads/:route/:id/finish` with `{ receipts }`: the ETags of the parts, in order. */
async function finishUpload(
  { uploads, linkOf }: UploadPaths,
  located: Located,
  request: UploadRequest,
): Promise<Reply> {
  requirePost(located, 'A direct upload is finished with POST.')
  const receipts = parseReceipts(await readJson(located))
  const record = await finishDirect(uploads, request, receipts)
  const url = isReadable(record.state) ? linkOf(record, request.prefix) : null
  return jsonReply(200, describeUpload(record, url))
}

function requirePost({ method }: Located, message: string): void {
  if (method === 'POST') return
  throw new CarcosaError('METHOD_NOT_ALLOWED', {
    message,
    headers: { Allow: 'POST, OPTIONS' },
  })
}

async function status(
  { uploads, linkOf, drain }: UploadPaths,
  located: Located,
  request: UploadRequest,
): Promise<Reply> {
  const wait = new URLSearchParams(located.search).get('wait') ?? '0'
  if (!/^\d{1,4}$/.test(wait)) {
    throw new CarcosaError('BAD_REQUEST', {
      message: `wait must be a whole number of seconds, not ${JSON.stringify(wait.slice(0, 20))}.`,
    })
  }
  const signal = AbortSignal.any([located.gone(), drain.closing])
  const waiting = { waitSeconds: Number(wait), signal }
  const record = await awaitStatus(uploads, request, waiting)
  // The id alone must not turn into a fresh signature: whoever was sent a link knows the id.
  const mayLink =
    isReadable(record.state) &&
    (record.acl === 'public-read' ||
      (await decide(uploads, request, { record, action: 'files.sign' })).allowed)
  const url = mayLink ? linkOf(record, request.prefix) : null
  return jsonReply(200, describeUpload(record, url))
}

/** C1: every answer on these paths names the protocol version. */
function refuseUpload(
  { uploads }: UploadPaths,
  located: Located,
  error: CarcosaError,
): Reply {
  const reply = refuse(uploads.log, located, error)
  const headers = { ...reply.headers, 'Tus-Resumable': '1.0.0' }
  return isHead(located) ? headRefusal(error) : { ...reply, headers }
}

/** Also by override: such a client reads the status like that of any HEAD. */
function isHead({ method, headers }: Located): boolean {
  const override = headers.get('x-http-method-override')?.trim().toUpperCase()
  return method === 'HEAD' || (method === 'POST' && override === 'HEAD')
}
