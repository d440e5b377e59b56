import type { EventPermission } from '../auth/event-permission.ts'
import type { Access, Decision, Resource } from '../auth/permissions.ts'
import type { Principal } from '../auth/principal.ts'
import type { ProjectGate } from '../auth/project-gate.ts'
import type { Topic } from '../events/topic.ts'
import { findBatchShares, findOwnership, type Ownership } from '../files/ownership.ts'
import type { Executor } from '../files/records.ts'
import { CarcosaError } from '../shared/errors.ts'
import { isId } from '../shared/ids.ts'
import { isUnfinished } from '../uploads/state.ts'
import type { Ticket } from '../uploads/ticket.ts'

export interface AccessDeps {
  db: Executor
  access: Access
  projects: ProjectGate
  permission: EventPermission
  /** Of who names no other, and of batches and routes without a file so far. */
  projectId: string
  hasRoute(name: string): boolean
}

/** Who asks; each credential that was given has been found to be right. */
export interface Watcher {
  readonly principal: Principal | null
  readonly tickets: readonly Ticket[]
}

/**
 * The project in which `watcher` may watch `topic`: with the permission `events.read`, or where
 * the role lacks it because the option `events` says so.
 *
 * @throws {CarcosaError} TOPIC_NOT_FOUND, for what is unknown and for what is not theirs;
 *   PROJECT_DELETED
 */
export async function permit(
  deps: AccessDeps,
  watcher: Watcher,
  topic: Topic,
): Promise<string> {
  const [first, ...others] = await find(deps, watcher, topic)
  if (!first) throw notFound()
  for (const resource of [first, ...others]) {
    const decision = deps.access.can(watcher.principal, 'events.read', resource)
    if (decision.allowed || (await isLetIn(deps, decision, topic))) continue
    throw notFound(deps.access.explain(decision))
  }
  await deps.projects.require(first.projectId)
  return first.projectId
}

/** Project and scopes are limits that the option does not widen. */
async function isLetIn(
  { permission }: AccessDeps,
  { rule, inputs: { principal } }: Decision,
  topic: Topic,
): Promise<boolean> {
  if (rule !== 'role-denies' || principal === null) return false
  return permission.allow({ principal, topic })
}

/** All that is watched with a topic; empty if there is no such topic. */
async function find(
  deps: AccessDeps,
  watcher: Watcher,
  topic: Topic,
): Promise<readonly Resource[]> {
  const projectId = watcher.principal?.projectId ?? deps.projectId
  switch (topic.kind) {
    case 'file':
      return findOne(deps, watcher, topic.id)
    case 'batch':
      return findBatch(deps, watcher, topic.id)
    case 'route':
      return deps.hasRoute(topic.id) ? [{ projectId, route: topic.id }] : []
    case 'project':
      return topic.id === projectId ? [{ projectId }] : []
  }
}

async function findOne(
  { db }: AccessDeps,
  { tickets }: Watcher,
  id: string,
): Promise<Resource[]> {
  const file = isId(id) ? await findOwnership(db, id) : null
  if (!file) return []
  const { projectId, ownerId, route, state } = file
  const ticket = tickets.some((one) => isOf(one, file))
  return [{ projectId, ownerId, route, isFinished: !isUnfinished(state), ticket }]
}

function isOf(ticket: Ticket, { batchId, batchIndex }: Ownership): boolean {
  return (
    batchId !== null && ticket.batchId === batchId && ticket.batchIndex === batchIndex
  )
}

/** The files of a batch may have several owners; an anonymous one is nobody's to watch by its id. */
async function findBatch(
  { db, projectId: fallback }: AccessDeps,
  { tickets }: Watcher,
  id: string,
): Promise<Resource[]> {
  const shares = await findBatchShares(db, id)
  const ticket = tickets.find(({ batchId }) => batchId === id)
  if (!ticket) return shares.map((share) => ({ ...share, isFinished: true }))
  const { projectId = fallback } = ticket
  return [{ projectId: shares[0]?.projectId ?? projectId, ticket: true }]
}

function notFound(explained = {}): CarcosaError {
  return new CarcosaError('TOPIC_NOT_FOUND', {
    message: 'There is nothing to watch under this name, or it is not for you.',
    ...explained,
  })
}
