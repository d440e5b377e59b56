import type { Statement } from '../db/database.ts'
import { isUniqueViolation } from '../db/errors.ts'
import type { NewEvent } from '../events/event.ts'
import { countSql, releaseSql, releasing, roomSql } from '../usage/reserve.ts'
import { endLeaseSql, type Fence, fenceSql, fenceValues, fromNow } from './fence.ts'
import { insertTagsSql, isLabelled } from './labels.ts'
import { type FileRecord, type FileState, type NewFile, newRecord } from './record.ts'
import { encode, type Row, rowColumns, toJson, toRecord } from './row.ts'

/**
 * The statements that write `carcosa.file`. Each is one round trip and one atomic step: the
 * row and its events change together or not at all (promise P3).
 */

/** Anything that runs one statement: the database, or a transaction on it. */
export interface Executor {
  query<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>
}

/** Columns a change of state may set beside the state itself. */
export type FileChanges = Partial<
  Pick<
    FileRecord,
    | 'offset'
    | 'size'
    | 'detectedType'
    | 'contentType'
    | 'contentDisposition'
    | 'acl'
    | 'sha256'
    | 'serverData'
    | 'failure'
    | 'attempts'
    | 'claimedUntil'
    | 'storedAt'
    | 'readyAt'
    | 'expiresAt'
    | 'purgedAt'
    | 'purgeAfter'
    | 'storeMemo'
  >
>

export interface Insertion {
  events: readonly NewEvent[]
  lazily?: boolean
  /** Who writes to it from the beginning, and for how long at least; the fence is then 1. */
  lease?: { holder: string; ms: number } | null
  /** Whether its project has a quota, in which it must find room. Default false. */
  counted?: boolean
}

/**
 * Inserts the row and its events. With `lazily` it does not wait for the disk of the database:
 * for a row that is told to nobody before a later commit, which takes this one along. `null` if the ticket's place in its batch is taken: the
 * same creation arrived before (see {@link findByBatch}); or if it is `counted` and finds no room.
 */
export async function insertFile(
  db: Executor,
  file: NewFile,
  { events, lazily = false, lease = null, counted = false }: Insertion,
): Promise<FileRecord | null> {
  const labelled = isLabelled(file)
  const kind = `${counted ? 'counted' : 'plain'}${labelled ? 'Labelled' : ''}` as const
  const statement = insertStatements[kind]
  const values = [
    ...insertColumns.map(([property]) => encode(property, file[property])),
    toJson(events),
    lease?.holder ?? null,
    lease?.ms ?? null,
    ...(labelled ? [file.customId ?? null, file.tags ?? [], file.pinned ?? []] : []),
  ]
  const [row] = await db
    .query<{ created_at: Date }>(lazily ? statement.lazy : statement.durable, values)
    .catch((error) => {
      // Of those that are counted the second one must leave nothing behind.
      if (counted && isUniqueViolation(error, 'file_batch_id_batch_index_key')) return []
      throw error
    })
  return row ? newRecord(file, row.created_at) : null
}

export interface Arrival extends Pick<Transition, 'changes' | 'events' | 'also'> {
  to: FileState
}

/**
 * Inserts the row of a file whose bytes are in its store already, with its events and jobs: what
 * {@link insertFile} and {@link transition} would do, in one step. Null as of insertFile.
 */
export async function insertStored(
  db: Executor,
  file: NewFile,
  { to, changes = {}, events = [], also = [] }: Arrival,
): Promise<FileRecord | null> {
  const columns = changeableColumns.filter(([property]) => property in changes)
  const none = { tags: [], pinned: [] }
  const values: Partial<FileRecord> = { ...none, ...file, expiresAt: null, ...changes }
  const inserted = arrivalColumns(columns, isLabelled(file))
  const statement = arrivalStatement({ columns: inserted, also })
  const rows = await db.query<{ created_at: Date }>(statement, [
    ...inserted.map(([property]) => encode(property, values[property])),
    to,
    toJson(events),
    ...also.filter(hasValue).map(({ value }) => value),
  ])
  const [row] = rows
  if (!row) return null
  return { ...newRecord(file, row.created_at), expiresAt: null, ...changes, state: to }
}

/** The row of an upload, or null. */
export async function findFile(db: Executor, id: string): Promise<FileRecord | null> {
  const rows = await db.query<Row>(findStatement, [id])
  return rows[0] ? toRecord(rows[0]) : null
}

