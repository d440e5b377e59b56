import type { Readable } from 'node:stream'
import type { Principal } from '../auth/principal.ts'
import { assertAcl, readLabels } from '../files/labels.ts'
import type { FileRecord, NewFile } from '../files/record.ts'
import { checkFile } from '../routes/check.ts'
import type { NamedRoute } from '../routes/definition.ts'
import { CarcosaError } from '../shared/errors.ts'
import { agree, draft } from './admission.ts'
import type { UploadDeps } from './deps.ts'
import type { Lease } from './lease.ts'
import { create, declareLength, remove } from './lifecycle.ts'
import { receive } from './receive.ts'
import type { Chosen } from './verdict.ts'

/** An upload made by the program Carcosa runs in. */
export interface ProgramUpload {
  route: string
  filename?: string
  /** Media type. Default: what name and bytes say. */
  type?: string
  /** Bytes, where they are known beforehand. */
  size?: number
  /** Whose file it is. Default nobody's. */
  ownerId?: string
  /** The project it belongs to. Default the default project. */
  projectId?: string
  /** What the route's middleware would have returned. */
  metadata?: Record<string, unknown>
  input?: unknown
  /** Name of the store its bytes go to. Default: what the route chooses. */
  store?: string
  /** What the application calls it, 1 to 256 characters; of one file of the project at a time. */
  customId?: string | null
  /** At most 32, each of 1 to 100 characters. */
  tags?: readonly string[]
  /** Who may read it. Default: what the route says of its type. */
  acl?: FileRecord['acl']
  /** Default: what the route says of its type. */
  contentDisposition?: FileRecord['contentDisposition']
  /** Ends it; what has arrived is deleted, and its reason is thrown. */
  signal?: AbortSignal
}

/**
 * The way of an upload without HTTP: nobody resumes it, so what breaks off leaves nothing.
 * Whatever happens, `body` is read to its end or destroyed.
 *
 * @throws what the body failed with
 * @throws {CarcosaError} ROUTE_NOT_FOUND, PROJECT_NOT_FOUND, PROJECT_DELETED, ROUTE_DISABLED,
 *   LENGTH_INVALID, SHUTTING_DOWN, and what checkFile and receive throw
 */
export async function uploadFromProgram(
  deps: UploadDeps,
  body: Readable,
  upload: ProgramUpload,
): Promise<FileRecord> {
  const { signal } = upload
  const stop = () => body.destroy(asError(signal?.reason))
  try {
    signal?.throwIfAborted()
    signal?.addEventListener('abort', stop)
    const route = routeOf(deps, upload)
    const chosen = readChosen(upload)
    const drafted = { ...judge(deps, route, upload), ...chosen }
    await deps.projects.requireRoute(drafted.projectId, route.name)
    const lease = await deps.leases.acquire(drafted.id, { preempt: 'idle' })
    try {
      const { record } = await create(deps, drafted, { followed: true, lease })
      return await fill(deps, route, { record, body, lease, chosen })
    } finally {
      lease.release()
    }
  } finally {
    signal?.removeEventListener('abort', stop)
    body.destroy()
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}

/** @throws {CarcosaError} BAD_REQUEST for what is none of the values there are */
function readChosen({ acl, contentDisposition }: ProgramUpload): Chosen {
  if (acl !== undefined) assertAcl(acl)
  if (![undefined, 'inline', 'attachment'].includes(contentDisposition)) {
    throw new CarcosaError('BAD_REQUEST', {
      message: 'contentDisposition is inline or attachment.',
    })
  }
  return { ...(acl && { acl }), ...(contentDisposition && { contentDisposition }) }
}

function routeOf(deps: UploadDeps, { route: name }: ProgramUpload): NamedRoute {
  const route = deps.route(name)
  if (route) return route
  throw new CarcosaError('ROUTE_NOT_FOUND', {
    message: `There is no route ${JSON.stringify(name)}.`,
  })
}

function judge(deps: UploadDeps, route: NamedRoute, upload: ProgramUpload): NewFile {
  const { filename: name = '', type = '', ownerId, metadata, input, store } = upload
  const { projectId = deps.settings.projectId } = upload
  const file = { name, type, size: upload.size ?? null }
  const refused = checkFile(route, file)
  if (refused) throw refused
  const principal: Principal | null = ownerId ? { id: ownerId, kind: 'service' } : null
  const agreement = agree(deps, route, {
    file,
    name,
    principal,
    input,
    metadata,
    labels: readLabels(upload),
    ...(store !== undefined && { store }),
  })
  return draft(deps, route, { ...agreement, projectId })
}

interface Filling {
  record: FileRecord
  body: Readable
  lease: Lease
  chosen: Chosen
}

async function fill(
  deps: UploadDeps,
  route: NamedRoute,
  { record, body, lease, chosen }: Filling,
): Promise<FileRecord> {
  const reception = { body, lease, route, prefix: null, failOnError: true, chosen }
  try {
    const received = await receive(deps, { ...reception, record })
    if (received.size !== null && received.offset === received.size) return received
    assertWhole(body, received, lease)
    const { offset } = received
    const underway = { record: received, lease }
    const sized = await declareLength(deps, route, { ...underway, size: offset })
    return await receive(deps, { ...reception, record: sized })
  } catch (error) {
    await remove(deps, record)
    throw error
  }
}

/** A body that stops without an end is not a shorter file. */
function assertWhole(body: Readable, { offset, size }: FileRecord, lease: Lease): void {
  if (lease.releaseRequested.aborted) throw new CarcosaError('SHUTTING_DOWN')
  if (!body.readableEnded) {
    throw new CarcosaError('LENGTH_INVALID', {
      message: `The body broke off after ${offset} bytes: it was closed before its end.`,
      details: { offset, size },
    })
  }
  if (size === null) return
  throw new CarcosaError('LENGTH_INVALID', {
    message: `The body ended after ${offset} of ${size} bytes. Give the size it really has, or none.`,
    details: { offset, size },
  })
}
