import type { Statement } from '../db/database.ts'
import { isUniqueViolation } from '../db/errors.ts'
import type { NewEvent } from '../events/event.ts'
import { countSql, roomSql } from '../usage/reserve.ts'
import { claimIdSql } from './copies.ts'
import type { FileRecord } from './record.ts'
import type { Executor } from './records.ts'
import { encode, toJson } from './row.ts'
import { insertEvents } from './statement-parts.ts'

/** Rows for objects that were in a store before Carcosa knew of them. */

/** What is found out about an object; it is `ready` from the beginning. */
export type AdoptedFile = Pick<
  FileRecord,
  | 'id'
  | 'projectId'
  | 'ownerId'
  | 'route'
  | 'filename'
  | 'declaredType'
  | 'detectedType'
  | 'contentType'
  | 'contentDisposition'
  | 'acl'
  | 'storeName'
  | 'key'
  | 'createdAt'
> & { readonly size: number }

export interface Adoption {
  file: AdoptedFile
  events: readonly NewEvent[]
  /** Jobs for the same statement: SQL that reads the new row from `f`. */
  jobs: readonly { name: string; sql: string }[]
  /** Whether its project has a quota, in which it must find room. */
  counted: boolean
}

/**
 * Inserts the row of an object, its events and jobs: one statement. False if the object has a
 * row by now, is a copy, or may become one, or finds no room: then nothing was changed.
 */
export async function adoptFile(
  db: Executor,
  { file, events, jobs, counted }: Adoption,
): Promise<boolean> {
  const values = columns.map(([property]) => encode(property, file[property]))
  const statement = adoptStatement(jobs, counted)
  const rows = await db
    .query(statement, [...values, toJson(events)])
    .catch((error): unknown[] => {
      if (counted && isUniqueViolation(error, 'file_store_name_key_key')) return []
      throw error
    })
  return rows.length > 0
}

/** Those of `keys` that rows know, and those under which somebody is writing a copy. */
export async function findKnownKeys(
  db: Executor,
  storeName: string,
  keys: readonly string[],
): Promise<Set<string>> {
  const rows = await db.query<{ key: string }>(knownStatement, [storeName, keys])
  return new Set(rows.map(({ key }) => key))
}

const columns = [
  ['id', 'id', 'text'],
  ['projectId', 'project_id', 'text'],
  ['ownerId', 'owner_id', 'text'],
  ['route', 'route', 'text'],
  ['filename', 'filename', 'text'],
  ['declaredType', 'declared_type', 'text'],
  ['detectedType', 'detected_type', 'text'],
  ['contentType', 'content_type', 'text'],
  ['contentDisposition', 'content_disposition', 'text'],
  ['acl', 'acl', 'text'],
  ['storeName', 'store_name', 'text'],
  ['key', 'key', 'text'],
  ['createdAt', 'created_at', 'timestamptz'],
  ['size', 'size', 'int8'],
] as const satisfies readonly [keyof AdoptedFile, string, string][]

/** The value of a property in the statement, with its type. */
function value(name: keyof AdoptedFile): string {
  const index = columns.findIndex(([property]) => property === name)
  return `$${index + 1}::${columns[index]?.[2]}`
}

const isCopy = `EXISTS (
    SELECT 1 FROM carcosa.file_copy
    WHERE store_name = ${value('storeName')} AND key = ${value('key')}
  ) OR EXISTS (
    SELECT 1 FROM carcosa.copy_lease
    WHERE place = ${claimIdSql(value('storeName'), value('key'))}
  )`

function adoptStatement(jobs: Adoption['jobs'], counted: boolean): Statement {
  const names = columns.map(([, column]) => column)
  const values = columns.map(([property]) => value(property))
  const also = jobs.map(({ sql }, i) => `, also${i} AS (${sql})`).join('\n')
  const into = `INSERT INTO carcosa.file (${names.join(', ')}, "offset", state, stored_at, ready_at`
  const selected = `SELECT ${values.join(', ')}, ${value('size')}, 'ready', ${value('createdAt')}, ${value('createdAt')}`
  const plain = `f AS (
  ${into})
  ${selected}
  WHERE NOT (${isCopy})
  ON CONFLICT (store_name, key) DO NOTHING
  RETURNING id, project_id
)`
  const reserving = `${roomSql({
    project: value('projectId'),
    owner: value('ownerId'),
    bytes: value('size'),
    unless: isCopy,
  })}, f AS (
  ${into}, reserved)
  ${selected}, ${value('size')} FROM room
  RETURNING id, project_id, reserved
), ${countSql}`
  return {
    name: ['adopt', counted && 'counted', ...jobs.map(({ name }) => name)].join(' '),
    sql: `WITH ${counted ? reserving : plain}, ${insertEvents(columns.length + 1)}${also}
SELECT id FROM f`,
  }
}

const knownStatement: Statement = {
  name: 'file_known_keys',
  sql: `SELECT key FROM unnest($2::text[]) AS given(key)
WHERE EXISTS (SELECT 1 FROM carcosa.file WHERE store_name = $1 AND key = given.key)
  OR EXISTS (SELECT 1 FROM carcosa.file_copy WHERE store_name = $1 AND key = given.key)
  OR EXISTS (
    SELECT 1 FROM carcosa.copy_lease WHERE place = ${claimIdSql('$1', 'given.key')}
  )`,
}
