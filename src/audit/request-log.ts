import type { Database, Statement } from '../db/database.ts'
import type { Logger } from '../shared/logger.ts'
import type { Meter } from '../shared/meter.ts'
import { redact } from '../shared/redact.ts'
import type { Caller } from '../shared/request-context.ts'

/** A request that was answered. */
export interface Answered {
  readonly at: Date
  readonly method: string
  readonly pattern: string
  /** Path and query as sent. */
  readonly path: string
  readonly status: number
  readonly code: string | null
  readonly ms: number
  readonly caller: Caller | null
  readonly address: string | null
  readonly requestId: string
}

/** Keeps requests for a second at most, and writes them together: none waits for its line. */
export interface RequestLog {
  note(answered: Answered): void
  /** Writes what is left. Nothing is noted afterwards. */
  close(): Promise<void>
}

const flushMs = 1_000
/** Most lines of one statement. */
const mostRows = 1_000
/** Most lines that wait; more are dropped, and counted. */
const mostWaiting = 10_000
const longestPath = 512

export interface RequestLogDeps {
  readonly db: Pick<Database, 'query'>
  readonly log: Logger
  readonly meter: Pick<Meter, 'logEntriesLost'>
}

export function createRequestLog({ db, log, meter }: RequestLogDeps): RequestLog {
  const waiting: Answered[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined
  let lost = 0
  let closed = false

  const tellLost = (err?: unknown) => {
    if (lost === 0) return
    meter.logEntriesLost('requests', lost)
    log.warn(
      { lost, ...(err !== undefined && { err }) },
      'lines of the request log were lost',
    )
    lost = 0
  }
  const write = async () => {
    while (waiting.length > 0) {
      const rows = waiting.splice(0, mostRows)
      const err = await insert(db, rows).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (err !== undefined) lost += rows.length
      tellLost(err)
    }
  }
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    writing ??= write().finally(() => {
      writing = undefined
    })
    return writing
  }

  return {
    note(answered) {
      if (closed) return
      if (waiting.length >= mostWaiting) lost++
      else waiting.push(answered)
      timer ??= setTimeout(flush, flushMs).unref()
    },
    async close() {
      closed = true
      await flush()
    },
  }
}

async function insert(
  db: Pick<Database, 'query'>,
  rows: readonly Answered[],
): Promise<void> {
  const lines = rows.map((row) => ({
    created_at: row.at,
    method: row.method.slice(0, 32),
    pattern: row.pattern,
    path: withoutSecrets(row.path),
    status: row.status,
    code: row.code,
    ms: Math.round(row.ms * 10) / 10,
    actor_kind: row.caller?.kind ?? null,
    actor_id: row.caller?.id ?? null,
    organization_id: row.caller?.organizationId ?? null,
    project_id: row.caller?.projectId ?? null,
    address: row.address,
    request_id: row.requestId,
  }))
  await db.query(insertLines, [JSON.stringify(lines)])
}

/** Secrets of a path stand in parameters; `redact` knows their names. */
function withoutSecrets(path: string): string {
  const { text } = redact({ text: path })
  return String(text).slice(0, longestPath).toWellFormed()
}

const columns = `created_at, method, pattern, path, status, code, ms, actor_kind, actor_id,
  organization_id, project_id, address, request_id`

const insertLines: Statement = {
  name: 'request_log_insert',
  sql: `INSERT INTO carcosa.request_log (${columns})
SELECT ${columns}
FROM jsonb_to_recordset($1::jsonb) AS line(created_at timestamptz, method text, pattern text,
  path text, status int, code text, ms float8, actor_kind text, actor_id text,
  organization_id text, project_id text, address text, request_id text)`,
}
