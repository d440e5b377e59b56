import type { Database, Statement } from '../db/database.ts'
import type { KeyMode } from './key-format.ts'
import type { Scopes } from './principal.ts'

/** An API key as the row `carcosa.api_key`. */
export interface KeyRow {
  id: string
  projectId: string
  name: string
  mode: KeyMode
  role: string
  scopes: Scopes | null
  allowedAddresses: string[]
  prefix: string
  hash: string
  previousPrefix: string | null
  previousHash: string | null
  previousUntil: Date | null
  createdBy: string | null
  createdAt: Date
  rotatedAt: Date | null
  expiresAt: Date | null
  revokedAt: Date | null
  lastUsedAt: Date | null
}

/** What a request with a key is judged by. */
export type StoredKey = Pick<
  KeyRow,
  | 'id'
  | 'projectId'
  | 'name'
  | 'mode'
  | 'role'
  | 'scopes'
  | 'allowedAddresses'
  | 'prefix'
  | 'hash'
  | 'previousPrefix'
  | 'previousHash'
  | 'previousUntil'
  | 'expiresAt'
  | 'revokedAt'
>

type Queries = Pick<Database, 'query'>

/** One query, answered by one of two unique indexes. */
export async function findByPrefix(
  db: Queries,
  prefix: string,
): Promise<StoredKey | null> {
  const [row] = await db.query<StoredKey>(byPrefixStatement, [prefix])
  return row ?? null
}

export async function findById(db: Queries, id: string): Promise<StoredKey | null> {
  const [row] = await db.query<StoredKey>(byIdStatement, [id])
  return row ?? null
}

/** Gives a key that was not revoked another token. Null if there is none. */
export async function replaceToken(
  db: Queries,
  id: string,
  change: { prefix: string; hash: string; overlapMs: number },
): Promise<KeyRow | null> {
  const { prefix, hash, overlapMs } = change
  const [row] = await db.query<KeyRow>(replaceStatement, [id, prefix, hash, overlapMs])
  return row ?? null
}

/** Notes when keys were used. */
export async function touchKeys(
  db: Queries,
  used: ReadonlyMap<string, number>,
): Promise<void> {
  const times = [...used.values()].map((at) => new Date(at).toISOString())
  await db.query(touchStatement, [[...used.keys()], times])
}

const storedColumns = `id, project_id AS "projectId", name, mode, role, scopes,
  allowed_addresses AS "allowedAddresses", prefix, hash, previous_prefix AS "previousPrefix",
  previous_hash AS "previousHash", previous_until AS "previousUntil",
  expires_at AS "expiresAt", revoked_at AS "revokedAt"`

const allColumns = `${storedColumns}, created_by AS "createdBy", created_at AS "createdAt",
  rotated_at AS "rotatedAt", last_used_at AS "lastUsedAt"`

export const byPrefixStatement: Statement = {
  name: 'key_by_prefix',
  sql: `SELECT ${storedColumns} FROM carcosa.api_key WHERE prefix = $1 OR previous_prefix = $1`,
}

const byIdStatement: Statement = {
  name: 'key_by_id',
  sql: `SELECT ${storedColumns} FROM carcosa.api_key WHERE id = $1`,
}

const replaceStatement: Statement = {
  name: 'key_replace_token',
  sql: `UPDATE carcosa.api_key SET
  previous_prefix = CASE WHEN $4::float8 > 0 THEN prefix END,
  previous_hash = CASE WHEN $4::float8 > 0 THEN hash END,
  previous_until = CASE WHEN $4::float8 > 0
    THEN now() + $4::float8 * interval '1 millisecond' END,
  prefix = $2, hash = $3, rotated_at = now()
WHERE id = $1 AND revoked_at IS NULL
RETURNING ${allColumns}`,
}

const touchStatement: Statement = {
  name: 'key_touch',
  sql: `UPDATE carcosa.api_key k SET last_used_at = greatest(k.last_used_at, used.at)
FROM unnest($1::text[], $2::timestamptz[]) AS used(id, at)
WHERE k.id = used.id
RETURNING k.id, set_config('synchronous_commit', 'off', true)`,
}
