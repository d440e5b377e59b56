import type { Database, Statement } from '../db/database.ts'

/** How long the lines of both logs are kept, in ms. */
export interface LogRetention {
  readonly audit: number
  readonly requests: number
}

/** Most rows of one statement: no long lock, and no long transaction. */
const mostRows = 5_000

/** Deletes what is older than it is kept. Returns how many lines. Safe to run twice at once. */
export async function dropOldLines(
  db: Database,
  { audit, requests }: LogRetention,
): Promise<number> {
  const entries = await inBatches(() => dropEntries(db, before(audit)))
  const lines = await inBatches(async () => {
    const rows = await db.query(dropRequests, [before(requests), mostRows])
    return rows.length
  })
  return entries + lines
}

function before(age: number): string {
  return new Date(Date.now() - age).toISOString()
}

async function inBatches(drop: () => Promise<number>): Promise<number> {
  let sum = 0
  for (;;) {
    const dropped = await drop()
    sum += dropped
    if (dropped < mostRows) return sum
  }
}

/** The trigger of the table lets go of rows in a transaction that says what it is for. */
function dropEntries(db: Database, until: string): Promise<number> {
  return db.transaction(async (tx) => {
    await tx.query(sayRetention)
    return (await tx.query(dropAudit, [until, mostRows])).length
  })
}

const sayRetention: Statement = {
  name: 'audit_retention',
  sql: `SELECT set_config('carcosa.audit_retention', 'on', true)`,
}

const dropAudit: Statement = {
  name: 'audit_drop',
  sql: `DELETE FROM carcosa.audit_entry WHERE id IN (
  SELECT id FROM carcosa.audit_entry WHERE created_at < $1::timestamptz
  ORDER BY created_at LIMIT $2)
RETURNING 1`,
}

const dropRequests: Statement = {
  name: 'request_log_drop',
  sql: `DELETE FROM carcosa.request_log WHERE id IN (
  SELECT id FROM carcosa.request_log WHERE created_at < $1::timestamptz
  ORDER BY created_at LIMIT $2)
RETURNING 1`,
}
