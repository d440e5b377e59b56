import type { FileRecord } from '../files/record.ts'
import type { UploadDeps, UploadRequest } from './deps.ts'
import { findOwn } from './lifecycle.ts'
import { isSettled } from './state.ts'

/** Longest `?wait`, in seconds: shorter than the idle time-outs of common proxies. */
const maxWaitSeconds = 50
/** How often the row is looked at while waiting: another node may have changed it. */
const lookMs = 1_000

/** What `GET /uploads/:route/:id` answers. */
export interface UploadStatus {
  id: string
  route: string
  state: FileRecord['state']
  name: string | null
  size: number | null
  offset: number
  type: string | null
  sha256: string | null
  /** Where the file is served, signed if it is private; null until it is stored. */
  url: string | null
  serverData: unknown
  failure: FileRecord['failure']
  createdAt: Date
  expiresAt: Date | null
}

/**
 * The record of an upload the caller may touch. With `waitSeconds` it is held until the
 * outcome is known: a tus answer carries no body, so this is how a client gets the result of
 * the completion callback.
 *
 * @throws {CarcosaError} what findOwn throws
 */
export async function awaitStatus(
  deps: UploadDeps,
  request: UploadRequest,
  { waitSeconds, signal }: { waitSeconds: number; signal?: AbortSignal },
): Promise<FileRecord> {
  const until = Date.now() + Math.min(waitSeconds, maxWaitSeconds) * 1_000
  for (;;) {
    const record = await findOwn(deps, request, { action: 'uploads.read' })
    const left = until - Date.now()
    if (isSettled(record.state) || left <= 0 || signal?.aborted) return record
    await deps.bus.wait(record.id, Math.min(left, lookMs), signal)
  }
}

export function describeUpload(record: FileRecord, url: string | null): UploadStatus {
  const { id, route, state, filename, size, offset, sha256 } = record
  const { serverData, failure, createdAt, expiresAt } = record
  const type = record.contentType ?? record.declaredType
  return {
    id,
    route,
    state,
    name: filename,
    size,
    offset,
    type,
    sha256,
    url,
    serverData,
    failure,
    createdAt,
    expiresAt,
  }
}
