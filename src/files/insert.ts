import { isUniqueViolation } from '../db/errors.ts'
import type { NewEvent } from '../events/event.ts'
import { countSql, roomSql } from '../usage/reserve.ts'
import { fromNow } from './fence.ts'
import { insertTagsSql, isLabelled } from './labels.ts'
import { type FileRecord, type NewFile, newRecord } from './record.ts'
import type { Executor } from './records.ts'
import { encode, toJson } from './row.ts'
import { insertColumns, insertEvents, labelColumns } from './statement-parts.ts'

/** How rows of `carcosa.file` begin empty; those of files that came whole: see insert-stored.ts. */

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

/** Of those that are counted the second one must leave nothing behind, so it fails. */
export function nothingIfSecond(error: unknown, counted: boolean): [] {
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