/** The upload a ticket already created, or null. */
export async function findByBatch(
  db: Executor,
  batchId: string,
  batchIndex: number,
): Promise<FileRecord | null> {
  const rows = await db.query<Row>(findByBatchStatement, [batchId, batchIndex])
  return rows[0] ? toRecord(rows[0]) : null
}

export interface Transition {
  to: FileState
  from: readonly FileState[]
  changes?: FileChanges
  events?: readonly NewEvent[]
  /** The lease under which this is done; if it was lost, nothing changes. Default: none asked for. */
  fence?: Fence | null
  /**
   * More for the same statement, e.g. jobs: SQL that reads the changed row from `f`.
   * The name is part of the statement's. In one that has a `value`, `$value` stands for it.
   */
  also?: readonly { name: string; sql: string; value?: string | null }[]
}

/**
 * The one way a file changes state: a conditional update on its previous state, together
 * with its events. Returns the record as it is now, or null if the row was in none of the
 * `from` states, or not under this lease: somebody else was first. The offset never decreases.
 * A state in which nothing is written any more ends the lease; one without bytes gives back what
 * the file had reserved of its quota, whether there still is one or not.
 */
export async function transition(
  db: Executor,
  record: FileRecord,
  { to, from, changes = {}, events = [], fence = null, also = [] }: Transition,
): Promise<FileRecord | null> {
  const columns = changeableColumns.filter(([property]) => property in changes)
  const gone = goneStates.includes(to)
  const shape = { columns, also, fenced: fence !== null, ends: to !== 'receiving', gone }
  const rows = await db.query<Pick<Row, 'offset' | 'store_memo'>>(
    transitionStatement(shape),
    [
      record.id,
      to,
      from,
      toJson(events),
      ...columns.map(([property]) => encode(property, changes[property])),
      ...also.filter(hasValue).map(({ value }) => value),
      ...fenceValues(fence),
    ],
  )
  const [row] = rows
  if (!row) return null
  const { offset, store_memo: storeMemo } = row
  return { ...record, ...changes, state: to, offset: Number(offset), storeMemo }
}

/**
 * Takes the sole right to run the completion callback until `until`. Null if the file is not
 * `stored` any more or another process holds the right.
 */
export async function claimCompletion(
  db: Executor,
  id: string,
  until: Date,
): Promise<FileRecord | null> {
  const rows = await db.query<Row>(claimStatement, [id, until])
  return rows[0] ? toRecord(rows[0]) : null
}

/** Keeps or gives back (`null`) the right to run the completion callback. */
export async function extendClaim(
  db: Executor,
  id: string,
  until: Date | null,
): Promise<void> {
  await db.query(extendStatement, [id, until])
}

/** Records the digest of a finished file unless one is known. */
export async function setDigest(db: Executor, id: string, sha256: string): Promise<void> {
  await db.query(digestStatement, [id, sha256])
}

/** Notes that the bytes of a file are gone from its store, and forgets its pieces and copies. */
export async function markPurged(db: Executor, id: string): Promise<void> {
  await db.query(purgedStatement, [id])
}

/** Unfinished uploads whose time is over, oldest first. */
export async function findExpired(db: Executor, limit: number): Promise<FileRecord[]> {
  return (await db.query<Row>(expiredStatement, [limit])).map(toRecord)
}

/** Files that ended without their bytes having been deleted, by id from behind `after` on. */
export async function findUnpurged(
  db: Executor,
  { after, limit }: { after: string; limit: number },
): Promise<FileRecord[]> {
  return (await db.query<Row>(unpurgedStatement, [after, limit])).map(toRecord)
}

/** What a project still has bytes of or promised to delete, newest first, behind `after`. */
export async function findHeld(
  db: Executor,
  { projectId, after, limit }: HeldBehind,
): Promise<FileRecord[]> {
  const place = [after?.createdAt ?? null, after?.id ?? null]
  const rows = await db.query<Row>(heldStatement, [projectId, ...place, limit])
  return rows.map(toRecord)
}

export interface HeldBehind {
  projectId: string
  after: Pick<FileRecord, 'createdAt' | 'id'> | null
  limit: number
}

/** How many rows there are of either: what will have expired is yet to be purged. */
export async function countDue(
  db: Executor,
): Promise<{ expired: number; purged: number }> {
  const [row] = await db.query<{ expired: number; unpurged: number }>(dueStatement)
  const expired = Number(row?.expired ?? 0)
  return { expired, purged: expired + Number(row?.unpurged ?? 0) }
}

