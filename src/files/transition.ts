import type { Statement } from '../db/database.ts'
import type { NewEvent } from '../events/event.ts'
import { releaseSql, releasing } from '../usage/reserve.ts'
import { endLeaseSql, type Fence, fenceSql, fenceValues } from './fence.ts'
import type { FileChanges, FileRecord, FileState } from './record.ts'
import type { Executor } from './records.ts'
import { encode, type Row, toJson } from './row.ts'
import {
  type Also,
  alsoSql,
  type Column,
  changeableColumns,
  hasValue,
  insertEvents,
} from './statement-parts.ts'

/** How a file changes its state. */

export interface Transition {
  to: FileState
  from: readonly FileState[]
  changes?: FileChanges
  events?: readonly NewEvent[]
  /** The lease under which this is done; if it was lost, nothing changes. Default: none asked for. */
  fence?: Fence | null
  /** The revision that must still be the current one. Default: any. */
  revision?: number | null
  /** More for the same statement, e.g. jobs. */
  also?: readonly Also[]
}

/**
 * The one way a file changes state: a conditional update on its previous state, together
 * with its events. Returns the record as it is now, or null if the row was in none of the
 * `from` states, not of this revision, or not under this lease: somebody else was first. The offset never decreases.
 * A state in which nothing is written any more ends the lease; one without bytes gives back what
 * the file had reserved of its quota, whether there still is one or not.
 */
export async function transition(
  db: Executor,
  record: FileRecord,
  asked: Transition,
): Promise<FileRecord | null> {
  const { to, from, changes = {}, events = [], also = [] } = asked
  const { fence = null, revision = null } = asked
  const columns = changeableColumns.filter(([property]) => property in changes)
  const gone = goneStates.includes(to)
  const conditions = { fenced: fence !== null, revised: revision !== null }
  const shape = { columns, also, ...conditions, ends: to !== 'receiving', gone }
  const rows = await db.query<Pick<Row, 'offset' | 'store_memo'>>(
    transitionStatement(shape),
    [
      record.id,
      to,
      from,
      toJson(events),
      ...columns.map(([property]) => encode(property, changes[property])),
      ...also.filter(hasValue).map(({ value }) => value),
      ...(revision === null ? [] : [revision]),
      ...fenceValues(fence),
    ],
  )
  const [row] = rows
  if (!row) return null
  const { offset, store_memo: storeMemo } = row
  return { ...record, ...changes, state: to, offset: Number(offset), storeMemo }
}

const transitionStatements = new Map<string, Statement>()

interface TransitionShape {
  columns: readonly Column<keyof FileChanges>[]
  also: readonly Also[]
  fenced: boolean
  revised: boolean
  ends: boolean
  gone: boolean
}

/** Those of files that count for no quota any more. */
const goneStates: readonly FileState[] = ['removed', 'expired', 'rejected', 'failed']

/** One prepared statement per set of changed columns and jobs; there are about a dozen. */
function transitionStatement(shape: TransitionShape): Statement {
  const { columns, also, fenced, revised, ends, gone } = shape
  const names = [...columns.map(([, column]) => column), ...also.map(({ name }) => name)]
  const flags = { fenced, revised, ends, gone }
  const key = `${names.join(' ')} ${Object.values(flags).map(Number).join('')}`
  const known = transitionStatements.get(key)
  if (known) return known
  const sets = columns.map(([, column, cast], i) =>
    setColumn(column, `$${i + 5}::${cast}`),
  )
  const condition = columns.length + 5 + also.filter(hasValue).length
  const where = [
    'id = $1 AND state = ANY($3::text[])',
    revised && `revision = $${condition}::int4`,
    fenced && fenceSql(condition + Number(revised)),
  ]
  const statement = {
    // Postgres truncates names to 63 bytes, so the shape itself cannot be the name.
    name: `file_transition_${transitionStatements.size}`,
    sql: `WITH f AS (
  UPDATE carcosa.file
  SET ${['state = $2', 'updated_at = now()', ...sets, ends && endLeaseSql, gone && releasing].filter(Boolean).join(', ')}
  WHERE ${where.filter(Boolean).join(' AND ')}
  RETURNING id, project_id, owner_id, "offset", store_memo, claimed_until, released
), ${insertEvents(4)}${alsoSql(also, columns.length + 5)}${gone ? `, ${releaseSql}` : ''}
SELECT "offset", store_memo FROM f`,
  }
  transitionStatements.set(key, statement)
  return statement
}

function setColumn(column: string, value: string): string {
  // An acknowledged offset never goes back, whoever writes last (promise P1).
  if (column === 'offset') return `"offset" = greatest("offset", ${value})`
  return `${column} = ${value}`
}
