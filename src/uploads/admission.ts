import type { Principal } from '../auth/principal.ts'
import type { NewFile } from '../files/records.ts'
import { checkBatch, parseInput, ruleFor } from '../routes/check.ts'
import type { NamedRoute } from '../routes/definition.ts'
import { type FileInfo, renamedFiles } from '../routes/hooks.ts'
import { CarcosaError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import type { UploadDeps, UploadRequest } from './deps.ts'
import type { Ticket } from './ticket.ts'

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

export type FileVerdict = { name: string } & (
  | { ticket: string }
  | { error: CarcosaError }
)

/** Judges a batch and gives a ticket to each file that may be uploaded. */
export async function judgeBatch(
  deps: UploadDeps,
  request: UploadRequest,
  batch: { files: FileInfo[]; input: unknown },
): Promise<Verdict> {
  const { route } = request
  const principal = await requirePrincipal(request)
  const expiresAt = new Date(Date.now() + route.ticketTTL)
  const batchId = newId()
  const checked = checkBatch(route, batch.files)
  const good = batch.files.filter((_, i) => !checked.files[i])
  if (checked.errors.length > 0 || good.length === 0) {
    const files = batch.files.map((file, i) => ({
      name: file.name,
      error: checked.files[i] ?? checked.errors[0] ?? new CarcosaError('TOO_FEW_FILES'),
    }))
    return { batchId, expiresAt, errors: checked.errors, files }
  }

  const input = await parseInput(route, batch.input)
  const { metadata, names } = await runMiddleware(deps, request, principal, input, good)
  let next = 0
  const files = await Promise.all(
    batch.files.map(async (file, batchIndex): Promise<FileVerdict> => {
      const error = checked.files[batchIndex]
      if (error) return { name: file.name, error }
      const name = names[next++] ?? file.name
      const ticket = await deps.tickets.issue(
        {
          route: route.name,
          batchId,
          batchIndex,
          file: { name, size: file.size, type: file.type },
          input,
          metadata,
          ownerId: principal?.id ?? null,
        },
        expiresAt,
      )
      return { name, ticket }
    }),
  )
  return { batchId, expiresAt, errors: [], files }
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
  const ticket = await request.ticket(false)
  const granted = ticket
    ? redeem(request.route, ticket, creation)
    : await judgeOne(deps, request, creation)
  return draft(deps, request.route, granted, creation.rawMetadata)
}

type Grant = Omit<Ticket, 'route' | 'batchId' | 'batchIndex'> & {
  batchId: string | null
  batchIndex: number | null
  principal: Principal | null
}

/** The ticket says what was agreed; the creation must be about the same file. */
function redeem(route: NamedRoute, ticket: Ticket, { file }: Creation): Grant {
  if (ticket.route !== route.name || ticket.file.size !== file.size) {
    throw new CarcosaError('TICKET_INVALID', {
      message: `The ticket is for a file of ${ticket.file.size ?? 'unknown'} bytes on route "${ticket.route}", not ${file.size ?? 'unknown'} bytes on "${route.name}". Use the ticket given for this file.`,
      details: { ticket: { route: ticket.route, size: ticket.file.size } },
    })
  }
  return { ...ticket, principal: null }
}

async function judgeOne(
  deps: UploadDeps,
  request: UploadRequest,
  creation: Creation,
): Promise<Grant> {
  const { route } = request
  const principal = await requirePrincipal(request)
  const checked = checkBatch(route, [creation.file])
  const error = checked.files[0] ?? checked.errors[0]
  if (error) throw error
  const input = await parseInput(route, parseJsonInput(creation.input))
  const files = [creation.file]
  const { metadata, names } = await runMiddleware(deps, request, principal, input, files)
  return {
    batchId: null,
    batchIndex: null,
    file: { ...creation.file, name: names[0] ?? creation.file.name },
    input,
    metadata,
    ownerId: principal?.id ?? null,
    principal,
  }
}

/** The row to be, with everything decided but written nowhere yet. */
export function draft(
  deps: UploadDeps,
  route: NamedRoute,
  { file, input, metadata, ownerId, principal, ...batch }: Grant,
  rawMetadata: string | null,
): NewFile {
  const id = newId()
  const rule = ruleFor(route, file.type, file.name)?.rule
  const storeName =
    typeof route.store === 'function'
      ? route.store({ route: route.name, principal, input, metadata, file })
      : (route.store ?? deps.defaultStore)
  storeNamed(deps, storeName)
  return {
    id,
    projectId: deps.settings.projectId,
    ownerId,
    route: route.name,
    filename: file.name || null,
    declaredType: file.type || null,
    contentDisposition: rule?.contentDisposition ?? 'inline',
    acl: rule?.acl ?? 'private',
    size: file.size,
    storeName,
    key: id,
    input: input ?? null,
    metadata: metadata ?? null,
    rawMetadata,
    batchId: batch.batchId,
    batchIndex: batch.batchIndex,
    expiresAt: expiryOf(deps, route),
  }
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

async function requirePrincipal(request: UploadRequest): Promise<Principal | null> {
  const principal = await request.principal()
  if (principal || request.route.isPublic) return principal
  throw new CarcosaError('UNAUTHENTICATED', {
    message: `The route "${request.route.name}" is not public: send a credential that one of the configured auth providers knows, or declare the route with .public().`,
    headers: { 'WWW-Authenticate': 'Bearer' },
  })
}

async function runMiddleware(
  deps: UploadDeps,
  request: UploadRequest,
  principal: Principal | null,
  input: unknown,
  files: FileInfo[],
): Promise<{ metadata: unknown; names: (string | undefined)[] }> {
  const { route } = request
  if (!route.middleware) return { metadata: {}, names: [] }
  const { method, headers } = request
  try {
    const asked = new Request(request.url, { method, headers })
    const result =
      (await route.middleware({ principal, input, files, request: asked })) ?? {}
    const { [renamedFiles]: renamed, ...metadata } = result
    return { metadata, names: renamed?.map(({ name }) => name) ?? [] }
  } catch (error) {
    if (error instanceof CarcosaError) throw error
    deps.log.error({ err: error, route: route.name }, 'middleware failed')
    throw new CarcosaError('MIDDLEWARE_FAILED', {
      message: `The middleware of route "${route.name}" failed. Its error is in the server's log; throw a CarcosaError to tell the client why.`,
      cause: error,
    })
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
