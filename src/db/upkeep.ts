import type { Engine, Queryable } from './engine.ts'

/** How much log may pile up between two checkpoints. */
const logBytes = 32 * 2 ** 20

/**
 * Does for an embedded database what a Postgres server's own processes do and a lone session
 * lacks: without checkpoints its log grows for ever, without vacuum its tables do. Looks
 * every `interval` ms, acts when there is something to do, never keeps the process alive.
 */
export function startUpkeep(
  engine: Engine,
  interval: number,
  onError: (error: Error) => void,
): { stop(): Promise<void> } {
  let running = Promise.resolve()
  let checkpointed = 0
  const once = async () => {
    for (const table of await neglectedTables(engine)) {
      // Vacuum needs to be alone in its statement, not in a transaction.
      await engine.run((pglite) => pglite.query(`VACUUM (ANALYZE) ${table}`))
    }
    const written = await engine.run(logPosition)
    if (written - checkpointed < logBytes) return
    await engine.run((pglite) => pglite.query('CHECKPOINT'))
    checkpointed = written
  }
  const timer = setInterval(() => {
    running = running.then(once).catch(onError)
  }, interval)
  timer.unref()
  return {
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}

/** Those that autovacuum would take by its default thresholds, quoted for SQL. */
async function neglectedTables(engine: Engine): Promise<string[]> {
  const { rows } = await engine.run((pglite) =>
    pglite.query<{ name: string }>(`
      SELECT format('%I.%I', schemaname, relname) AS name FROM pg_stat_user_tables
      WHERE n_dead_tup > 50 + 0.2 * n_live_tup
         OR n_mod_since_analyze > 50 + 0.1 * n_live_tup
         OR n_ins_since_vacuum > 1000 + 0.2 * n_live_tup`),
  )
  return rows.map(({ name }) => name)
}

async function logPosition(pglite: Queryable): Promise<number> {
  const { rows } = await pglite.query<{ position: number }>(
    `SELECT pg_current_wal_lsn() - '0/0' AS position`,
  )
  return Number(rows[0]?.position)
}
