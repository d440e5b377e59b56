import type { Principal } from '../auth/principal.ts'
import { assertAcl, readLabels } from '../files/labels.ts'
import type { Labels, Pinnable } from '../files/record.ts'
import { checkFile } from '../routes/check.ts'
import type { NamedRoute } from '../routes/definition.ts'
import { CarcosaError, hasCode } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { agree } from './admission.ts'
import type { UploadDeps } from './deps.ts'
import type { ProgramUpload } from './from-program.ts'
import type { Agreement } from './ticket.ts'

/** An upload that a program allows, and whose bytes come from elsewhere. */
export interface PreparedUpload {
  route: string
  /** The `Upload-Ticket` with which to create the upload at `/uploads/:route`, once. */
  ticket: string
  /** Until when it may be created. */
  expiresAt: Date
}

/** What is said of an upload whose bytes come later. */
export interface UploadToPrepare extends Omit<ProgramUpload, 'signal'> {
  /** The id of whom the ticket ends with, e.g. of an API key. Default the owner. */
  holder?: string
}

/**
 * Agrees on an upload as `api.files.upload` does, without its bytes: these are sent by tus with the
 * ticket, by whoever has it. Route, size, name, labels and metadata are settled with it.
 *
 * @throws {CarcosaError} what agreeWithProgram throws; BAD_REQUEST if it says too much for a ticket
 */
export async function prepareUpload(
  deps: UploadDeps,
  { holder, ...upload }: UploadToPrepare,
): Promise<PreparedUpload> {
  const { route, agreement } = await agreeWithProgram(deps, upload)
  const expiresAt = new Date(Date.now() + route.ticketTTL)
  const place = { route: route.name, batchId: newId(), batchIndex: 0 }
  const agreed = { ...agreement, ...place, ...(holder !== undefined && { holder }) }
  const ticket = await deps.tickets.issue(agreed, expiresAt).catch((error) => {
    throw hasCode(error, 'MIDDLEWARE_FAILED') ? tooMuch() : error
  })
  return { route: route.name, ticket, expiresAt }
}

/**
 * What is settled with a program before the first byte. Its word counts for what input and
 * middleware say of clients.
 *
 * @throws {CarcosaError} ROUTE_NOT_FOUND, PROJECT_NOT_FOUND, PROJECT_DELETED, ROUTE_DISABLED,
 *   BAD_REQUEST, STORE_UNKNOWN, and what checkFile throws
 */
export async function agreeWithProgram(
  deps: UploadDeps,
  upload: ProgramUpload,
): Promise<{ route: NamedRoute; agreement: Agreement }> {
  const route = routeOf(deps, upload)
  const agreement = { ...judge(deps, route, upload), ...readChosen(upload) }
  await deps.projects.requireRoute(agreement.projectId, route.name)
  return { route, agreement }
}

function routeOf(deps: UploadDeps, { route: name }: ProgramUpload): NamedRoute {
  const route = deps.route(name)
  if (route) return route
  throw new CarcosaError('ROUTE_NOT_FOUND', {
    message: `There is no route ${JSON.stringify(name)}.`,
  })
}

function judge(deps: UploadDeps, route: NamedRoute, upload: ProgramUpload): Agreement {
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
  return { ...agreement, projectId }
}

type Chosen = Partial<Pick<Agreement, Pinnable>> & Pick<Labels, 'pinned'>

/** @throws {CarcosaError} BAD_REQUEST for what is none of the values there are */
function readChosen({ acl, contentDisposition }: ProgramUpload): Chosen {
  if (acl !== undefined) assertAcl(acl)
  if (![undefined, 'inline', 'attachment'].includes(contentDisposition)) {
    throw new CarcosaError('BAD_REQUEST', {
      message: 'contentDisposition is inline or attachment.',
    })
  }
  const chosen = {
    ...(acl && { acl }),
    ...(contentDisposition && { contentDisposition }),
  }
  // They are the names of its members.
  const pinned = Object.keys(chosen) as Pinnable[]
  return pinned.length > 0 ? { ...chosen, pinned } : {}
}

function tooMuch(): CarcosaError {
  return new CarcosaError('BAD_REQUEST', {
    message:
      'filename, metadata, input and tags together are too long for a ticket, which is a header of about 6 KB. Keep less with the file: an id instead of the thing itself.',
  })
}
