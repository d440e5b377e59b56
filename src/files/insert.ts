import type { Statement } from '../db/database.ts'
import { isUniqueViolation } from '../db/errors.ts'
import type { NewEvent } from '../events/event.ts'
import { countSql, roomSql } from '../usage/reserve.ts'
import { fromNow } from './fence.ts'
import { insertTagsSql, isLabelled } from './labels.ts'
import {
  type FileChanges,
  type FileRecord,
  type FileState,
  type NewFile,
  newRecord,
} from './record.ts'
import type { Executor } from './records.ts'
import { encode, toJson } from './row.ts'
import {
  type Also,
  alsoSql,
  type Column,
  changeableColumns,
  hasValue,
  insertColumns,
  insertEvents,
  labelColumns,
} from './statement-parts.ts'
import type { Transition } from './transition.ts'

/** How rows of `carcosa.file` begin: empty, or as those of files that are stored already. */

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
    .catch((error) => nothingIfSecond(error, counted))
  return row ? newRecord(file, row.created_at) : null
}

export interface Arrival extends Pick<Transition, 'changes' | 'events' | 'also'> {
  to: FileState
  /** As of {@link Insertion}. */
  counted?: boolean
}

/**
 * Inserts the row of a file whose bytes are in its store already, with its events and jobs: what
 * {@link insertFile} and {@link transition} would do, in one step. Null as of insertFile.
 */
export async function insertStored(
  db: Executor,
  file: NewFile,
  { to, changes = {}, events = [], also = [], counted = false }: Arrival,
): Promise<FileRecord | null> {
  const columns = changeableColumns.filter(([property]) => property in changes)
  const none = { tags: [], pinned: [] }
  const values: Partial<FileRecord> = { ...none, ...file, expiresAt: null, ...changes }
  const inserted = arrivalColumns(columns, isLabelled(file))
  const statement = arrivalStatement({ columns: inserted, also, counted })
  const parameters = [
    ...inserted.map(([property]) => encode(property, values[property])),
    to,
    toJson(events),
    ...also.filter(hasValue).map(({ value }) => value),
  ]
  const [row] = await db
    .query<{ created_at: Date }>(statement, parameters)
    .catch((error) => nothingIfSecond(error, counted))
  if (!row) return null
  return { ...newRecord(file, row.created_at), expiresAt: null, ...changes, state: to }
}

/** Of those that are counted the second one must leave nothing behind, so it fails. */
function nothingIfSecond(error: unknown, counted: boolean): [] {
  if (counted && isUniqueViolation(error, 'file_batch_id_batch_index_key')) return []
  throw error
}

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

const arrivalStatements = new Map<string, Statement>()

/** What a file is created with and what it has become since, each column once. */
function arrivalColumns(
  columns: readonly Column<keyof FileChanges>[],
  labelled: boolean,
): readonly ArrivalColumn[] {
  const later = new Set<string>(columns.map(([property]) => property))
  const first = insertColumns.filter(([property]) => !later.has(property))
  return [...first, ...columns, ...(labelled ? labelColumns : [])]
}

type ArrivalColumn = Column<keyof NewFile | keyof FileChanges>

interface ArrivalShape {
  columns: readonly ArrivalColumn[]
  also: readonly Also[]
  counted: boolean
}

/** One prepared statement per set of jobs; there are a handful. */
function arrivalStatement(shape: ArrivalShape): Statement {
  const { columns, also, counted } = shape
  const names = [...columns.map(([, column]) => column), ...also.map(({ name }) => name)]
  const key = [...names, counted && 'counted'].join(' ')
  const known = arrivalStatements.get(key)
  if (known) return known
  const state = columns.length + 1
  const tags = columns.findIndex(([property]) => property === 'tags') + 1
  const statement = {
    name: `file_insert_stored_${arrivalStatements.size}`,
    sql: `WITH ${counted ? countedArrivalSql(columns) : arrivalSql(columns)},
${insertEvents(state + 1)}${tags ? `, ${insertTagsSql(tags)}` : ''}${alsoSql(also, state + 2)}
SELECT created_at FROM f`,
  }
  arrivalStatements.set(key, statement)
  return statement
}

function arrivalSql(columns: ArrivalShape['columns']): string {
  const { names, values } = partsOf(columns)
  return `f AS (
  INSERT INTO carcosa.file (${names})
  VALUES (${values.join(', ')})
  ON CONFLICT (batch_id, batch_index) DO NOTHING
  RETURNING id, project_id, created_at, claimed_until
)`
}

function countedArrivalSql(columns: ArrivalShape['columns']): string {
  const { names, values } = partsOf(columns)
  const valueFor = (name: ArrivalColumn[0]) =>
    values[columns.findIndex(([property]) => property === name)] ?? 'NULL'
  const bytes = `coalesce(${valueFor('size')}, 0)`
  const asked = { project: valueFor('projectId'), owner: valueFor('ownerId'), bytes }
  return `${roomSql(asked)}, f AS (
  INSERT INTO carcosa.file (${names}, reserved)
  SELECT ${values.join(', ')}, ${bytes} FROM room
  RETURNING id, project_id, created_at, claimed_until, reserved
), ${countSql}`
}

/** All columns, and their parameters; the state is the last. */
function partsOf(columns: ArrivalShape['columns']) {
  const names = [...columns.map(([, column]) => `"${column}"`), 'state'].join(', ')
  const casts = [...columns.map(([, , cast]) => cast), 'text']
  return { names, values: casts.map((cast, i) => `$${i + 1}::${cast}`) }
}
