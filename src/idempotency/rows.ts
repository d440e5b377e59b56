import type { Database, Statement } from '../db/database.ts'

type Queries = Pick<Database, 'query'>

/** Somebody who wants to do the request of a key. */
export interface KeyClaim {
  readonly id: string
  readonly fingerprint: string
  readonly holder: string
  /** How long it is held without being renewed. */
  readonly holdMs: number
}

export interface StoredKey {
  fingerprint: string
  answer: Uint8Array | null
}

/**
 * Takes a key that is new, has expired, or belongs to the same request of a process that is not
 * heard of any more. False if it is somebody else's, or done.
 */
export async function takeKey(db: Queries, claim: KeyClaim): Promise<boolean> {
  const { id, fingerprint, holder, holdMs } = claim
  return (await db.query(takeStatement, [id, fingerprint, holder, holdMs])).length > 0
}

/** Null if there is none, or only one that has expired. */
export async function readKey(db: Queries, id: string): Promise<StoredKey | null> {
  return (await db.query<StoredKey>(readStatement, [id]))[0] ?? null
}

/** Goes on holding a key. */
export async function renewKey(db: Queries, claim: KeyClaim): Promise<void> {
  await db.query(renewStatement, [claim.id, claim.holder, claim.holdMs])
}

export async function keepAnswer(
  db: Queries,
  { id, holder }: KeyClaim,
  answer: Buffer,
): Promise<void> {
  await db.query(keepStatement, [id, holder, answer])
}

/** As if it had never come. */
export async function releaseKey(db: Queries, { id, holder }: KeyClaim): Promise<void> {
  await db.query(releaseStatement, [id, holder])
}

/** Forgets keys that have expired. Returns how many. */
export async function dropKeys(db: Queries): Promise<number> {
  const [row] = await db.query<{ dropped: number }>(dropStatement)
  return row?.dropped ?? 0
}

const takeStatement: Statement = {
  name: 'idempotency_take',
  sql: `INSERT INTO carcosa.idempotency_key AS k (id, fingerprint, holder, held_until, expires_at)
VALUES ($1, $2, $3, now() + $4::float8 * interval '1 millisecond', now() + interval '24 hours')
ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, holder = excluded.holder,
  held_until = excluded.held_until, answer = NULL, expires_at = excluded.expires_at
WHERE k.expires_at <= now()
  OR (k.answer IS NULL AND k.held_until <= now() AND k.fingerprint = excluded.fingerprint)
RETURNING id`,
}

const readStatement: Statement = {
  name: 'idempotency_read',
  sql: `SELECT fingerprint, answer FROM carcosa.idempotency_key
WHERE id = $1 AND expires_at > now()`,
}

const renewStatement: Statement = {
  name: 'idempotency_renew',
  sql: `UPDATE carcosa.idempotency_key
SET held_until = now() + $3::float8 * interval '1 millisecond'
WHERE id = $1 AND holder = $2`,
}

const keepStatement: Statement = {
  name: 'idempotency_keep',
  sql: `UPDATE carcosa.idempotency_key SET answer = $3::bytea, holder = NULL, held_until = NULL
WHERE id = $1 AND holder = $2`,
}

const releaseStatement: Statement = {
  name: 'idempotency_release',
  sql: 'DELETE FROM carcosa.idempotency_key WHERE id = $1 AND holder = $2',
}

const dropStatement: Statement = {
  name: 'idempotency_drop',
  sql: `WITH dropped AS (
  DELETE FROM carcosa.idempotency_key WHERE expires_at <= now() RETURNING 1
) SELECT count(*)::int AS dropped FROM dropped`,
}
