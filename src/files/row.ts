import type { FileRecord, FileState } from './record.ts'

/** How `carcosa.file` looks on the wire to the database, and the way to and from it. */

const jsonColumns = new Set<string>([
  'input',
  'metadata',
  'serverData',
  'failure',
  'storeMemo',
])

/** A property as its column takes it. */
export function encode(property: string, value: unknown): unknown {
  if (value === undefined || value === null) return null
  if (jsonColumns.has(property)) return toJson(value)
  if (Array.isArray(value)) return value.map((one) => encode('', one))
  return typeof value === 'string' ? storable(value) : value
}

/**
 * JSON that Postgres can keep: jsonb refuses NUL and lone surrogates, which are legal in
 * JavaScript strings and in what clients send. They become U+FFFD.
 */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'string') return storable(part)
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    const keys = Object.keys(part)
    if (keys.every((key) => storable(key) === key)) return part
    return Object.fromEntries(Object.entries(part).map(([k, v]) => [storable(k), v]))
  })
}

/** Text Postgres can keep. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD')
}

/** A row as the drivers give it: int8 as number or string, timestamptz as Date, jsonb parsed. */
export interface Row {
  id: string
  project_id: string
  owner_id: string | null
  route: string
  state: FileState
  filename: string | null
  declared_type: string | null
  detected_type: string | null
  content_type: string | null
  content_disposition: 'inline' | 'attachment'
  acl: 'private' | 'public-read'
  size: number | string | null
  offset: number | string
  store_name: string
  key: string
  store_memo: FileRecord['storeMemo']
  input: unknown
  metadata: unknown
  raw_metadata: string | null
  sha256: string | null
  batch_id: string | null
  batch_index: number | null
  custom_id: string | null
  tags: string[]
  pinned: FileRecord['pinned']
  revision: number
  server_data: unknown
  failure: FileRecord['failure']
  attempts: number
  claimed_until: Date | null
  created_at: Date
  updated_at: Date
  stored_at: Date | null
  ready_at: Date | null
  expires_at: Date | null
  purged_at: Date | null
  purge_after: Date | null
}

const columns = [
  ...['id', 'project_id', 'owner_id', 'route', 'state', 'filename', 'declared_type'],
  ...['detected_type', 'content_type', 'content_disposition', 'acl', 'size', 'offset'],
  ...['store_name', 'key', 'store_memo', 'input', 'metadata', 'raw_metadata', 'sha256'],
  ...['batch_id', 'batch_index', 'server_data', 'failure', 'attempts', 'claimed_until'],
  ...['created_at', 'updated_at', 'stored_at', 'ready_at', 'expires_at', 'purged_at'],
  ...['custom_id', 'tags', 'pinned', 'revision', 'purge_after'],
]

/**
 * The columns of a {@link Row}, for SELECT and RETURNING, of the table called `from`. Never `*`:
 * a statement that is prepared so fails once a newer version has added a column.
 */
export function rowColumns(from?: string): string {
  const prefix = from === undefined ? '' : `${from}.`
  return columns.map((column) => `${prefix}"${column}"`).join(', ')
}

export function toRecord(row: Row): FileRecord {
  return {
    id: row.id,
    projectId: row.project_id,
    ownerId: row.owner_id,
    route: row.route,
    state: row.state,
    filename: row.filename,
    declaredType: row.declared_type,
    detectedType: row.detected_type,
    contentType: row.content_type,
    contentDisposition: row.content_disposition,
    acl: row.acl,
    size: row.size === null ? null : Number(row.size),
    offset: Number(row.offset),
    storeName: row.store_name,
    key: row.key,
    storeMemo: row.store_memo,
    input: row.input,
    metadata: row.metadata,
    rawMetadata: row.raw_metadata,
    sha256: row.sha256,
    batchId: row.batch_id,
    batchIndex: row.batch_index,
    customId: row.custom_id,
    tags: row.tags,
    pinned: row.pinned,
    revision: row.revision,
    serverData: row.server_data,
    failure: row.failure,
    attempts: row.attempts,
    claimedUntil: row.claimed_until,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    storedAt: row.stored_at,
    readyAt: row.ready_at,
    expiresAt: row.expires_at,
    purgedAt: row.purged_at,
    purgeAfter: row.purge_after,
  }
}
