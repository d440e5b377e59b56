import type { Database, Statement } from '../db/database.ts'

type Queries = Pick<Database, 'query'>

/** A person with an account. */
export interface User {
  /** `user_` and 24 characters; the owner of what they upload. */
  readonly id: string
  readonly name: string
  /** In lower case. */
  readonly email: string
  readonly emailVerified: boolean
  readonly createdAt: Date
  readonly updatedAt: Date
  /** Since when they may do nothing here; null if they may. */
  readonly disabledAt: Date | null
}

/** Who holds a ticket, as what they are in the project it is for. */
export interface Holder {
  userId: string
  isDisabled: boolean
  /** Null if there is no such project, or none was asked for. */
  projectId: string | null
  /** Of the project, if they are in it. */
  organizationId: string | null
  role: string | null
}

/** Null if there is no such user. */
export async function findHolder(
  db: Queries,
  userId: string,
  projectId: string | null,
): Promise<Holder | null> {
  const [row] = await db.query<Holder>(holderStatement, [userId, projectId])
  return row ?? null
}

/** By the id or the e-mail address. */
export async function findUser(db: Queries, idOrEmail: string): Promise<User | null> {
  const [row] = await db.query<User>(findStatement, [idOrEmail.toLowerCase(), idOrEmail])
  return row ?? null
}

export interface NewUserRow {
  id: string
  email: string
  name: string
}

/** Null if there is a user with this address. */
export async function insertUser(db: Queries, user: NewUserRow): Promise<User | null> {
  const { id, email, name } = user
  const [row] = await db.query<User>(insertStatement, [id, email, name])
  return row ?? null
}

/** Null if there is no such user. */
export async function setDisabled(
  db: Queries,
  id: string,
  isDisabled: boolean,
): Promise<User | null> {
  const [row] = await db.query<User>(disableStatement, [id, isDisabled])
  return row ?? null
}

/** What they are called and where mail goes; null leaves it as it is. False if that is taken. */
export async function setIdentity(
  db: Queries,
  id: string,
  { email, name }: { email: string | null; name: string | null },
): Promise<boolean> {
  return (await db.query(identityStatement, [id, email, name])).length > 0
}

/** The user has shown that mail to their address reaches them. */
export async function setVerified(db: Queries, id: string): Promise<void> {
  await db.query(verifyStatement, [id])
}

/** Takes away the password. */
export async function deletePassword(db: Queries, userId: string): Promise<void> {
  await db.query(deletePasswordStatement, [userId])
}

export async function hasPassword(db: Queries, userId: string): Promise<boolean> {
  return (await db.query(hasPasswordStatement, [userId])).length > 0
}

export const userColumns = `id, name, email, email_verified AS "emailVerified",
  created_at AS "createdAt", updated_at AS "updatedAt", disabled_at AS "disabledAt"`

const holderStatement: Statement = {
  name: 'user_holder',
  sql: `SELECT u.id AS "userId", u.disabled_at IS NOT NULL AS "isDisabled",
  p.id AS "projectId", m.organization_id AS "organizationId", m.role
FROM carcosa.user_account u
LEFT JOIN carcosa.project p ON p.id = $2::text
LEFT JOIN carcosa.organization_member m
  ON m.organization_id = p.organization_id AND m.user_id = u.id
WHERE u.id = $1`,
}

const findStatement: Statement = {
  name: 'user_find',
  sql: `SELECT ${userColumns} FROM carcosa.user_account WHERE email = $1 OR id = $2`,
}

/** Who makes users vouches for their addresses. */
const insertStatement: Statement = {
  name: 'user_insert',
  sql: `INSERT INTO carcosa.user_account (id, email, name, email_verified)
VALUES ($1, $2, $3, true) ON CONFLICT (email) DO NOTHING
RETURNING ${userColumns}`,
}

const disableStatement: Statement = {
  name: 'user_disable',
  sql: `UPDATE carcosa.user_account SET updated_at = now(),
  disabled_at = CASE WHEN $2::boolean THEN coalesce(disabled_at, now()) END
WHERE id = $1 RETURNING ${userColumns}`,
}

const identityStatement: Statement = {
  name: 'user_identity',
  sql: `UPDATE carcosa.user_account SET updated_at = now(),
  email = coalesce($2::text, email), name = coalesce($3::text, name)
WHERE id = $1 AND NOT EXISTS (
  SELECT FROM carcosa.user_account o WHERE o.email = $2::text AND o.id <> $1
) RETURNING id`,
}

const verifyStatement: Statement = {
  name: 'user_verify',
  sql: `UPDATE carcosa.user_account SET email_verified = true, updated_at = now()
WHERE id = $1 AND NOT email_verified RETURNING id`,
}

const deletePasswordStatement: Statement = {
  name: 'user_delete_password',
  sql: `DELETE FROM carcosa.user_credential
WHERE user_id = $1 AND provider_id = 'credential' RETURNING id`,
}

const hasPasswordStatement: Statement = {
  name: 'user_has_password',
  sql: `SELECT id FROM carcosa.user_credential
WHERE user_id = $1 AND provider_id = 'credential' AND password IS NOT NULL`,
}
