import type { Channel } from '../channel/channel.ts'
import type { Database, Statement, Transaction } from '../db/database.ts'
import { CarcosaError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { sessionTopic } from './session-topic.ts'

/** The role that an organization is never without. */
export const ownerRole = 'owner'

/** What organizations stand on. */
export interface MembershipDeps {
  readonly db: Database
  readonly channel: Pick<Channel, 'send'>
}

/** Somebody in an organization. */
export interface Place {
  organizationId: string
  userId: string
}

/** Their sessions are asked for anew: what they may do changes with their next request. */
export function tellMembers(
  channel: Pick<Channel, 'send'>,
  userIds: readonly string[],
): void {
  for (const userId of userIds) channel.send(sessionTopic, userId, true)
}

/**
 * Does `work` while nobody else changes who belongs to the organization. Counting owners and
 * taking one away are two statements: without this, two owners who leave at once leave none.
 *
 * @throws {CarcosaError} ORGANIZATION_NOT_FOUND
 */
export function alone<T>(
  db: Database,
  organizationId: string,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  return db.transaction(async (tx) => {
    const [found] = await tx.query(lockStatement, [organizationId])
    if (!found) throw noOrganization(organizationId)
    return work(tx)
  })
}

/** False if they were a member before; their role is then what it was. */
export async function insertMember(
  tx: Pick<Transaction, 'query'>,
  { organizationId, userId, role }: Place & { role: string },
): Promise<boolean> {
  const values = [`mem_${newId()}`, organizationId, userId, role]
  return (await tx.query(insertStatement, values)).length > 0
}

/** Null if they are no member. @throws {CarcosaError} LAST_OWNER */
export async function setRole(
  tx: Transaction,
  place: Place,
  role: string,
): Promise<{ before: string } | null> {
  const before = await roleOf(tx, place)
  if (before === null) return null
  if (before === ownerRole && role !== ownerRole) await requireOtherOwner(tx, place)
  await tx.query(roleStatement, [place.organizationId, place.userId, role])
  return { before }
}

/** Takes somebody out of the organization and its teams. False if they are no member. */
export async function deleteMember(tx: Transaction, place: Place): Promise<boolean> {
  const role = await roleOf(tx, place)
  if (role === null) return false
  if (role === ownerRole) await requireOtherOwner(tx, place)
  const values = [place.organizationId, place.userId]
  await tx.query(leaveTeamsStatement, values)
  await tx.query(deleteStatement, values)
  return true
}

/** Null if they are no member. */
export async function roleOf(
  db: Pick<Transaction, 'query'>,
  { organizationId, userId }: Place,
): Promise<string | null> {
  const [row] = await db.query<{ role: string }>(findStatement, [organizationId, userId])
  return row?.role ?? null
}

export function noOrganization(id: string): CarcosaError {
  return new CarcosaError('ORGANIZATION_NOT_FOUND', {
    message: `There is no organization ${JSON.stringify(String(id).slice(0, 64))}.`,
  })
}

async function requireOtherOwner(tx: Transaction, place: Place): Promise<void> {
  const values = [place.organizationId, place.userId]
  const others = await tx.query(otherOwnerStatement, values)
  if (others.length > 0) return
  throw new CarcosaError('LAST_OWNER', {
    message: 'An organization is never without an owner: make somebody else one first.',
  })
}

const lockStatement: Statement = {
  name: 'organization_lock',
  sql: 'SELECT id FROM carcosa.organization WHERE id = $1 FOR UPDATE',
}

const insertStatement: Statement = {
  name: 'member_insert',
  sql: `INSERT INTO carcosa.organization_member (id, organization_id, user_id, role)
VALUES ($1, $2, $3, $4) ON CONFLICT (user_id, organization_id) DO NOTHING RETURNING id`,
}

const findStatement: Statement = {
  name: 'member_role',
  sql: `SELECT role FROM carcosa.organization_member
WHERE organization_id = $1 AND user_id = $2`,
}

const roleStatement: Statement = {
  name: 'member_set_role',
  sql: `UPDATE carcosa.organization_member SET role = $3
WHERE organization_id = $1 AND user_id = $2`,
}

const otherOwnerStatement: Statement = {
  name: 'member_other_owner',
  sql: `SELECT id FROM carcosa.organization_member
WHERE organization_id = $1 AND user_id <> $2 AND role = '${ownerRole}' LIMIT 1`,
}

const leaveTeamsStatement: Statement = {
  name: 'member_leave_teams',
  sql: `WITH gone AS (
  DELETE FROM carcosa.team_member m USING carcosa.team t
  WHERE t.id = m.team_id AND t.organization_id = $1 AND m.user_id = $2 RETURNING t.id
)
UPDATE carcosa.team SET member_count = greatest(member_count - 1, 0)
WHERE id IN (SELECT id FROM gone)`,
}

const deleteStatement: Statement = {
  name: 'member_delete',
  sql: `DELETE FROM carcosa.organization_member
WHERE organization_id = $1 AND user_id = $2`,
}
