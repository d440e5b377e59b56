import type { Readable } from 'node:stream'
import type { FileRecord } from '../files/record.ts'
import type { NamedRoute } from '../routes/definition.ts'
import { CarcosaError } from '../shared/errors.ts'
import { draft } from './admission.ts'
import type { UploadDeps } from './deps.ts'
import type { Lease } from './lease.ts'
import { create, declareLength, remove } from './lifecycle.ts'
import { agreeWithProgram } from './prepare-program.ts'
import { receive } from './receive.ts'

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
    const { route, agreement } = await agreeWithProgram(deps, upload)
    const drafted = draft(deps, route, agreement)
    const lease = await deps.leases.acquire(drafted.id, { preempt: 'idle' })
    try {
      const { record } = await create(deps, drafted, { followed: true, lease })
      return await fill(deps, route, { record, body, lease })
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

interface Filling {
  record: FileRecord
  body: Readable
  lease: Lease
}

async function fill(
  deps: UploadDeps,
  route: NamedRoute,
  { record, body, lease }: Filling,
): Promise<FileRecord> {
  const reception = { body, lease, route, prefix: null, failOnError: true }
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
