import type { Statement } from '../db/database.ts'
import type { Executor } from './records.ts'

/** Whose the files of a batch are; an owner is null where nobody was known. */
export interface BatchShare {
  readonly projectId: string
  readonly ownerId: string | null
}

/** The different owners of the files of a batch; empty if it has none yet. */
export function findBatchShares(db: Executor, batchId: string): Promise<BatchShare[]> {
  return db.query<BatchShare>(sharesStatement, [batchId])
}

const sharesStatement: Statement = {
  name: 'file_batch_shares',
  sql: `SELECT DISTINCT project_id AS "projectId", owner_id AS "ownerId"
FROM carcosa.file WHERE batch_id = $1`,
}
