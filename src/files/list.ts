import type { Reach } from '../auth/permissions.ts'
import type { Database } from '../db/database.ts'
import { CarcosaError } from '../shared/errors.ts'
import { listSql } from './list-sql.ts'
import { type FileRecord, type FileState, fileStates, readableStates } from './record.ts'
import { type Row, storable, toRecord } from './row.ts'

/**
 * Which files are listed. Each of these is found by an index however many files there are; of
 * several together one is, and the others are looked for among what it finds.
 */
export interface FileFilters {
  /** Default: the default project. */
  projectId?: string
  /** Files of this route only. */
  route?: string
  /** Files of this owner only. */
  ownerId?: string
  /** Files in one of these states. Default: what can be read (stored, processing, ready). */
  states?: readonly FileState[]
  /** The type it is served as: `image/png`, or `image/*`. */
  type?: string
  /** Files with this tag. */
  tag?: string
  /**
   * Files whose name begins with this, case by case; 1 to 200 characters. They are listed in the
   * order of their names (of the first 200 characters) instead of newest first.
   */
  prefix?: string
  /** The file with this custom id. */
  customId?: string
  createdAfter?: Date
  createdBefore?: Date
  /** What of it somebody may see, from `access.reach`. Default all. */
  within?: Pick<Reach, 'ownerId' | 'routes'>
}

export interface ListOptions extends FileFilters {
  /** Files per page, 1 to 500. Default 50. */
  limit?: number
  /** `nextCursor` of the page before, asked for with the same filters. */
  cursor?: string
}

export interface FileList {
  files: FileRecord[]
  /** Give it to the next call; null on the last page. */
  nextCursor: string | null
}

/**
 * Newest first, or by name with `prefix`. The cursor names the last file seen, not a page number:
 * files that come or go in between neither repeat nor hide others.
 *
 * @throws {CarcosaError} CURSOR_INVALID, BAD_REQUEST for a limit, filter, time or state that
 *   cannot be
 */
export async function listFiles(
  db: Database,
  defaultProject: string,
  options: ListOptions,
): Promise<FileList> {
  const { limit = 50, cursor } = options
  assertSensible(options, limit)
  const byName = options.prefix !== undefined
  const after = cursor === undefined ? null : readCursor(cursor, byName)
  const filters = { projectId: defaultProject, ...keepable(options) }
  const states = [...new Set(options.states ?? readableStates)]
  const { sql, values } = listSql({ ...filters, states, after, limit: limit + 1 })
  // Without a name it is planned for these values: a rare one needs another way than a common.
  const { rows } = await db.executeSql(sql, values)
  // The statement asks for the columns of a row.
  const found = (rows as unknown as Row[]).map(toRecord)
  const files = found.slice(0, limit)
  const last = files.at(-1)
  const more = last && found.length > limit
  return { files, nextCursor: more ? writeCursor(last, byName) : null }
}

const texts = [
  'projectId',
  'route',
  'ownerId',
  'type',
  'tag',
  'prefix',
  'customId',
] as const

function keepable(options: ListOptions): FileFilters {
  const given = { ...options }
  for (const name of texts) {
    if (given[name] === undefined) delete given[name]
    else given[name] = storable(given[name])
  }
  if (given.type) given.type = given.type.toLowerCase()
  return given
}

function assertSensible(options: ListOptions, limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > 500) {
    throw bad(`limit is 1 to 500, not ${limit}.`)
  }
  for (const name of texts) {
    const text: unknown = options[name]
    if (text === undefined || typeof text === 'string') continue
    throw bad(`${name} is text, not ${typeof text}.`)
  }
  for (const name of ['createdAfter', 'createdBefore'] as const) {
    const time: unknown = options[name]
    if (time === undefined) continue
    if (!(time instanceof Date) || Number.isNaN(time.getTime())) {
      throw bad(`${name} is a Date, not ${time}.`)
    }
  }
  const { type, prefix } = options
  if (type !== undefined && (type.length > 128 || !typePattern.test(type))) {
    throw bad('type is a media type such as image/png, or image/* for all of its kind.')
  }
  if (prefix === '' || (prefix?.length ?? 0) > 200) {
    throw bad('prefix is the beginning of a name, 1 to 200 characters.')
  }
  const { states = [] } = options
  if (!Array.isArray(states)) throw bad('states is a list of states.')
  const unknown = states.find((state) => !fileStates.includes(state))
  if (unknown !== undefined) {
    throw bad(`There is no state "${unknown}"; states are ${fileStates.join(', ')}.`)
  }
}

const typePattern = /^[^\s/*]+\/(\*|[^\s/*]+)$/

function bad(message: string): CarcosaError {
  return new CarcosaError('BAD_REQUEST', { message })
}

/** Behind which file a page begins. */
export interface Position {
  id: string
  createdAt: Date
  /** What it is sorted by in a list by name. */
  name: string
}

function writeCursor({ createdAt, id, filename }: FileRecord, byName: boolean): string {
  const text = byName
    ? `n.${id}.${sortedName(filename ?? '')}`
    : `${createdAt.getTime()}.${id}`
  return Buffer.from(text).toString('base64url')
}

/** As Postgres counts characters, of which a pair of surrogates is one. */
function sortedName(filename: string): string {
  return [...filename].slice(0, 200).join('')
}

function readCursor(cursor: string, byName: boolean): Position {
  const text = Buffer.from(String(cursor), 'base64url').toString()
  const pattern = byName
    ? /^(n)\.([A-Za-z0-9_-]{16,64})\.([^\0]{1,400})$/su
    : /^(\d{1,15})\.([A-Za-z0-9_-]{16,64})()$/
  const [, time, id, name = ''] = pattern.exec(text) ?? []
  if (time && id) return { id, name, createdAt: new Date(byName ? 0 : Number(time)) }
  throw new CarcosaError('CURSOR_INVALID', {
    message:
      'The cursor was not issued by this server for this list. Start without one, and do not change the filters on the way.',
  })
}