// SQL below. Column lists are written once, as [property, column, cast].

type Column<P> = readonly [property: P, column: string, cast: string]

const insertColumns: readonly Column<keyof NewFile>[] = [
  ['id', 'id', 'text'],
  ['projectId', 'project_id', 'text'],
  ['ownerId', 'owner_id', 'text'],
  ['route', 'route', 'text'],
  ['filename', 'filename', 'text'],
  ['declaredType', 'declared_type', 'text'],
  ['contentDisposition', 'content_disposition', 'text'],
  ['acl', 'acl', 'text'],
  ['size', 'size', 'int8'],
  ['storeName', 'store_name', 'text'],
  ['key', 'key', 'text'],
  ['input', 'input', 'jsonb'],
  ['metadata', 'metadata', 'jsonb'],
  ['rawMetadata', 'raw_metadata', 'text'],
  ['batchId', 'batch_id', 'text'],
  ['batchIndex', 'batch_index', 'int4'],
  ['expiresAt', 'expires_at', 'timestamptz'],
]

const labelColumns: readonly Column<'customId' | 'tags' | 'pinned'>[] = [
  ['customId', 'custom_id', 'text'],
  ['tags', 'tags', 'text[]'],
  ['pinned', 'pinned', 'text[]'],
]

const changeableColumns: readonly Column<keyof FileChanges>[] = [
  ['offset', 'offset', 'int8'],
  ['size', 'size', 'int8'],
  ['detectedType', 'detected_type', 'text'],
  ['contentType', 'content_type', 'text'],
  ['contentDisposition', 'content_disposition', 'text'],
  ['acl', 'acl', 'text'],
  ['sha256', 'sha256', 'text'],
  ['serverData', 'server_data', 'jsonb'],
  ['failure', 'failure', 'jsonb'],
  ['attempts', 'attempts', 'int4'],
  ['claimedUntil', 'claimed_until', 'timestamptz'],
  ['storedAt', 'stored_at', 'timestamptz'],
  ['readyAt', 'ready_at', 'timestamptz'],
  ['expiresAt', 'expires_at', 'timestamptz'],
  ['purgedAt', 'purged_at', 'timestamptz'],
  ['purgeAfter', 'purge_after', 'timestamptz'],
  ['storeMemo', 'store_memo', 'jsonb'],
]

/** Appends the events `$n` (a JSON array of { type, data }) of the rows of CTE `f`. */
export const insertEvents = (n: number) => `e AS (
  INSERT INTO carcosa.event (project_id, file_id, type, data)
  SELECT f.project_id, f.id, x.type, x.data
  FROM f, jsonb_to_recordset($${n}::jsonb) AS x(type text, data jsonb)
)`

/** Values of the three columns of a lease, from the parameters `$n` (holder) and `$n+1` (ms). */
const leaseSql = (n: number) =>
  `$${n}::text, CASE WHEN $${n}::text IS NULL THEN 0 ELSE 1 END, ${fromNow(n + 1)}`

const insertedColumns = `${insertColumns.map(([, column]) => column).join(', ')}, state,
    lease_holder, lease_fence, lease_expires_at`

const insertedValues = `${insertColumns.map((_, i) => insertedValue(i)).join(', ')}, 'created',
    ${leaseSql(insertColumns.length + 2)}`

function insertedValue(index: number): string {
  return `$${index + 1}::${insertColumns[index]?.[2]}`
}

/** The same by the name of the property. */
function given(name: keyof NewFile): string {
  return insertedValue(insertColumns.findIndex(([property]) => property === name))
}

const labelColumnsSql = labelColumns.map(([, column]) => `, ${column}`).join('')
const labelValuesSql = labelColumns
  .map(([, , cast], i) => `, $${insertColumns.length + 4 + i}::${cast}`)
  .join('')

/** Without labels the statement has none of their parameters: it is that of every small upload. */
function insertSql(labelled: boolean): string {
  const [columns, values] = labelled ? [labelColumnsSql, labelValuesSql] : ['', '']
  return `WITH f AS (
  INSERT INTO carcosa.file (${insertedColumns}${columns})
  VALUES (${insertedValues}${values})
  ON CONFLICT (batch_id, batch_index) DO NOTHING
  RETURNING id, project_id, created_at
), ${insertEvents(insertColumns.length + 1)}${labelled ? insertedTagsSql : ''}`
}

const insertedTagsSql = `, ${insertTagsSql(insertColumns.length + 5)}`

