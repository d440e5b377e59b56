import { transition } from '../files/transition.ts'
import { CarcosaError } from '../shared/errors.ts'
import type { UploadDeps } from './deps.ts'
import type { Underway } from './lease.ts'
import { purge } from './purge.ts'

/** What is told of an upload that has ended, and the end of one that the store lost. */

/** The answer to requests for an upload that has ended. */
export function gone(why: string): CarcosaError {
  return new CarcosaError('UPLOAD_GONE', {
    message: `The upload was ${why}. Start a new one with POST.`,
    details: { reason: why.split(' ')[0] },
  })
}

/**
 * Ends an upload of which acknowledged bytes are lost; `found` goes to the log. Returns what to
 * tell the client.
 */
export async function failCorrupt(
  deps: UploadDeps,
  { record, lease }: Underway,
  found: unknown,
): Promise<CarcosaError> {
  const failure = {
    code: 'STORAGE_CORRUPT',
    message: 'The store lost bytes of this upload.',
  }
  const about = { id: record.id, offset: record.offset, err: found }
  deps.log.error(about, 'the store lost bytes')
  const failed = await transition(deps.db, record, {
    to: 'failed',
    from: ['created', 'receiving'],
    changes: { failure },
    fence: lease.fence,
    events: [
      { type: 'file.failed', data: { id: record.id, route: record.route, ...failure } },
    ],
  })
  deps.bus.publish(record.id)
  if (failed) await purge(deps, failed)
  return gone(`failed (${failure.code}: ${failure.message})`)
}
