import type { PrismaClient } from './generated/client.ts'
import type { ListenHandlers, Listening } from './listen.ts'

/**
 * What the rest of Carcosa sees of the database. The same SQL runs on PGlite and Postgres.
 *
 * Two ways in: `prisma` for everything that reads well as a query builder, and `query` for the
 * few statements of the write path that must be one round trip and one atomic step.
 *
 * Every method throws DATABASE_UNAVAILABLE (503 with `Retry-After`) when the database cannot
 * be reached; the statement may then have taken effect or not. What Postgres itself refuses is
 * thrown as the driver's error, whose `code` is the SQLSTATE on both drivers.
 */
export interface Database {
  readonly kind: 'pglite' | 'postgres'
  readonly prisma: PrismaClient
  /** Runs one statement outside any transaction. */
  query<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>
  /**
   * Runs `work` in one transaction; throwing rolls back. Keep it short and free of network
   * calls: on PGlite it holds the only connection, so that anything inside which asks this
   * Database instead of `tx` waits for ever.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  /** Like `Transaction.executeSql`, outside any transaction. */
  executeSql: ExecuteSql
  /**
   * Listens on a Postgres channel (`LISTEN`) until closed, with a connection of its own that is
   * made again when it breaks. Absent where no other process can have anything to tell.
   */
  listen?(channel: string, handlers: ListenHandlers): Listening
  /** The connections it has. Absent where there is one and nothing to count. */
  pool?(): PoolCounts
  /** Waits for what is running, then releases connections, files and locks. Idempotent. */
  close(): Promise<void>
}

export interface PoolCounts {
  /** Connections that are open. */
  readonly size: number
  /** Those that nobody uses. */
  readonly idle: number
  /** Statements that wait for one. */
  readonly waiting: number
}

/**
 * A statement of ours, with a name under which Postgres keeps it prepared: one name, one text.
 *
 * Values: JSON goes in as text made by `JSON.stringify` (`$1::jsonb`), never as an object;
 * lists as arrays with a cast (`any($1::text[])`). Rows: int8 is a number, or a bigint beyond
 * 2^53 − 1; timestamptz is a Date; json is parsed; bytea is a Uint8Array.
 */
export interface Statement {
  readonly name: string
  readonly sql: string
}

/** The statements of one transaction; unusable once `work` has returned. */
export interface Transaction {
  query<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>
  /** The shape pg-boss takes as `db`, so that a job is enqueued by this transaction. */
  executeSql: ExecuteSql
}

/** Runs SQL that has no name. Without values it may hold several statements. */
export type ExecuteSql = (
  sql: string,
  values?: unknown[],
) => Promise<{ rows: Record<string, unknown>[] }>