const reservedSize = `coalesce(${given('size')}, 0)`

function countedInsertSql(labelled: boolean): string {
  const [columns, values] = labelled ? [labelColumnsSql, labelValuesSql] : ['', '']
  return `WITH ${roomSql({
    project: given('projectId'),
    owner: given('ownerId'),
    bytes: reservedSize,
  })}, f AS (
  INSERT INTO carcosa.file (${insertedColumns}, reserved${columns})
  SELECT ${insertedValues}, ${reservedSize}${values} FROM room
  RETURNING id, project_id, created_at, reserved
), ${countSql}, ${insertEvents(insertColumns.length + 1)}${labelled ? insertedTagsSql : ''}`
}

const insertStatements = {
  plain: insertStatementsOf('file_insert', insertSql(false)),
  plainLabelled: insertStatementsOf('file_insert_labelled', insertSql(true)),
  counted: insertStatementsOf('file_insert_counted', countedInsertSql(false)),
  countedLabelled: insertStatementsOf(
    'file_insert_counted_labelled',
    countedInsertSql(true),
  ),
}

function insertStatementsOf(name: string, sql: string) {
  const notDurable = `set_config('synchronous_commit', 'off', true)`
  return {
    durable: { name, sql: `${sql}\nSELECT created_at FROM f` },
    lazy: {
      name: `${name}_lazily`,
      sql: `${sql}\nSELECT created_at, ${notDurable} FROM f`,
    },
  }
}

const findStatement: Statement = {
  name: 'file_find',
  sql: `SELECT ${rowColumns()} FROM carcosa.file WHERE id = $1`,
}

const findByBatchStatement: Statement = {
  name: 'file_find_by_batch',
  sql: `SELECT ${rowColumns()} FROM carcosa.file
WHERE batch_id = $1 AND batch_index = $2`,
}

const claimStatement: Statement = {
  name: 'file_claim',
  sql: `UPDATE carcosa.file
SET claimed_until = $2::timestamptz, attempts = attempts + 1, updated_at = now()
WHERE id = $1 AND state = 'stored' AND (claimed_until IS NULL OR claimed_until < now())
RETURNING ${rowColumns()}`,
}

const extendStatement: Statement = {
  name: 'file_extend_claim',
  sql: `UPDATE carcosa.file SET claimed_until = $2::timestamptz
WHERE id = $1 AND state = 'stored'`,
}

const digestStatement: Statement = {
  name: 'file_set_digest',
  sql: `UPDATE carcosa.file SET sha256 = $2, updated_at = now()
WHERE id = $1 AND sha256 IS NULL`,
}

const purgedStatement: Statement = {
  name: 'file_purged',
  sql: `WITH p AS (DELETE FROM carcosa.upload_part WHERE file_id = $1),
s AS (DELETE FROM carcosa.staged_bytes WHERE file_id = $1),
c AS (DELETE FROM carcosa.file_copy WHERE file_id = $1),
t AS (DELETE FROM carcosa.file_tag WHERE file_id = $1)
UPDATE carcosa.file SET purged_at = now(), updated_at = now(), store_memo = NULL
WHERE id = $1`,
}

const expiredStatement: Statement = {
  name: 'file_expired',
  sql: `SELECT ${rowColumns()} FROM carcosa.file
WHERE state IN ('created', 'receiving') AND expires_at < now()
ORDER BY expires_at LIMIT $1`,
}

/** What ended with its bytes still there, and keeps them for nobody (any more). */
const unpurgedSql = `state IN ('removed', 'expired', 'rejected') AND purged_at IS NULL
  AND (purge_after IS NULL OR purge_after <= now())`

const unpurgedStatement: Statement = {
  name: 'file_unpurged',
  sql: `SELECT ${rowColumns()} FROM carcosa.file
WHERE ${unpurgedSql} AND id > $1
ORDER BY id LIMIT $2`,
}

const heldStatement: Statement = {
  name: 'file_held',
  sql: `SELECT ${rowColumns()} FROM carcosa.file
WHERE project_id = $1 AND purged_at IS NULL
  AND ($2::timestamptz IS NULL OR (created_at, id) < ($2::timestamptz, $3::text))
ORDER BY created_at DESC, id DESC LIMIT $4`,
}

