import type { Trail } from '../audit/trail.ts'
import { findFile } from '../files/records.ts'
import { toCarcosaError } from '../shared/errors.ts'
import type { Reply } from '../shared/reply.ts'
import type { Caller } from '../shared/request-context.ts'
import type { UploadDeps, UploadRequest } from '../uploads/deps.ts'

export interface Deleting {
  readonly uploads: Pick<UploadDeps, 'db' | 'settings'>
  readonly trail: Trail
}

/**
 * `DELETE` of an upload or a file by a client, told to the audit log, done or not. Those of nobody
 * in particular are left to the events.
 *
 * @throws {CarcosaError} what `answer` throws
 */
export async function auditedDelete(
  { uploads, trail }: Deleting,
  request: UploadRequest,
  answer: () => Promise<Reply>,
): Promise<Reply> {
  const targetId = request.id
  try {
    const reply = await answer()
    const actor = await actorOf(request)
    const file = actor && targetId !== null ? await findFile(uploads.db, targetId) : null
    if (actor && file) {
      const { projectId, filename, route, ownerId, size } = file
      await trail.record({
        action: file.storedAt === null ? 'upload.cancelled' : 'file.deleted',
        ...{ targetId, actor, projectId },
        details: { filename, route, ownerId, size },
      })
    }
    return reply
  } catch (thrown) {
    const error = toCarcosaError(thrown)
    const actor = await actorOf(request)
    // Whether there is such an upload, whoever was refused may not learn from their log either.
    if (actor) await trail.record({ action: 'upload.cancelled', targetId, actor, error })
    throw error
  }
}

/** Null where nobody is known, or the credential is wrong. */
async function actorOf(request: UploadRequest): Promise<Caller | null> {
  const principal = await request.principal().catch(() => null)
  if (principal) return principal
  const ticket = await request.ticket(true).catch(() => null)
  if (!ticket || ticket.ownerId === null) return null
  return { kind: 'ticket', id: ticket.ownerId, projectId: ticket.projectId ?? null }
}
