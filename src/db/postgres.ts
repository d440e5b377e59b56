import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import type { Database, Statement, Transaction } from './database.ts'
import { toDatabaseError } from './errors.ts'
import { listenOn } from './listen.ts'
import { connectError, type PostgresTarget, parseUrl } from './postgres-target.ts'
import { createPrisma } from './prisma.ts'
import { parsers } from './values.ts'

export interface PostgresOptions {
  /** Most connections this process opens. Default 10. */
  poolSize?: number
  /**
   * Whether statements stay prepared on their connection. Default: unless the URL says
   * `pgbouncer=true`, as it must behind a pooler in transaction mode that does not track them
   * (PgBouncer before 1.21).
   */
  preparedStatements?: boolean
  /**
   * Where `LISTEN` connects to. Default: the same URL; another one where that leads to a pooler
   * in transaction mode, through which nothing can be heard.
   */
  directUrl?: string
  /** Milliseconds to wait for a connection. Default 10,000. */
  connectTimeout?: number
  /** Milliseconds after which a statement without an answer counts as lost. Default 30,000. */
  queryTimeout?: number
  /** Told about connections that were lost while nobody used them. */
  onBackgroundError?: (error: Error) => void
}

/** Opens a pool on `url` and proves that it works; see openDatabase for the errors. */
export async function openPostgres(
  url: string,
  options: PostgresOptions = {},
): Promise<Database> {
  const target = parseUrl(url)
  const pool = createPool(url, options)
  await probe(pool, target)
  const prisma = createPrisma(new PrismaPg(pool))
  const named = options.preparedStatements ?? !isBehindPooler(url)
  const lend = <T>(use: (session: Session) => Promise<T>) => lendSession(pool, named, use)
  let closing: Promise<void> | undefined
  return {
    kind: 'postgres',
    prisma,
    query: (statement, values) => lend((session) => session.query(statement, values)),
    executeSql: (sql, values) => lend((session) => session.executeSql(sql, values)),
    transaction: (work) => lend((session) => transact(session, work)),
    listen: (channel, handlers) => listenOn(options.directUrl ?? url, channel, handlers),
    pool: () => ({
      size: pool.totalCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
    }),
    close: () => {
      closing ??= prisma.$disconnect().then(() => pool.end())
      return closing
    },
  }
}

/** As Prisma's own URLs say it. */
function isBehindPooler(url: string): boolean {
  return /[?&]pgbouncer=true(&|$)/.test(url)
}

/** Migrations and the upkeep of the job queue may take longer than anything else. */
const scriptTimeout = 10 * 60_000

function createPool(url: string, options: PostgresOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.poolSize ?? 10,
    connectionTimeoutMillis: options.connectTimeout ?? 10_000,
    // A new one has to read the catalogue and plan every statement before it is of use; by default
    // all would be closed after 10 s without a request, and the next burst wait for new ones.
    idleTimeoutMillis: 5 * 60_000,
    application_name: 'carcosa',
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    query_timeout: options.queryTimeout ?? 30_000,
    types: { getTypeParser },
    // Prisma's adapter reads timestamps as if every session were in UTC.
    onConnect: async (client) => {
      await client.query("SET TIME ZONE 'UTC'")
    },
  })
  // Without these two listeners a connection that breaks takes the process with it: the
  // first is for connections at rest, the second for those in use, whose query fails anyway.
  pool.on('error', (error) => options.onBackgroundError?.(error))
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}

// pg declares this as overloads with `any`; only text values have parsers of ours.
const getTypeParser = ((oid: number, format?: 'text') =>
  (format !== ('binary' as string) && parsers[oid]) ||
  pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser

async function probe(pool: pg.Pool, target: PostgresTarget): Promise<void> {
  try {
    const client = await pool.connect()
    client.release()
  } catch (error) {
    await pool.end()
    throw connectError(error, target)
  }
}

/** A connection while somebody has it. */
interface Session extends Transaction {
  send(query: string | pg.QueryConfig): Promise<pg.QueryResult>
  /** Gives the connection back; one that broke or was left in a transaction is closed. */
  release(): void
}

/**
 * Lends `use` a connection. (`pool.query` would close it after every error, a duplicate key
 * included, and `executeSql` may leave a transaction open when it fails.)
 */
async function lendSession<T>(
  pool: pg.Pool,
  named: boolean,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw toDatabaseError(error)
  })
  const session = openSession(client, named)
  try {
    return await use(session)
  } catch (error) {
    // Not only if something is open: pg reports an error before it has read the status of
    // the connection that follows it.
    await session.send('ROLLBACK').catch(() => undefined)
    throw error
  } finally {
    session.release()
  }
}

function openSession(client: pg.PoolClient, named: boolean): Session {
  let broken: unknown
  const send: Session['send'] = async (query) => {
    // After a timeout the next statement would wait for the answer to the last one.
    if (broken) throw broken
    try {
      return await client.query(query)
    } catch (error) {
      const known = toDatabaseError(error)
      if (known !== error) broken = known
      throw known
    }
  }
  return {
    send,
    async query<Row>({ name, sql }: Statement, values: readonly unknown[] = []) {
      const query = { text: sql, values: [...values] }
      const result = await send(named ? { name, ...query } : query)
      return result.rows as Row[]
    },
    executeSql: async (sql, values) => {
      // `query_timeout` is missing in the declaration of pg.QueryConfig.
      const script = { text: sql, query_timeout: scriptTimeout }
      return flatten(await send(values?.length ? { text: sql, values } : script))
    },
    release: () =>
      client.release(Boolean(broken) || client.getTransactionStatus() !== 'I'),
  }
}

async function transact<T>(
  session: Session,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const tx = revocable(session)
  await session.send('BEGIN')
  try {
    const result = await work(tx)
    tx.revoke()
    const { command } = await session.send('COMMIT')
    if (command === 'COMMIT') return result
    throw new TypeError('A statement of this transaction failed, which nobody noticed.')
  } finally {
    tx.revoke()
  }
}

/** A late statement would run in whatever the connection is used for next. */
function revocable({ query, executeSql }: Transaction): Transaction & { revoke(): void } {
  let revoked = false
  const check = () => {
    if (revoked)
      throw new TypeError('The transaction has ended: await what you start in it.')
  }
  return {
    async query(statement, values) {
      check()
      return await query(statement, values)
    },
    async executeSql(sql, values) {
      check()
      return await executeSql(sql, values)
    },
    revoke() {
      revoked = true
    },
  }
}

/** Several statements have several results; pg-boss wants the rows of all of them. */
function flatten(result: pg.QueryResult | pg.QueryResult[]): {
  rows: Record<string, unknown>[]
} {
  if (!Array.isArray(result)) return { rows: result.rows }
  return { rows: result.flatMap(({ rows }) => rows) }
}