const dueStatement: Statement = {
  name: 'file_due',
  sql: `SELECT
  (SELECT count(*) FROM carcosa.file
    WHERE state IN ('created', 'receiving') AND expires_at < now()) AS expired,
  (SELECT count(*) FROM carcosa.file
    WHERE ${unpurgedSql}) AS unpurged`,
}

const arrivalStatements = new Map<string, Statement>()

/** What a file is created with and what it has become since, each column once. */
function arrivalColumns(
  columns: TransitionShape['columns'],
  labelled: boolean,
): readonly ArrivalColumn[] {
  const later = new Set<string>(columns.map(([property]) => property))
  const first = insertColumns.filter(([property]) => !later.has(property))
  return [...first, ...columns, ...(labelled ? labelColumns : [])]
}

type ArrivalColumn = Column<keyof NewFile | keyof FileChanges>

/** One prepared statement per set of jobs; there are a handful. */
function arrivalStatement({
  columns,
  also,
}: Pick<TransitionShape, 'also'> & { columns: readonly ArrivalColumn[] }): Statement {
  const names = [...columns.map(([, column]) => column), ...also.map(({ name }) => name)]
  const key = names.join(' ')
  const known = arrivalStatements.get(key)
  if (known) return known
  const state = columns.length + 1
  const tags = columns.findIndex(([property]) => property === 'tags') + 1
  const statement = {
    name: `file_insert_stored_${arrivalStatements.size}`,
    sql: `WITH f AS (
  INSERT INTO carcosa.file (${columns.map(([, column]) => `"${column}"`).join(', ')}, state)
  VALUES (${columns.map(([, , cast], i) => `$${i + 1}::${cast}`).join(', ')}, $${state})
  ON CONFLICT (batch_id, batch_index) DO NOTHING
  RETURNING id, project_id, created_at, claimed_until
), ${insertEvents(state + 1)}${tags ? `, ${insertTagsSql(tags)}` : ''}${alsoSql(also, state + 2)}
SELECT created_at FROM f`,
  }
  arrivalStatements.set(key, statement)
  return statement
}

const transitionStatements = new Map<string, Statement>()

interface TransitionShape {
  columns: readonly Column<keyof FileChanges>[]
  also: NonNullable<Transition['also']>
  fenced: boolean
  ends: boolean
  gone: boolean
}

/** Those of files that count for no quota any more. */
const goneStates: readonly FileState[] = ['removed', 'expired', 'rejected', 'failed']

/** One prepared statement per set of changed columns and jobs; there are about a dozen. */
function transitionStatement(shape: TransitionShape): Statement {
  const { columns, also, fenced, ends, gone } = shape
  const names = [...columns.map(([, column]) => column), ...also.map(({ name }) => name)]
  const key = [...names, fenced && 'fenced', ends && 'ends', gone && 'gone'].join(' ')
  const known = transitionStatements.get(key)
  if (known) return known
  const sets = columns.map(([, column, cast], i) =>
    setColumn(column, `$${i + 5}::${cast}`),
  )
  const fence = columns.length + 5 + also.filter(hasValue).length
  const statement = {
    // Postgres truncates names to 63 bytes, so the shape itself cannot be the name.
    name: `file_transition_${transitionStatements.size}`,
    sql: `WITH f AS (
  UPDATE carcosa.file
  SET ${['state = $2', 'updated_at = now()', ...sets, ends && endLeaseSql, gone && releasing].filter(Boolean).join(', ')}
  WHERE id = $1 AND state = ANY($3::text[])${fenced ? ` AND ${fenceSql(fence)}` : ''}
  RETURNING id, project_id, owner_id, "offset", store_memo, claimed_until, released
), ${insertEvents(4)}${alsoSql(also, columns.length + 5)}${gone ? `, ${releaseSql}` : ''}
SELECT "offset", store_memo FROM f`,
  }
  transitionStatements.set(key, statement)
  return statement
}

/** The CTEs of `also`, whose values are the parameters from `$first` on. */
function alsoSql(also: TransitionShape['also'], first: number): string {
  let parameter = first
  return also
    .map((one, i) => {
      const name = `$${parameter}`
      if (hasValue(one)) parameter++
      return `, also${i} AS (${one.sql.replaceAll('$value', () => name)})`
    })
    .join('\n')
}

function hasValue({ value }: { value?: string | null }): boolean {
  return value !== undefined
}

function setColumn(column: string, value: string): string {
  // An acknowledged offset never goes back, whoever writes last (promise P1).
  if (column === 'offset') return `"offset" = greatest("offset", ${value})`
  return `${column} = ${value}`
}
