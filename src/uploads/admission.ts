import type { Decision } from '../auth/permissions.ts'
import type { Principal } from '../auth/principal.ts'
import { readLabels } from '../files/labels.ts'
import type { Labels, NewFile } from '../files/record.ts'
import { checkBatch, parseInput, ruleFor } from '../routes/check.ts'
import type { NamedRoute } from '../routes/definition.ts'
import type { FileInfo } from '../routes/hooks.ts'
import {
  type MiddlewareOutcome,
  readMiddlewareResult,
} from '../routes/middleware-result.ts'
import { CarcosaError, toCarcosaError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { isKey } from '../shared/keys.ts'
import { declaredTypeOf } from '../shared/mime.ts'
import type { UploadDeps, UploadRequest } from './deps.ts'
import type { Agreement, Ticket } from './ticket.ts'

/**
 * Whether an upload may begin, decided before a byte or a row exists. The order keeps
 * refusals cheap: who asks, then limits, then input, then the route's own middleware.
 */

/** What a whole batch is told, before a byte is sent. */
export interface Verdict {
  batchId: string
  expiresAt: Date
  /** Why no file of the batch may be uploaded; empty if only single files are refused. */
  errors: CarcosaError[]
  files: FileVerdict[]
}

export type FileVerdict = { name: string } & (Allowed | { error: CarcosaError })

export interface Allowed {
  ticket: string
  /** What was agreed, as the ticket says it. */
  agreed: Ticket
}

/** What a client asks before it sends a byte. */
export interface Batch {
  files: FileInfo[]
  input: unknown
  /** Whether it would send the bytes to the store itself. */
  direct: boolean
}

/** Judges a batch and gives a ticket to each file that may be uploaded. */
export async function judgeBatch(
  deps: UploadDeps,
  request: UploadRequest,
  batch: Pick<Batch, 'files' | 'input'>,
): Promise<Verdict> {
  const { route } = request
  const principal = await requireUploader(deps, request)
  const expiresAt = new Date(Date.now() + route.ticketTTL)
  const batchId = newId()
  const checked = checkBatch(route, batch.files)
  const good = batch.files.filter((_, i) => !checked.files[i])
  if (checked.errors.length === 0)
    checked.errors.push(...(await noRoom(deps, principal, good)))
  if (checked.errors.length > 0 || good.length === 0) {
    const files = batch.files.map((file, i) => ({
      name: file.name,
      error: checked.files[i] ?? checked.errors[0] ?? new CarcosaError('TOO_FEW_FILES'),
    }))
    return { batchId, expiresAt, errors: checked.errors, files }
  }

  const input = await parseInput(route, batch.input)
  const asked = { principal, input, files: good }
  const { metadata, files: settled } = await runMiddleware(deps, request, asked)
  let next = 0
  const files = await Promise.all(
    batch.files.map(async (file, batchIndex): Promise<FileVerdict> => {
      const error = checked.files[batchIndex]
      if (error) return { name: file.name, error }
      const { name = file.name, labels } = settled[next++] ?? {}
      const settling = { name, principal, input, metadata, ...(labels && { labels }) }
      const agreement = agree(deps, route, { file, ...settling })
      const agreed = { ...agreement, route: route.name, batchId, batchIndex }
      return { name, agreed, ticket: await deps.tickets.issue(agreed, expiresAt) }
    }),
  )
  return { batchId, expiresAt, errors: [], files }
}

/**
 * Whether what is known of a batch fits into the quota as it is now. Nothing is reserved: that is
 * for the uploads.
 */
async function noRoom(
  { quotas, settings }: UploadDeps,
  principal: Principal | null,
  files: readonly FileInfo[],
): Promise<CarcosaError[]> {
  const { projectId = settings.projectId, id: ownerId = null } = principal ?? {}
  if (files.length === 0 || !(await quotas.counts(projectId))) return []
  const bytes = files.reduce((sum, { size }) => sum + (size ?? 0), 0)
  const refused = await quotas.refusal(
    { projectId, ownerId },
    { bytes, files: files.length },
  )
  return refused ? [refused] : []
}

/** What a client says of the one upload it creates. */
export interface Creation {
  file: FileInfo
  /** JSON text of the route's input, if the client sent any. */
  input: string | undefined
  rawMetadata: string | null
}

/** Judges the creation of one upload, by its ticket or else as a batch of one. */
export async function admit(
  deps: UploadDeps,
  request: UploadRequest,
  creation: Creation,
): Promise<NewFile> {
  const { route } = request
  const ticket = await request.ticket(false)
  const agreement = ticket
    ? redeem(route, ticket, creation)
    : await judgeOne(deps, request, creation)
  // The project may have changed since the ticket was given.
  if (ticket) await deps.projects.requireRoute(projectOf(deps, agreement), route.name)
  return { ...draft(deps, route, agreement), rawMetadata: creation.rawMetadata }
}

/** The ticket says what was agreed; the creation must be about the same file. */
function redeem(
  route: NamedRoute,
  { holder: _, ...ticket }: Ticket,
  { file }: Creation,
): Ticket {
  if (ticket.route === route.name && ticket.size === file.size) return ticket
  throw new CarcosaError('TICKET_INVALID', {
    message: `The ticket is for a file of ${ticket.size ?? 'unknown'} bytes on route "${ticket.route}", not ${file.size ?? 'unknown'} bytes on "${route.name}". Use the ticket given for this file.`,
    details: { ticket: { route: ticket.route, size: ticket.size } },
  })
}

async function judgeOne(
  deps: UploadDeps,
  request: UploadRequest,
  creation: Creation,
): Promise<Agreement> {
  const { route } = request
  const { file } = creation
  const principal = await requireUploader(deps, request)
  const checked = checkBatch(route, [file])
  const error = checked.files[0] ?? checked.errors[0]
  if (error) throw error
  const input = await parseInput(route, parseJsonInput(creation.input))
  const asked = { principal, input, files: [file] }
  const { metadata, files } = await runMiddleware(deps, request, asked)
  const { name = file.name, labels } = files[0] ?? {}
  const settling = { name, principal, input, metadata, ...(labels && { labels }) }
  return agree(deps, route, { file, ...settling })
}

interface Agreed {
  file: FileInfo
  /** The name middleware gave it, or its own. */
  name: string
  principal: Principal | null
  input: unknown
  metadata: unknown
  /** The store, where it was named for this file. Default: what the route chooses. */
  store?: string
  labels?: Labels
}

/** Everything about the file that is decided before its first byte. */
export function agree(
  deps: UploadDeps,
  route: NamedRoute,
  { file, name, principal, input, metadata, store, labels }: Agreed,
): Agreement {
  const choice = { route: route.name, principal, input, metadata, file }
  const chosen = typeof route.store === 'function' ? route.store(choice) : route.store
  const storeName = store ?? chosen ?? deps.defaultStore
  storeNamed(deps, storeName)
  const rule = ruleFor(route, file.type, file.name)?.rule
  return {
    filename: name || null,
    // By the original name: middleware may have taken away the ending that says the type.
    declaredType: declaredTypeOf(file.type, file.name),
    size: file.size,
    contentDisposition: rule?.contentDisposition ?? 'inline',
    acl: rule?.acl ?? 'private',
    projectId: principal?.projectId ?? deps.settings.projectId,
    ownerId: principal?.id ?? null,
    storeName,
    input: input ?? null,
    metadata: metadata ?? null,
    ...labels,
  }
}

type Draft = Omit<Agreement, 'projectId'> & {
  projectId?: string
  batchId?: string
  batchIndex?: number
}

/** The row to be, with everything decided but written nowhere yet. */
export function draft(deps: UploadDeps, route: NamedRoute, agreement: Draft): NewFile {
  const id = newId()
  const projectId = projectOf(deps, agreement)
  return {
    id,
    key: keyFor(deps, { ...agreement, projectId, id, route: route.name }),
    rawMetadata: null,
    batchId: null,
    batchIndex: null,
    ...agreement,
    projectId,
    route: route.name,
    expiresAt: expiryOf(deps, route),
  }
}

/** A ticket of an older version does not say. */
function projectOf(
  { settings }: UploadDeps,
  { projectId }: { projectId?: string },
): string {
  return projectId ?? settings.projectId
}

/**
 * The key its store chooses. With the id in it no two uploads can ever share an object, whatever
 * a function of the developer returns (SEC-8).
 */
export function keyFor(
  deps: UploadDeps,
  agreement: Agreement & { id: string; route: string },
): string {
  const { id, route, projectId, ownerId, filename, storeName } = agreement
  const store = storeNamed(deps, storeName)
  const key = store.keyFor?.({ id, route, projectId, ownerId, filename }) ?? id
  if (key.includes(id) && isKey(key)) return key
  deps.log.error({ key, route, storeName }, 'the key function returned a wrong key')
  throw new CarcosaError('CONFIG_INVALID', {
    message: `The key function of the store "${storeName}" must return the id within at most 512 letters, digits and !-_.*'()/, and no segment of dots.`,
  })
}

/** When an upload that makes no more progress is given up. */
export function expiryOf(deps: UploadDeps, route: NamedRoute | null): Date {
  return new Date(Date.now() + (route?.expiresIn ?? deps.settings.expiresIn))
}

/** @throws {CarcosaError} STORE_UNKNOWN */
export function storeNamed(deps: UploadDeps, name: string) {
  const store = deps.stores.get(name)
  if (store) return store
  throw new CarcosaError('STORE_UNKNOWN', {
    message: `There is no store "${name}"; configured are ${[...deps.stores.keys()].join(', ')}.`,
  })
}

/** Who asks, if they may upload to this route; null for nobody in particular. */
async function requireUploader(
  { access, projects, settings }: UploadDeps,
  request: UploadRequest,
): Promise<Principal | null> {
  const { name: route, isPublic } = request.route
  const principal = await request.principal()
  const projectId = principal?.projectId ?? settings.projectId
  const requireAllowed = (isPublicRoute: boolean) => {
    const resource = { projectId, route, isPublicRoute }
    const decision = access.can(principal, 'uploads.create', resource)
    if (!decision.allowed)
      throw refusalToCreate(route, decision, access.explain(decision))
  }
  requireAllowed(isPublic)
  const { publicUploads } = await projects.requireRoute(projectId, route)
  if (!publicUploads) requireAllowed(false)
  return principal
}

type Settled = Pick<MiddlewareOutcome, 'metadata'> & {
  files: readonly { name: string; labels?: Labels }[]
}

function refusalToCreate(
  route: string,
  { rule }: Decision,
  explained: object,
): CarcosaError {
  if (rule !== 'no-principal') {
    return new CarcosaError('FORBIDDEN', {
      message: `This credential does not allow uploads to the route "${route}".`,
      ...explained,
    })
  }
  return new CarcosaError('UNAUTHENTICATED', {
    message: `The route "${route}" is not public: send a credential that one of the configured auth providers knows, or declare the route with .public().`,
    headers: { 'WWW-Authenticate': 'Bearer' },
    ...explained,
  })
}

async function runMiddleware(
  deps: UploadDeps,
  request: UploadRequest,
  asked: { principal: Principal | null; input: unknown; files: FileInfo[] },
): Promise<Settled> {
  const { route, url, method, headers } = request
  if (!route.middleware) return labelled(readMiddlewareResult(undefined, asked.files))
  try {
    const result = await route.middleware({
      ...asked,
      request: new Request(url, { method, headers }),
    })
    return labelled(readMiddlewareResult(result, asked.files))
  } catch (error) {
    if (error instanceof CarcosaError) throw error
    deps.log.error({ err: error, route: route.name }, 'middleware failed')
    throw new CarcosaError('MIDDLEWARE_FAILED', {
      message: `The middleware of route "${route.name}" failed. Its error is in the server's log; throw a CarcosaError to tell the client why.`,
      cause: error,
    })
  }
}

/** Labels that cannot be kept are a mistake of the middleware, not of the client. */
function labelled({ metadata, files }: MiddlewareOutcome): Settled {
  const readable = files.map(({ name, labels }) => ({ name, labels: readOwn(labels) }))
  return { metadata, files: readable }
}

function readOwn(labels: MiddlewareOutcome['files'][number]['labels']): Labels {
  try {
    return readLabels(labels)
  } catch (error) {
    throw new TypeError(`[renamedFiles]: ${toCarcosaError(error).message}`)
  }
}

function parseJsonInput(input: string | undefined): unknown {
  if (input === undefined) return undefined
  try {
    return JSON.parse(input)
  } catch (cause) {
    throw new CarcosaError('INPUT_INVALID', {
      message: 'The metadata key "input" must hold JSON.',
      cause,
    })
  }
}
