import type { Statement, Transaction } from '../db/database.ts'

type Queries = Pick<Transaction, 'query'>

/** How an invitation stands. */
export type InvitationStatus = 'pending' | 'accepted' | 'rejected' | 'canceled'

/** An invitation of somebody, who need not have an account yet, to an organization. */
export interface Invitation {
  /** `inv_` and 24 characters. It goes with the mail, and is of use only to who owns the address. */
  readonly id: string
  readonly organizationId: string
  /** In lower case. */
  readonly email: string
  readonly role: string
  readonly teamId: string | null
  readonly status: InvitationStatus
  /** The id of the user who invites. */
  readonly inviterId: string
  readonly createdAt: Date
  readonly expiresAt: Date
}

export type InvitationRow = Omit<Invitation, 'status' | 'role'> & {
  status: string
  role: string | null
}

export function describeInvitation(row: InvitationRow): Invitation {
  // A column of literals is text to Prisma; only our own code and better-auth write it.
  return { ...row, role: row.role ?? 'member', status: row.status as InvitationStatus }
}

/** Whoever is invited again has the newer invitation only. */
export async function insertInvitation(
  tx: Queries,
  invitation: Omit<Invitation, 'status' | 'createdAt'>,
): Promise<Invitation | null> {
  const { id, organizationId, email, role, teamId, inviterId, expiresAt } = invitation
  await tx.query(replaceStatement, [organizationId, email])
  const values = [id, organizationId, email, role, teamId, inviterId, expiresAt]
  const [row] = await tx.query<InvitationRow>(insertStatement, values)
  return row ? describeInvitation(row) : null
}

/** Whether an account with this address is a member. */
export async function isMemberByEmail(
  tx: Queries,
  organizationId: string,
  email: string,
): Promise<boolean> {
  return (await tx.query(memberStatement, [organizationId, email])).length > 0
}

/** Ends a pending invitation; null if it was none. What is too old can still be revoked. */
export async function endInvitation(
  tx: Queries,
  id: string,
  status: 'canceled' | 'rejected',
): Promise<Invitation | null> {
  const [row] = await tx.query<InvitationRow>(endStatement, [id, status])
  return row ? describeInvitation(row) : null
}

/**
 * Takes an invitation for a user, once: null if it is not pending, too old, or not for their
 * address, or that is not confirmed.
 */
export async function takeInvitation(
  tx: Queries,
  id: string,
  userId: string,
): Promise<Invitation | null> {
  const [row] = await tx.query<InvitationRow>(takeStatement, [id, userId])
  return row ? describeInvitation(row) : null
}

const columns = `i.id, i.organization_id AS "organizationId", i.email, i.role,
  i.team_id AS "teamId", i.status, i.inviter_id AS "inviterId",
  i.created_at AS "createdAt", i.expires_at AS "expiresAt"`

const replaceStatement: Statement = {
  name: 'invitation_replace',
  sql: `UPDATE carcosa.organization_invitation SET status = 'canceled'
WHERE organization_id = $1 AND email = $2 AND status = 'pending'`,
}

const insertStatement: Statement = {
  name: 'invitation_insert',
  sql: `INSERT INTO carcosa.organization_invitation AS i
  (id, organization_id, email, role, team_id, inviter_id, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7::timestamptz) RETURNING ${columns}`,
}

const memberStatement: Statement = {
  name: 'invitation_is_member',
  sql: `SELECT m.id FROM carcosa.organization_member m
JOIN carcosa.user_account u ON u.id = m.user_id
WHERE m.organization_id = $1 AND u.email = $2`,
}

const endStatement: Statement = {
  name: 'invitation_end',
  sql: `UPDATE carcosa.organization_invitation i SET status = $2
WHERE id = $1 AND status = 'pending' RETURNING ${columns}`,
}

const takeStatement: Statement = {
  name: 'invitation_take',
  sql: `UPDATE carcosa.organization_invitation i SET status = 'accepted'
FROM carcosa.user_account u
WHERE i.id = $1 AND i.status = 'pending' AND i.expires_at > now()
  AND u.id = $2 AND u.email = i.email AND u.email_verified AND u.disabled_at IS NULL
RETURNING ${columns}`,
}
