import type { EventPermission } from '../auth/event-permission.ts'
import type { Principal } from '../auth/principal.ts'
import type { Topic } from '../events/topic.ts'
import { findBatchShares, findOwnership, type Ownership } from '../files/ownership.ts'
import type { Executor } from '../files/records.ts'
import { CarcosaError } from '../shared/errors.ts'
import { isId } from '../shared/ids.ts'
import { isUnfinished } from '../uploads/state.ts'
import type { Ticket } from '../uploads/ticket.ts'

export interface AccessDeps {
  db: Executor
  permission: EventPermission
  /** Of batches and routes without a file so far. */
  projectId: string
  hasRoute(name: string): boolean
}

/** Who asks; each credential that was given has been found to be right. */
export interface Watcher {
  readonly principal: Principal | null
  readonly tickets: readonly Ticket[]
}

/**
 * The project in which `watcher` may watch `topic`.
 * @throws {CarcosaError} TOPIC_NOT_FOUND, for what is unknown and for what is not theirs
 */
export async function permit(
  deps: AccessDeps,
  { principal, tickets }: Watcher,
  topic: Topic,
): Promise<string> {
  const found = await find(deps, { principal, tickets }, topic)
  const mayWatch =
    found?.isOwn ||
    (found && principal && (await deps.permission.allow({ principal, topic })))
  if (found && mayWatch) return found.projectId
  throw new CarcosaError('TOPIC_NOT_FOUND', {
    message: 'There is nothing to watch under this name, or it is not for you.',
  })
}

interface Found {
  projectId: string
  /** Whether it belongs to who asks. */
  isOwn: boolean
}

async function find(
  deps: AccessDeps,
  watcher: Watcher,
  topic: Topic,
): Promise<Found | null> {
  const { projectId } = deps
  switch (topic.kind) {
    case 'file':
      return findOne(deps, watcher, topic.id)
    case 'batch':
      return findBatch(deps, watcher, topic.id)
    case 'route':
      return deps.hasRoute(topic.id) ? { projectId, isOwn: false } : null
    case 'project':
      return topic.id === projectId ? { projectId, isOwn: false } : null
  }
}

async function findOne(
  { db }: AccessDeps,
  watcher: Watcher,
  id: string,
): Promise<Found | null> {
  const file = isId(id) ? await findOwnership(db, id) : null
  return file && { projectId: file.projectId, isOwn: isOwnFile(watcher, file) }
}

/** As for the upload itself; an anonymous one is everybody's who knows its id until it ends. */
function isOwnFile({ principal, tickets }: Watcher, file: Ownership): boolean {
  const { batchId, batchIndex, ownerId, state } = file
  if (ownerId === null ? isUnfinished(state) : principal?.id === ownerId) return true
  return (
    batchId !== null &&
    tickets.some(
      (ticket) => ticket.batchId === batchId && ticket.batchIndex === batchIndex,
    )
  )
}

async function findBatch(
  { db, projectId }: AccessDeps,
  { principal, tickets }: Watcher,
  id: string,
): Promise<Found | null> {
  const shares = await findBatchShares(db, id)
  if (tickets.some((ticket) => ticket.batchId === id))
    return { projectId: shares[0]?.projectId ?? projectId, isOwn: true }
  const [share] = shares
  if (!share) return null
  const isOwn =
    principal !== null && shares.every(({ ownerId }) => ownerId === principal.id)
  return { projectId: share.projectId, isOwn }
}
