import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import pg from 'pg'

/** An empty database on the server of the test run. */
export interface TestDatabase {
  /** `postgres://…/test_…` */
  url: string
  /** Drops it, also under open connections. */
  drop(): Promise<void>
}

/**
 * Creates an empty database. The server is the one `CARCOSA_TEST_POSTGRES` names; a test file
 * that runs alone starts one for itself, which ends with the process.
 */
export async function postgres(): Promise<TestDatabase> {
  const server = await serverUrl()
  const name = `test_${randomBytes(8).toString('hex')}`
  await execute(server, `create database ${name}`)
  const url = new URL(server)
  url.pathname = name
  return {
    url: url.href,
    drop: () => execute(server, `drop database if exists ${name} with (force)`),
  }
}

export interface PostgresServer {
  /** URL of its database `postgres`, as a superuser. */
  url: string
  /** Ends all connections and starts it again; resolves when it answers. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts a server with a data directory of its own. It does not keep this process alive and
 * stops when this process ends, however that happens. Throws if Postgres cannot run here.
 */
export async function startPostgresServer(): Promise<PostgresServer> {
  // Detached: Ctrl-C reaches the whole terminal group, and the tests need it until they end.
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'postgres-server.ts')],
    {
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  )
  const exited = once(child, 'exit')
  const ready = once(child.stdout, 'data').then(([line]) => String(line).trim())
  const failed = text(child.stderr)
  const url = await Promise.race([ready, exited.then(() => null)])
  if (url === null) throw new Error(`Postgres did not start: ${await failed}`)
  child.unref()
  for (const pipe of child.stdio) if (pipe instanceof Socket) pipe.unref()
  return {
    url,
    async restart() {
      child.stdin.write('restart\n')
      await once(child.stdout, 'data')
    },
    async stop() {
      child.ref()
      child.stdin.end()
      await exited
    },
  }
}

let own: Promise<PostgresServer> | undefined

async function serverUrl(): Promise<string> {
  const given = process.env.CARCOSA_TEST_POSTGRES
  if (given) return given
  own ??= startPostgresServer()
  return (await own).url
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
