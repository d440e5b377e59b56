import type { Database, Statement } from '../db/database.ts'
import { ownerEmail } from '../shared/accounts.ts'
import { newId } from '../shared/ids.ts'
import { createLink, type Link } from './links.ts'

export interface FirstOwner extends Link {
  readonly userId: string
  readonly organizationId: string
}

/**
 * On a database without users makes an owner, an organization of theirs that owns the project
 * `projectId`, and a link to sign in. Null if there are users, and for all but one of the
 * processes that start at once.
 */
export async function createFirstOwner(
  db: Database,
  projectId: string,
): Promise<FirstOwner | null> {
  const userId = `user_${newId()}`
  const organizationId = `org_${newId()}`
  return db.transaction(async (tx) => {
    const isFirst = await tx.query(claimStatement, [userId])
    if (isFirst.length === 0) return null
    await tx.query(userStatement, [userId, ownerEmail])
    await tx.query(organizationStatement, [organizationId, `mem_${newId()}`, userId])
    await tx.query(projectStatement, [organizationId, projectId])
    const link = await createLink(tx, 'login', userId)
    return { ...link, userId, organizationId }
  })
}

/** Who comes second waits for the first to commit, and then finds its row. */
const claimStatement: Statement = {
  name: 'owner_claim',
  sql: `INSERT INTO carcosa.setting (name, value)
SELECT 'first-owner', $1 WHERE NOT EXISTS (SELECT FROM carcosa.user_account)
ON CONFLICT (name) DO NOTHING RETURNING name`,
}

const userStatement: Statement = {
  name: 'owner_user',
  sql: `INSERT INTO carcosa.user_account (id, email, name, email_verified)
VALUES ($1, $2, 'Owner', true) RETURNING id`,
}

const organizationStatement: Statement = {
  name: 'owner_organization',
  sql: `WITH made AS (
  INSERT INTO carcosa.organization (id, name, slug)
  VALUES ($1, 'Default', 'default') RETURNING id
)
INSERT INTO carcosa.organization_member (id, organization_id, user_id, role)
SELECT $2, id, $3, 'owner' FROM made RETURNING id`,
}

const projectStatement: Statement = {
  name: 'owner_project',
  sql: `UPDATE carcosa.project SET organization_id = $1, updated_at = now()
WHERE id = $2 AND organization_id IS NULL RETURNING id`,
}
