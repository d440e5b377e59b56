import type { FileChanges, NewFile } from './record.ts'

/**
 * What the statements that write `carcosa.file` are made of: see insert.ts and transition.ts.
 * Column lists are written once, as [property, column, cast].
 */

export type Column<P> = readonly [property: P, column: string, cast: string]

export const insertColumns: readonly Column<keyof NewFile>[] = [
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

export const labelColumns: readonly Column<'customId' | 'tags' | 'pinned'>[] = [
  ['customId', 'custom_id', 'text'],
  ['tags', 'tags', 'text[]'],
  ['pinned', 'pinned', 'text[]'],
]

export const changeableColumns: readonly Column<keyof FileChanges>[] = [
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

/**
 * More for a statement, e.g. jobs: SQL that reads the changed row from `f`. The name is part of the
 * statement's. In one that has a `value`, `$value` stands for it.
 */
export interface Also {
  readonly name: string
  readonly sql: string
  readonly value?: string | null
}

/** The CTEs of `also`, whose values are the parameters from `$first` on. */
export function alsoSql(also: readonly Also[], first: number): string {
  let parameter = first
  return also
    .map((one, i) => {
      const name = `$${parameter}`
      if (hasValue(one)) parameter++
      return `, also${i} AS (${one.sql.replaceAll('$value', () => name)})`
    })
    .join('\n')
}

export function hasValue({ value }: Pick<Also, 'value'>): boolean {
  return value !== undefined
}
