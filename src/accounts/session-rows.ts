import type { Database, Statement } from '../db/database.ts'

type Queries = Pick<Database, 'query'>

/** A session, who it belongs to, and where they act. */
export interface SessionRow {
  id: string
  userId: string
  expiresAt: Date
  email: string
  name: string
  emailVerified: boolean
  disabledAt: Date | null
  activeOrganizationId: string | null
  /** Of the project that was asked for, or else the first of their organization; null: none. */
  projectId: string | null
  /** Of which they are a member; null: of none, or of none that owns what was asked for. */
  organizationId: string | null
  role: string | null
}

/** One query, by unique indexes. `projectId` null asks for the active organization's first. */
export async function findSession(
  db: Queries,
  token: string,
  projectId: string | null,
): Promise<SessionRow | null> {
  const [row] = await db.query<SessionRow>(findStatement, [token, projectId])
  return row ?? null
}

/** A session of a user, for that user. */
export interface SessionSummary {
  id: string
  createdAt: Date
  updatedAt: Date
  expiresAt: Date
  ipAddress: string | null
  userAgent: string | null
}

/** Newest first, at most 100. */
export function listSessions(db: Queries, userId: string): Promise<SessionSummary[]> {
  return db.query<SessionSummary>(listStatement, [userId])
}

export interface NewSession {
  id: string
  token: string
  userId: string
  seconds: number
  ipAddress: string | null
  userAgent: string | null
}

/** False if there is no such user, or they are disabled. */
export async function insertSession(db: Queries, session: NewSession): Promise<boolean> {
  const { id, token, userId, seconds, ipAddress, userAgent } = session
  const values = [id, token, userId, seconds, ipAddress, userAgent]
  return (await db.query(insertStatement, values)).length > 0
}

/** Ends one session of a user by its id; false if there is none. */
export async function deleteSession(
  db: Queries,
  userId: string,
  id: string,
): Promise<boolean> {
  return (await db.query(deleteStatement, [userId, id])).length > 0
}

/** Ends all sessions of a user, or all but one, and says how many there were. */
export async function deleteSessions(
  db: Queries,
  userId: string,
  exceptId: string | null = null,
): Promise<number> {
  return (await db.query(deleteAllStatement, [userId, exceptId])).length
}

/** Forgets some of the sessions that are over, whoever they belonged to. */
export async function deleteExpired(db: Queries): Promise<void> {
  await db.query(deleteExpiredStatement)
}

/** Gives a session its full time again, at most once a day. Null if it is not time yet. */
export async function extendSession(
  db: Queries,
  id: string,
  seconds: number,
): Promise<Date | null> {
  const [row] = await db.query<{ expiresAt: Date }>(extendStatement, [id, seconds])
  return row?.expiresAt ?? null
}

export const findStatement: Statement = {
  name: 'session_find',
  sql: `SELECT s.id, s.user_id AS "userId", s.expires_at AS "expiresAt",
  s.active_organization_id AS "activeOrganizationId",
  u.email, u.name, u.email_verified AS "emailVerified", u.disabled_at AS "disabledAt",
  place.project_id AS "projectId", place.organization_id AS "organizationId", place.role
FROM carcosa.user_session s
JOIN carcosa.user_account u ON u.id = s.user_id
LEFT JOIN LATERAL (
  SELECT p.id AS project_id, m.organization_id, m.role
  FROM carcosa.organization_member m
  LEFT JOIN carcosa.project p
    ON p.organization_id = m.organization_id AND p.deleted_at IS NULL
    AND ($2::text IS NULL OR p.id = $2)
  WHERE m.user_id = s.user_id AND ($2::text IS NULL OR p.id IS NOT NULL)
  ORDER BY m.organization_id IS DISTINCT FROM s.active_organization_id,
    p.id IS NULL, m.created_at, m.id, p.created_at, p.id
  LIMIT 1
) place ON true
WHERE s.token = $1`,
}

const listStatement: Statement = {
  name: 'session_list',
  sql: `SELECT id, created_at AS "createdAt", updated_at AS "updatedAt",
  expires_at AS "expiresAt", ip_address AS "ipAddress", user_agent AS "userAgent"
FROM carcosa.user_session
WHERE user_id = $1 AND expires_at > now()
ORDER BY created_at DESC, id DESC LIMIT 100`,
}

const insertStatement: Statement = {
  name: 'session_insert',
  sql: `INSERT INTO carcosa.user_session
  (id, token, user_id, expires_at, ip_address, user_agent)
SELECT $1, $2, id, now() + $4::float8 * interval '1 second', $5, $6
FROM carcosa.user_account WHERE id = $3 AND disabled_at IS NULL
RETURNING id`,
}

const deleteStatement: Statement = {
  name: 'session_delete',
  sql: `DELETE FROM carcosa.user_session WHERE user_id = $1 AND id = $2 RETURNING id`,
}

const deleteAllStatement: Statement = {
  name: 'session_delete_all',
  sql: `DELETE FROM carcosa.user_session
WHERE user_id = $1 AND id IS DISTINCT FROM $2::text RETURNING id`,
}

const deleteExpiredStatement: Statement = {
  name: 'session_delete_expired',
  sql: `DELETE FROM carcosa.user_session WHERE id IN (
  SELECT id FROM carcosa.user_session WHERE expires_at < now() LIMIT 100
) RETURNING id`,
}

const extendStatement: Statement = {
  name: 'session_extend',
  sql: `UPDATE carcosa.user_session
SET expires_at = now() + $2::float8 * interval '1 second', updated_at = now()
WHERE id = $1 AND updated_at < now() - interval '1 day' AND expires_at > now()
RETURNING expires_at AS "expiresAt"`,
}
