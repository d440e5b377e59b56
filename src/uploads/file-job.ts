import type { FileRecord } from '../files/record.ts'
import type { UploadDeps } from './deps.ts'

/** Adds a job for the file in `f`. The completion's own job only runs if its claim runs out. */
export function fileJob(
  deps: UploadDeps,
  name: 'upload.complete' | 'upload.digest' | 'file.mirror',
): { name: string; sql: string } {
  const data = `jsonb_build_object('fileId', id) AS data`
  const source =
    name === 'upload.complete'
      ? `SELECT ${data}, (claimed_until - now()) AS start_after FROM f`
      : `SELECT ${data} FROM f`
  return { name, sql: deps.jobs.enqueueSql(name, source) }
}

/** The store that is to have a copy of a file, as its route says; null for none. */
export function mirrorOf(
  deps: UploadDeps,
  { route, storeName }: Pick<FileRecord, 'route' | 'storeName'>,
): string | null {
  const name = deps.route(route)?.mirror ?? null
  return name === storeName ? null : name
}
