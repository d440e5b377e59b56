import type { Statement } from '../db/database.ts'
import { endLeaseSql, type Fence, fenceSql, fenceValues, fromNow } from './fence.ts'
import type { FileRecord } from './record.ts'
import type { Executor } from './records.ts'
import { type Row, rowColumns, toRecord } from './row.ts'

/**
 * The statements of the lease that lies in the row of every upload: who may write to it, across
 * all processes on this database. Times are those of the database.
 */

/** How a process that waits wants the holder to end; see AcquireOptions of uploads/lease.ts. */
export type Wish = 'now' | 'idle'

/** An upload and its lease, as they stood at the same moment. */
export interface Leased {
  readonly record: FileRecord
  /** Set if the lease is now the caller's. */
  readonly taken: Taken | null
  /** Milliseconds for which another process holds it; 0 if none does. */
  readonly heldFor: number
}

export interface Taken {
  readonly fence: Fence
  /**
   * Since the last part was committed, a holder was overtaken and never heard to end: what it
   * began to send may still arrive in the store.
   */
  readonly contested: boolean
}

/**
 * Takes the lease of an unfinished upload for `ms` if it is free, has run out, or is the
 * holder's own already: one conditional statement, one round trip. The row is as it stands under
 * the lease. Null if there is no such upload.
 */
export async function takeLease(
  db: Executor,
  id: string,
  { holder, ms }: { holder: string; ms: number },
): Promise<Leased | null> {
  const [row] = await db.query<LeasedRow>(takeStatement, [id, holder, ms])
  return row ? toLeased(row, holder) : null
}

/** The upload, and how long a process other than `holder` has its lease. */
export async function findLeased(
  db: Executor,
  id: string,
  holder: string,
): Promise<Leased | null> {
  const [row] = await db.query<LeasedRow>(findStatement, [id, holder])
  return row ? toLeased(row, holder) : null
}

export interface Renewal {
  readonly holder: string
  readonly ms: number
  readonly leases: readonly { readonly id: string; readonly number: number }[]
}

/** Which of the leases are still the holder's, now for another `ms`, and who wants them. */
export async function renewLeases(
  db: Executor,
  { holder, ms, leases }: Renewal,
): Promise<{ id: string; wanted: Wish | null }[]> {
  return db.query(renewStatement, [
    holder,
    ms,
    leases.map(({ id }) => id),
    leases.map(({ number }) => number),
  ])
}

/** Gives the lease back. Whether another process waits for it. */
export async function releaseLease(
  db: Executor,
  id: string,
  fence: Fence,
): Promise<boolean> {
  const values = [id, ...fenceValues(fence)]
  const [row] = await db.query<{ wanted: boolean }>(releaseStatement, values)
  return row?.wanted ?? false
}

/** Leaves word for the holder, who reads it when it renews its lease. */
export async function wantLease(db: Executor, id: string, wish: Wish): Promise<void> {
  await db.query(wantStatement, [id, wish])
}

interface LeasedRow extends Row {
  taken: boolean
  lease_fence: number | string
  lease_contested: boolean
  held_for: number | null
}

function toLeased(row: LeasedRow, holder: string): Leased {
  const fence = { holder, number: Number(row.lease_fence) }
  return {
    record: toRecord(row),
    taken: row.taken ? { fence, contested: row.lease_contested } : null,
    heldFor: Math.max(row.held_for ?? 0, 0),
  }
}

const found = `SELECT ${rowColumns()}, lease_fence, lease_contested, false AS taken,
  CASE WHEN lease_holder <> $2 THEN
    extract(epoch FROM lease_expires_at - now())::float8 * 1000 END AS held_for
FROM carcosa.file WHERE id = $1`

const lazily = `set_config('synchronous_commit', 'off', true)`

const findStatement: Statement = { name: 'lease_find', sql: found }

// What a crash of the database loses of these costs a retry: none of them waits for its disk.
const takeStatement: Statement = {
  name: 'lease_take',
  sql: `WITH t AS (
  UPDATE carcosa.file
  SET lease_holder = $2, lease_fence = lease_fence + 1, lease_expires_at = ${fromNow(3)},
    lease_wanted = NULL,
    lease_contested = lease_contested OR coalesce(lease_holder <> $2, false)
  WHERE id = $1 AND state IN ('created', 'receiving')
    AND (lease_holder IS NULL OR lease_holder = $2 OR lease_expires_at <= now())
  RETURNING ${rowColumns()}, lease_fence, lease_contested
)
SELECT * FROM (
  SELECT ${rowColumns()}, lease_fence, lease_contested, true AS taken,
    NULL::float8 AS held_for
  FROM t
  UNION ALL
  SELECT * FROM (${found} AND NOT EXISTS (SELECT FROM t)) f
) leased, ${lazily}`,
}

const renewStatement: Statement = {
  name: 'lease_renew',
  sql: `UPDATE carcosa.file f SET lease_expires_at = ${fromNow(2)}
FROM unnest($3::text[], $4::int8[]) AS held(id, number)
WHERE f.id = held.id AND f.lease_holder = $1 AND f.lease_fence = held.number
RETURNING f.id, f.lease_wanted AS wanted, ${lazily}`,
}

const releaseStatement: Statement = {
  name: 'lease_release',
  sql: `UPDATE carcosa.file SET ${endLeaseSql}
WHERE id = $1 AND ${fenceSql(2)}
RETURNING lease_wanted IS NOT NULL AS wanted, ${lazily}`,
}

const wantStatement: Statement = {
  name: 'lease_want',
  sql: `UPDATE carcosa.file SET lease_wanted = $2
WHERE id = $1 AND lease_holder IS NOT NULL AND lease_wanted IS DISTINCT FROM $2`,
}
