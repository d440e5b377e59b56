import type { FileRecord } from '../files/record.ts'
import type { CarcosaError } from '../shared/errors.ts'
import type { UploadDeps } from './deps.ts'

/** Runs the route's onUploadError; its own failure is only worth a line in the log. */
export async function tellRoute(
  deps: UploadDeps,
  record: FileRecord,
  error: CarcosaError,
): Promise<void> {
  try {
    await deps.route(record.route)?.onUploadError?.({
      error,
      file: {
        id: record.id,
        name: record.filename ?? '',
        size: record.size,
        type: record.declaredType ?? '',
      },
      metadata: record.metadata,
    })
  } catch (cause) {
    deps.log.error({ err: cause, id: record.id }, 'onUploadError failed')
  }
}
