import type { Decision, Resource } from '../auth/permissions.ts'
import type { Action } from '../auth/roles.ts'
import { type FileRecord, isReadable } from '../files/record.ts'
import { CarcosaError } from '../shared/errors.ts'
import type { UploadDeps, UploadRequest } from './deps.ts'

/**
 * Whether a request may do `action` to an upload that exists. What answers without a database is
 * looked at first: what the URL alone gives, then the ticket, then who asks.
 *
 * @throws {CarcosaError} TICKET_INVALID, and what auth providers throw
 */
export async function decide(
  { access }: Pick<UploadDeps, 'access'>,
  request: UploadRequest,
  { record, action }: { record: FileRecord; action: Action },
): Promise<Decision> {
  const resource = resourceOf(record, request)
  const open = access.can(null, action, resource)
  if (open.allowed) return open
  const ticket = await request.ticket(true)
  if (ticket && record.batchId !== null) {
    const isIts =
      ticket.batchId === record.batchId && ticket.batchIndex === record.batchIndex
    return access.can(null, action, { ...resource, ticket: isIts })
  }
  return access.can(await request.principal(), action, resource)
}

/**
 * The refusal of an action. Whoever may not even know of the upload is told that there is none,
 * in the words in which it is said of one that does not exist (promise P6).
 */
export async function refusalOf(
  deps: Pick<UploadDeps, 'access'>,
  request: UploadRequest,
  { record, decision }: { record: FileRecord; decision: Decision },
): Promise<CarcosaError> {
  const { action } = decision.inputs
  const seen = await decide(deps, request, { record, action: 'uploads.read' })
  if (!seen.allowed) return notFound(deps.access.explain(decision))
  return new CarcosaError('FORBIDDEN', {
    message: forbidding[action] ?? 'You may see this upload, but not do this to it.',
    ...deps.access.explain(decision),
  })
}

/** The answer for an upload that does not exist, or not for who asks. */
export function notFound(explained = {}): CarcosaError {
  return new CarcosaError('UPLOAD_NOT_FOUND', {
    message: 'There is no upload at this URL. Create one with POST.',
    ...explained,
  })
}

const forbidding: Partial<Record<Action, string>> = {
  'files.delete':
    'A finished anonymous upload can only be deleted with its Upload-Ticket, or by the server; any other by its owner, or with the permission files.delete.',
  'uploads.finish':
    'A direct upload is finished with its Upload-Ticket, or by its owner.',
  'uploads.write': 'Bytes are sent to an upload by its owner, while they may upload.',
}

function resourceOf(record: FileRecord, { route }: UploadRequest): Resource {
  const { projectId, ownerId, acl, state } = record
  return {
    projectId,
    ownerId,
    route: record.route,
    isPublicRoute: route.isPublic,
    isFinished: isReadable(state),
    ...(isReadable(state) && { acl }),
  }
}
