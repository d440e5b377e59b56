import type { Readable } from 'node:stream'
import type { Principal } from '../auth/principal.ts'
import type { FileRecord } from '../files/record.ts'
import { checkFile } from '../routes/check.ts'
import { CarcosaError } from '../shared/errors.ts'
import { agree, draft } from './admission.ts'
import type { UploadDeps } from './deps.ts'
import { commitOffset, create, declareLength, remove } from './lifecycle.ts'
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
  /** What the route's middleware would have returned. */
  metadata?: Record<string, unknown>
  input?: unknown
}

/**
 * The way of an upload without HTTP: nobody resumes it, so what breaks off leaves nothing.
 */
export async function uploadFromProgram(
  deps: UploadDeps,
  body: Readable,
  upload: ProgramUpload,
): Promise<FileRecord> {
  const route = deps.route(upload.route)
  if (!route) {
    throw new CarcosaError('ROUTE_NOT_FOUND', {
      message: `There is no route ${JSON.stringify(upload.route)}.`,
    })
  }
  const file = {
    name: upload.filename ?? '',
    type: upload.type ?? '',
    size: upload.size ?? null,
  }
  const refused = checkFile(route, file)
  if (refused) throw refused
  const { filename: name = '', ownerId, metadata, input } = upload
  const principal: Principal | null = ownerId ? { id: ownerId, kind: 'service' } : null
  const agreement = agree(deps, route, { file, name, principal, input, metadata })
  const { record } = await create(deps, draft(deps, route, agreement))
  const lease = await deps.leases.acquire(record.id, { preempt: 'idle' })
  try {
    const reception = { body, lease, route, prefix: null }
    const received = await receive(deps, { ...reception, record })
    if (body.errored) throw body.errored
    if (received.size !== null) return requireWhole(received)
    const { offset } = await commitOffset(deps, received, received.offset)
    const sized = await declareLength(deps, route, { record: received, size: offset })
    return await receive(deps, { ...reception, record: { ...sized, offset } })
  } catch (error) {
    await remove(deps, record)
    throw error
  } finally {
    lease.release()
  }
}

function requireWhole(record: FileRecord): FileRecord {
  if (record.offset === record.size) return record
  throw new CarcosaError('LENGTH_INVALID', {
    message: `The body ended after ${record.offset} of ${record.size} bytes. Give the size it really has, or none.`,
    details: { offset: record.offset, size: record.size },
  })
}
