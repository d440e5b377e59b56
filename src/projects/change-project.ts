import { keyTopic } from '../auth/key-cache.ts'
import { projectDeleted, projectTopic } from '../auth/project-gate.ts'
import type { Statement, Transaction } from '../db/database.ts'
import type { UploadDeps } from '../uploads/deps.ts'
import { type ProjectRow, projectColumns } from './project.ts'

/** What changes projects stand on. */
export type ProjectDeps = Pick<UploadDeps, 'db' | 'channel' | 'jobs' | 'log'>

export interface ProjectChange {
  name: string | null
  /** Those that are named are changed. */
  settings: object
  /** Change it only if it was changed last at that time. */
  ifUpdatedAt: Date | null
}

/** Changes a project that was not deleted; null if there is none. */
export async function changeProject(
  { db, channel }: ProjectDeps,
  id: string,
  { name, settings, ifUpdatedAt }: ProjectChange,
): Promise<ProjectRow | null> {
  const values = [id, name, JSON.stringify(settings), ifUpdatedAt]
  const [row] = await db.query<ProjectRow>(changeStatement, values)
  channel.send(projectTopic, id, true)
  return row ?? null
}

/**
 * Shuts a project: nothing can be uploaded to it or read from it, and its keys end. In `graceMs`
 * a job removes it. Null if there is none that was not deleted before.
 */
export async function shutProject(
  { db, channel, jobs }: ProjectDeps,
  id: string,
  graceMs: number,
): Promise<ProjectRow | null> {
  const shut = await db.transaction(async (tx) => {
    const [row] = await tx.query<ProjectRow>(shutStatement, [id, graceMs])
    if (!row) return null
    const keys = await revokeKeys(tx, id)
    await jobs.enqueue(tx, 'project.delete', { projectId: id }, { startAfterMs: graceMs })
    return { row, keys }
  })
  tell({ channel }, id, shut?.keys ?? [])
  return shut?.row ?? null
}

/**
 * Takes a deletion back, while its grace period lasts. Keys do not come back with it.
 * @throws {CarcosaError} PROJECT_DELETED if that is over
 */
export async function reopenProject(
  { db, channel }: ProjectDeps,
  before: ProjectRow,
): Promise<ProjectRow> {
  if (before.deletedAt === null) return before
  const [row] = await db.query<ProjectRow>(reopenStatement, [before.id])
  if (!row) throw projectDeleted()
  channel.send(projectTopic, before.id, true)
  return row
}

/** Whose a project was, and whose it shall be; null for nobody's. */
export interface Transfer {
  projectId: string
  from: string | null
  to: string | null
}

/**
 * The job `project.transfer`. The keys end with it: who had them need not belong to the new
 * owner. Whatever happened since it was asked for makes it do nothing, and then it is false.
 */
export async function transferProject(
  deps: ProjectDeps,
  { projectId, from, to }: Transfer,
): Promise<boolean> {
  const moved = await deps.db.transaction(async (tx) => {
    const [row] = await tx.query(transferStatement, [projectId, from, to])
    return row ? await revokeKeys(tx, projectId) : null
  })
  if (!moved) return false
  tell(deps, projectId, moved)
  deps.log.info({ projectId, from, to, keys: moved.length }, 'project transferred')
  return true
}

async function revokeKeys(tx: Transaction, projectId: string): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(revokeStatement, [projectId])
  return rows.map(({ id }) => id)
}

function tell(
  { channel }: Pick<ProjectDeps, 'channel'>,
  projectId: string,
  keys: readonly string[],
): void {
  channel.send(projectTopic, projectId, true)
  for (const id of keys) channel.send(keyTopic, id, true)
}

const changeStatement: Statement = {
  name: 'project_change',
  sql: `UPDATE carcosa.project SET name = coalesce($2::text, name),
  settings = settings || $3::jsonb, updated_at = now()
WHERE id = $1 AND deleted_at IS NULL
  AND ($4::timestamptz IS NULL OR updated_at = $4::timestamptz)
RETURNING ${projectColumns}`,
}

const shutStatement: Statement = {
  name: 'project_shut',
  sql: `UPDATE carcosa.project SET deleted_at = now(), updated_at = now(),
  delete_after = now() + $2::float8 * interval '1 millisecond'
WHERE id = $1 AND deleted_at IS NULL RETURNING ${projectColumns}`,
}

const reopenStatement: Statement = {
  name: 'project_reopen',
  sql: `UPDATE carcosa.project SET deleted_at = NULL, delete_after = NULL, updated_at = now()
WHERE id = $1 AND deleted_at IS NOT NULL AND delete_after > now() RETURNING ${projectColumns}`,
}

// An organization that is gone by now is none to transfer to.
const transferStatement: Statement = {
  name: 'project_transfer',
  sql: `UPDATE carcosa.project SET organization_id = $3::text, updated_at = now()
WHERE id = $1 AND deleted_at IS NULL AND organization_id IS NOT DISTINCT FROM $2::text
  AND organization_id IS DISTINCT FROM $3::text
  AND ($3::text IS NULL OR EXISTS (SELECT 1 FROM carcosa.organization WHERE id = $3::text))
RETURNING id`,
}

const revokeStatement: Statement = {
  name: 'project_revoke_keys',
  sql: `UPDATE carcosa.api_key SET revoked_at = now()
WHERE project_id = $1 AND revoked_at IS NULL RETURNING id`,
}
