import type { Statement } from '../db/database.ts'
import type { FileRecord } from './record.ts'
import type { Executor } from './records.ts'

/** Whose the files of a batch are; an owner is null where nobody was known. */
export interface BatchShare {
  readonly projectId: string
  readonly ownerId: string | null
  readonly route: string
}

/** The different owners of the files of a batch; empty if it has none yet. */
export function findBatchShares(db: Executor, batchId: string): Promise<BatchShare[]> {
  return db.query<BatchShare>(sharesStatement, [batchId])
}

/** What says whose a file is. */
export type Ownership = Pick<
  FileRecord,
  'projectId' | 'ownerId' | 'route' | 'state' | 'batchId' | 'batchIndex'
>

/** Whose a file is; null if there is none. Thousands ask at once, so nothing else is read. */
export async function findOwnership(db: Executor, id: string): Promise<Ownership | null> {
  return (await db.query<Ownership>(ownershipStatement, [id]))[0] ?? null
}

const ownershipStatement: Statement = {
  name: 'file_ownership',
  sql: `SELECT project_id AS "projectId", owner_id AS "ownerId", route, state,
  batch_id AS "batchId", batch_index AS "batchIndex"
FROM carcosa.file WHERE id = $1`,
}

const sharesStatement: Statement = {
  name: 'file_batch_shares',
  sql: `SELECT DISTINCT project_id AS "projectId", owner_id AS "ownerId", route
FROM carcosa.file WHERE batch_id = $1`,
}
