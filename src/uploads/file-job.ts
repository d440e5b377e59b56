import type { FileRecord } from '../files/record.ts'
import { describeRequest } from '../shared/request-context.ts'
import type { UploadDeps } from './deps.ts'

type FileJob = 'upload.complete' | 'upload.digest' | 'file.mirror'

/** Adds a job for the file in `f`. */
export function fileJob(deps: UploadDeps, name: Exclude<FileJob, 'upload.complete'>) {
  const source = `SELECT jsonb_build_object('fileId', id) AS data FROM f`
  return { name, sql: deps.jobs.enqueueSql(name, source) }
}

/** The job behind a completion: it only runs if the claim runs out. It knows of which request it is. */
export function completionJob(deps: UploadDeps) {
  const name: FileJob = 'upload.complete'
  const data = `jsonb_strip_nulls(jsonb_build_object('fileId', id, 'request', $value::jsonb))`
  const source = `SELECT ${data} AS data, (claimed_until - now()) AS start_after FROM f`
  const request = describeRequest()
  const value = request && JSON.stringify(request)
  return { name, sql: deps.jobs.enqueueSql(name, source), value }
}

/** The store that is to have a copy of a file, as its route says; null for none. */
export function mirrorOf(
  deps: UploadDeps,
  { route, storeName }: Pick<FileRecord, 'route' | 'storeName'>,
): string | null {
  const name = deps.route(route)?.mirror ?? null
  return name === storeName ? null : name
}
