import { createHash, randomBytes } from 'node:crypto'
import type { Database, Statement } from '../db/database.ts'
import { newId } from '../shared/ids.ts'

type Queries = Pick<Database, 'query'>

/** What a link of ours is for. */
export type LinkKind = 'login' | 'verify-email'

/** How long a link works, in ms. */
export const linkLifetimes: Record<LinkKind, number> = {
  login: 24 * 3_600_000,
  'verify-email': 24 * 3_600_000,
}

export interface Link {
  /** Sent to somebody, and kept nowhere. */
  readonly token: string
  readonly expiresAt: Date
}

/** Makes a link that works once. Only its hash is kept. */
export async function createLink(
  db: Queries,
  kind: LinkKind,
  userId: string,
): Promise<Link> {
  const token = randomBytes(24).toString('base64url')
  const expiresAt = new Date(Date.now() + linkLifetimes[kind])
  const values = [newId(), identifierOf(kind, token), userId, expiresAt.toISOString()]
  await db.query(insertStatement, values)
  return { token, expiresAt }
}

/** Whose link this is, if it works; then it works no more, whoever else asks at the same time. */
export async function useLink(
  db: Queries,
  kind: LinkKind,
  token: string,
): Promise<string | null> {
  const [row] = await db.query<{ userId: string; works: boolean }>(useStatement, [
    identifierOf(kind, token),
  ])
  return row?.works ? row.userId : null
}

function identifierOf(kind: LinkKind, token: string): string {
  return `${kind}:${createHash('sha256').update(token).digest('hex')}`
}

/** What is too old goes with what is new. */
const insertStatement: Statement = {
  name: 'link_insert',
  sql: `WITH old AS (
  DELETE FROM carcosa.user_verification WHERE id IN (
    SELECT id FROM carcosa.user_verification
    WHERE expires_at < now() - interval '1 day' LIMIT 100
  )
)
INSERT INTO carcosa.user_verification (id, identifier, value, expires_at)
VALUES ($1, $2, $3, $4::timestamptz) RETURNING id`,
}

const useStatement: Statement = {
  name: 'link_use',
  sql: `DELETE FROM carcosa.user_verification WHERE identifier = $1
RETURNING value AS "userId", expires_at > now() AS works`,
}
