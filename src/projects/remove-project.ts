import { setTimeout as sleep } from 'node:timers/promises'
import { projectTopic } from '../auth/project-gate.ts'
import type { Statement } from '../db/database.ts'
import { createOutbox } from '../events/outbox.ts'
import type { FileRecord } from '../files/record.ts'
import { findHeld } from '../files/records.ts'
import type { UploadDeps } from '../uploads/deps.ts'
import { remove } from '../uploads/lifecycle.ts'
import { purge } from '../uploads/purge.ts'

/** Files looked at in one go. */
const batchSize = 100
/** How long after the last file went its event can be read by those who watch, in ms. */
const toldMs = 500

/**
 * The job `project.delete`: removes a project whose grace period is over. First its files, each
 * as if somebody had deleted it, so that those who watch are told; then what is left in rows.
 * Killed anywhere, it goes on where it stopped; for a project that was restored it does nothing.
 *
 * @throws if a store could not delete something: the rows of these files must stay
 */
export async function removeProject(
  deps: UploadDeps,
  projectId: string,
  signal: AbortSignal,
): Promise<void> {
  const [due] = await deps.db.query(dueStatement, [projectId])
  if (!due) return
  const { removed, left } = await removeFiles(deps, projectId, signal)
  if (left > 0) {
    throw new Error(
      `${left} files of the project ${projectId} are still in their stores.`,
    )
  }
  if (removed > 0) await letBeTold(deps, signal)
  signal.throwIfAborted()
  for (const statement of rowStatements) {
    while (await deleteSome(deps, statement, projectId)) signal.throwIfAborted()
  }
  await deps.db.query(projectStatement, [projectId])
  deps.channel.send(projectTopic, projectId, true)
  deps.log.info({ projectId, removed }, 'project removed')
}

async function removeFiles(
  deps: UploadDeps,
  projectId: string,
  signal: AbortSignal,
): Promise<{ removed: number; left: number }> {
  let after: FileRecord | null = null
  let removed = 0
  let left = 0
  for (;;) {
    signal.throwIfAborted()
    const wanted = { projectId, after, limit: batchSize }
    const held: FileRecord[] = await findHeld(deps.db, wanted)
    for (const record of held) {
      if (await remove(deps, record)) removed++
      // It had ended before, or was removed by somebody who could not delete its bytes.
      if (!(await isPurged(deps, record))) left++
    }
    after = held.at(-1) ?? null
    if (held.length < batchSize) return { removed, left }
  }
}

async function isPurged(deps: UploadDeps, record: FileRecord): Promise<boolean> {
  const [row] = await deps.db.query(purgedStatement, [record.id])
  return row !== undefined || purge(deps, record)
}

/** Events go with the project; whoever watches it shall have had the last ones. */
async function letBeTold({ db, feed }: UploadDeps, signal: AbortSignal): Promise<void> {
  await createOutbox(db).number()
  feed.hint()
  await sleep(toldMs, undefined, { signal })
}

async function deleteSome(
  { db }: UploadDeps,
  statement: Statement,
  projectId: string,
): Promise<boolean> {
  const [row] = await db.query<{ count: number }>(statement, [projectId])
  return Number(row?.count ?? 0) > 0
}

const dueStatement: Statement = {
  name: 'project_due',
  sql: `SELECT id FROM carcosa.project WHERE id = $1 AND delete_after <= now()`,
}

const purgedStatement: Statement = {
  name: 'file_is_purged',
  sql: `SELECT id FROM carcosa.file WHERE id = $1 AND purged_at IS NOT NULL`,
}

/**
 * What belongs to a project, in an order in which nothing comes back: an event is always written
 * from the row of its file, and numbered from its own.
 */
const rowStatements = [
  deletion('file', 'AND purged_at IS NOT NULL'),
  deletion('event'),
  ...['api_key', 'event_sequence', 'owner_usage', 'usage_day', 'usage_cursor'].map(
    (table) => deletion(table),
  ),
]

function deletion(table: string, only = ''): Statement {
  return {
    name: `project_delete_${table}`,
    sql: `WITH chosen AS (
  SELECT ctid FROM carcosa.${table} WHERE project_id = $1 ${only} LIMIT 5000
), gone AS (
  DELETE FROM carcosa.${table} t USING chosen c WHERE t.ctid = c.ctid RETURNING 1
)
SELECT count(*)::int4 AS count FROM gone`,
  }
}

const projectStatement: Statement = {
  name: 'project_delete',
  sql: `DELETE FROM carcosa.project WHERE id = $1 AND delete_after <= now()`,
}
