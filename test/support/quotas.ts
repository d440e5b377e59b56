import * as assert from 'uvu/assert'
import type { Database } from '../../src/db/database.ts'

/** What a quota says is used, after checking that this is what files really take. */
export async function usedOf(
  { uploads: { db } }: { uploads: { db: Pick<Database, 'executeSql'> } },
  projectId = 'default',
): Promise<{ bytes: number; files: number }> {
  const query = async (sql: string) => (await db.executeSql(sql, [projectId])).rows
  const [used] = await query(
    'SELECT used_bytes::float8 AS bytes, used_files::float8 AS files FROM carcosa.quota WHERE project_id = $1',
  )
  const alive = `FROM carcosa.file WHERE project_id = $1
    AND state NOT IN ('removed', 'expired', 'rejected', 'failed')`
  const [taken] = await query(
    `SELECT coalesce(sum(coalesce(size, "offset")), 0)::float8 AS bytes, count(*)::float8 AS files ${alive}`,
  )
  assert.equal(used, taken, 'the counters of the project')
  const [reserved] = await query(
    'SELECT coalesce(sum(reserved), 0)::float8 AS bytes, count(reserved)::float8 AS files FROM carcosa.file WHERE project_id = $1',
  )
  assert.equal(used, reserved, 'what rows have reserved')
  const owners = await query(
    `SELECT owner_id AS owner, used_bytes::float8 AS bytes, used_files::float8 AS files
     FROM carcosa.owner_usage WHERE project_id = $1 AND used_files <> 0 ORDER BY 1`,
  )
  const shares = await query(
    `SELECT owner_id AS owner, sum(coalesce(size, "offset"))::float8 AS bytes, count(*)::float8 AS files
     ${alive} AND owner_id IS NOT NULL GROUP BY owner_id ORDER BY 1`,
  )
  assert.equal(owners, shares, 'the counters of owners')
  return { bytes: Number(used?.bytes), files: Number(used?.files) }
}
