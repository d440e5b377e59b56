import { chmodSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startProgram } from './program.ts'
import { locate } from './requirements.ts'

/** A pooler in transaction mode. */
export interface PgBouncer {
  /** The URL of the same database through it. */
  url: string
  stop(): Promise<void>
}

/**
 * Starts one in front of the database at `url`, with few connections of its own, so that clients
 * do get each other's.
 */
export async function startPgBouncer(url: string): Promise<PgBouncer> {
  const target = new URL(url)
  const database = target.pathname.slice(1)
  const through = (endpoint: string) => {
    const pooled = new URL(url)
    pooled.host = new URL(endpoint).host
    pooled.searchParams.set('pgbouncer', 'true')
    return pooled.href
  }
  const { endpoint, stop } = await startProgram({
    path: locate('pgbouncer'),
    args({ port, directory }) {
      const users = join(directory, 'users.txt')
      const settings = join(directory, 'pgbouncer.ini')
      writeFileSync(users, `"${target.username}" "${target.password}"\n`)
      writeFileSync(
        settings,
        [
          '[databases]',
          `${database} = host=${target.hostname} port=${target.port} dbname=${database}`,
          '[pgbouncer]',
          `listen_addr = 127.0.0.1`,
          `listen_port = ${port}`,
          'unix_socket_dir =',
          'auth_type = plain',
          `auth_file = ${users}`,
          'pool_mode = transaction',
          'default_pool_size = 4',
        ].join('\n'),
      )
      for (const path of [directory, users, settings]) chmodSync(path, 0o755)
      // It refuses to run as root.
      const user = userInfo().uid === 0 ? ['-u', 'nobody'] : []
      return [...user, settings]
    },
    async ready(endpoint) {
      const client = new pg.Client({ connectionString: through(endpoint) })
      await client.connect()
      await client.end()
    },
  })
  return { url: through(endpoint), stop }
}
