import type { PrismaClient } from './generated/client.ts'

/**
 * What the rest of Carcosa sees of the database. The same SQL runs on PGlite and Postgres.
 *
 * Two ways in: `prisma` for everything that reads well as a query builder, and `query` for the
 * few statements of the write path that must be one round trip and one atomic step.
 */
export interface Database {
  readonly kind: 'pglite' | 'postgres'
  readonly prisma: PrismaClient
  /** Runs one statement outside any transaction. */
  query<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>
  /**
   * Runs `work` in one transaction; throwing rolls back. Keep it short and free of network
   * calls: on PGlite it holds the only connection.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** A statement of ours, with a name under which Postgres keeps it prepared. */
export interface Statement {
  readonly name: string
  readonly sql: string
}

export interface Transaction {
  query<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>
  /** The shape pg-boss takes as `db`, so that a job is enqueued by this transaction. */
  executeSql(sql: string, values?: unknown[]): Promise<{ rows: unknown[] }>
}
