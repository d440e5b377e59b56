import type { Statement } from '../db/database.ts'
import { countSql, roomSql } from '../usage/reserve.ts'
import { nothingIfSecond } from './insert.ts'
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

/**
 * The rows of files whose bytes are in their store already, with their events and jobs: what
 * insertFile and transition would do, in one step.
 */

export interface Arrival extends Pick<Transition, 'changes' | 'events' | 'also'> {
  to: FileState
  /** As of Insertion. */
  counted?: boolean
}

/** Inserts the row of one file. Null as of insertFile. */
export async function insertStored(
  db: Executor,
  file: NewFile,
  arrival: Arrival,
): Promise<FileRecord | null> {
  const { to, events = [], also = [], counted = false } = arrival
  const columns = columnsOf(file, arrival)
  const values = valuesOf(file, arrival)
  const statement = statementFor({ columns, also, counted })
  const parameters = [
    ...columns.map(([property]) => encode(property, values[property])),
    to,
    toJson(events),
    ...also.filter(hasValue).map(({ value }) => value),
  ]
  const [row] = await db
    .query<{ created_at: Date }>(statement, parameters)
    .catch((error) => nothingIfSecond(error, counted))
  return row ? recordOf({ file, arrival }, row.created_at) : null
}

/** A file and what it has become. */
export interface Arrived {
  file: NewFile
  arrival: Arrival
}

/**
 * What those have in common whose rows one statement can insert; null for a file whose row has to
 * be inserted alone, because it is counted or has labels.
 */
export function shapeOf({ file, arrival }: Arrived): string | null {
  if (arrival.counted || isLabelled(file)) return null
  return nameOf({ columns: columnsOf(file, arrival), also: arrival.also ?? [] })
}

/**
 * Inserts the rows of files of one shape, all of them or none; null in the place of one whose ticket's
 * place in its batch is taken.
 */
export async function insertAllStored(
  db: Executor,
  arrived: readonly Arrived[],
): Promise<(FileRecord | null)[]> {
  const [first] = arrived
  if (!first) return []
  const columns = columnsOf(first.file, first.arrival)
  const statement = statementForAll({ columns, also: first.arrival.also ?? [] })
  const rows = await db.query<{ id: string; created_at: Date }>(statement, [
    `[${arrived.map((one) => jsonOf(columns, one)).join()}]`,
  ])
  const inserted = new Map(rows.map((row) => [row.id, row.created_at]))
  return arrived.map((one) => {
    const createdAt = inserted.get(one.file.id)
    return createdAt ? recordOf(one, createdAt) : null
  })
}

function recordOf({ file, arrival }: Arrived, createdAt: Date): FileRecord {
  const { changes, to } = arrival
  return { ...newRecord(file, createdAt), expiresAt: null, ...changes, state: to }
}

function valuesOf(file: NewFile, { changes }: Arrival): Partial<FileRecord> {
  return { tags: [], pinned: [], ...file, expiresAt: null, ...changes }
}

type ArrivalColumn = Column<keyof NewFile | keyof FileChanges>

/** What a file is created with and what it has become since, each column once. */
function columnsOf(file: NewFile, { changes = {} }: Arrival): readonly ArrivalColumn[] {
  const later = changeableColumns.filter(([property]) => property in changes)
  const first = insertColumns.filter(([property]) => !(property in changes))
  return [...first, ...later, ...(isLabelled(file) ? labelColumns : [])]
}

interface Shape {
  columns: readonly ArrivalColumn[]
  also: readonly Also[]
}

function nameOf({ columns, also }: Shape): string {
  const jobs = also.map((one) => `${one.name}${hasValue(one) ? '=' : ''}`)
  return [...columns.map(([, column]) => column), ...jobs].join(' ')
}

/** One prepared statement per set of jobs; there are a handful. */
const statements = new Map<string, Statement>()

function remembered(key: string, sql: () => string): Statement {
  const known = statements.get(key)
  if (known) return known
  const statement = { name: `file_insert_stored_${statements.size}`, sql: sql() }
  statements.set(key, statement)
  return statement
}

function statementFor(shape: Shape & { counted: boolean }): Statement {
  const { columns, also, counted } = shape
  return remembered(`${nameOf(shape)}${counted ? ' counted' : ''}`, () => {
    const state = columns.length + 1
    const tags = columns.findIndex(([property]) => property === 'tags') + 1
    return `WITH ${counted ? countedSql(columns) : plainSql(columns)},
${insertEvents(state + 1)}${tags ? `, ${insertTagsSql(tags)}` : ''}${alsoSql(also, state + 2)}
SELECT created_at FROM f`
  })
}

function plainSql(columns: Shape['columns']): string {
  const { names, values } = partsOf(columns)
  return `f AS (
  INSERT INTO carcosa.file (${names})
  VALUES (${values.join(', ')})
  ON CONFLICT (batch_id, batch_index) DO NOTHING
  RETURNING id, project_id, created_at, claimed_until
)`
}

function countedSql(columns: Shape['columns']): string {
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
function partsOf(columns: Shape['columns']) {
  const names = namesOf(columns)
  const casts = [...columns.map(([, , cast]) => cast), 'text']
  return { names, values: casts.map((cast, i) => `$${i + 1}::${cast}`) }
}

function namesOf(columns: Shape['columns']): string {
  return [...columns.map(([, column]) => `"${column}"`), 'state'].join(', ')
}

/**
 * The rows come as JSON, which is one parameter however many they are. Sorted, so that two
 * statements about the same batches never wait for each other.
 */
function statementForAll(shape: Shape): Statement {
  const { columns, also } = shape
  return remembered(`${nameOf(shape)} all`, () => {
    const fields = columns.map(([, column, cast]) => `"${column}" ${cast}`)
    const values = also.map((_, i) => `also${i} text`)
    const jobs = also.map(({ name, sql }, i) => {
      const value = `(SELECT r.also${i} FROM r WHERE r.id = f.id)`
      return { name, sql: sql.replaceAll('$value', () => value) }
    })
    return `WITH r AS (
  SELECT * FROM jsonb_to_recordset($1::jsonb)
    AS r(${[...fields, 'state text', 'events jsonb', ...values].join(', ')})
), f AS (
  INSERT INTO carcosa.file (${namesOf(columns)})
  SELECT ${namesOf(columns)} FROM r ORDER BY batch_id, batch_index
  ON CONFLICT (batch_id, batch_index) DO NOTHING
  RETURNING id, project_id, created_at, claimed_until
), e AS (
  INSERT INTO carcosa.event (project_id, file_id, type, data)
  SELECT f.project_id, f.id, x.type, x.data
  FROM f JOIN r USING (id), ROWS FROM (
    jsonb_to_recordset(r.events) AS (type text, data jsonb)
  ) WITH ORDINALITY AS x(type, data, place)
  ORDER BY f.id, x.place
)${alsoSql(jobs, 2)}
SELECT id, created_at FROM f`
  })
}

/** A row for that statement. */
function jsonOf(columns: Shape['columns'], { file, arrival }: Arrived): string {
  const { to, events = [], also = [] } = arrival
  const values = valuesOf(file, arrival)
  const fields = columns.map(([property, column, cast]) => {
    const value = encode(property, values[property])
    return `"${column}":${cast === 'jsonb' ? (value ?? 'null') : JSON.stringify(value)}`
  })
  const added = also.map(({ value }, i) => `"also${i}":${JSON.stringify(value ?? null)}`)
  const rest = [`"state":${JSON.stringify(to)}`, `"events":${toJson(events)}`, ...added]
  return `{${[...fields, ...rest].join()}}`
}
