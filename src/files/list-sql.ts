import type { FileFilters, Position } from './list.ts'
import { type FileState, livingStates, readableStates } from './record.ts'
import { rowColumns } from './row.ts'

/**
 * The SQL of a page of files. Every way to find them ends at the page's last file and not at the
 * table's: each reads an index that has its rows in the order of the list, and stops.
 */

export interface Page extends FileFilters {
  projectId: string
  states: readonly FileState[]
  after: Position | null
  limit: number
}

export interface BoundSql {
  sql: string
  values: unknown[]
}

export function listSql(page: Page): BoundSql {
  const values: unknown[] = []
  const bind = (value: unknown, cast: string) => `$${values.push(value)}::${cast}`
  const found = way(page)({ page, bind, ...conditionsOf(page, bind) })
  const order = page.prefix === undefined ? newestFirst('f') : byName('f')
  const sql = `SELECT ${rowColumns('f')} FROM (${found}) f
ORDER BY ${order} LIMIT ${page.limit}`
  return { sql, values }
}

interface Parts {
  page: Page
  bind: Bind
  /** What is asked of every file, of the table called `f`. */
  conditions: string[]
  /** And of their states. */
  states: string
}

type Bind = (value: unknown, cast: string) => string
type Way = (parts: Parts) => string

/** Which index is gone through: the one for what narrows most. */
function way({ states, customId, prefix, tag, type, route, ownerId, within }: Page): Way {
  const isLiving = states.every((state) => livingStates.includes(state))
  if (customId !== undefined && isLiving) return asItIs
  if (!states.every((state) => readableStates.includes(state))) {
    return prefix === undefined ? eachState : asItIs
  }
  if (prefix !== undefined) return asItIs
  if (tag !== undefined) return byTag
  if (type !== undefined) return type.endsWith('/*') ? eachType : asItIs
  if (route !== undefined || ownerId !== undefined) return asItIs
  if (within && within.ownerId !== null) return asItIs
  return within && within.routes !== null ? eachRoute : eachState
}

/** For what one index answers. */
const asItIs: Way = ({ page, conditions, states }) =>
  ordered(page, [states, ...conditions])

/** An index has the files of one state in order; of several their beginnings are merged. */
const eachState: Way = ({ page, conditions }) => {
  const { states } = page
  if (states.length === 0) return ordered(page, ['false', ...conditions])
  return states
    .map((state) => `(${ordered(page, [`f.state = '${state}'`, ...conditions])})`)
    .join(' UNION ALL ')
}

/** The same of the routes that somebody may see. */
const eachRoute: Way = ({ page, bind, conditions, states }) => {
  const routes = page.within?.routes ?? []
  if (routes.length === 0) return ordered(page, ['false', ...conditions])
  return routes
    .map((route) =>
      ordered(page, [`f.route = ${bind(route, 'text')}`, states, ...conditions]),
    )
    .map((branch) => `(${branch})`)
    .join(' UNION ALL ')
}

/** Rows of tags lie in order; a file that has lost its tag meanwhile is passed over. */
const byTag: Way = ({ page, bind, conditions, states }) => {
  const { after, limit, tag, projectId } = page
  const mine = [
    `t.project_id = ${bind(projectId, 'text')}`,
    `t.tag = ${bind(tag, 'text')}`,
  ]
  if (page.createdAfter)
    mine.push(`t.created_at > ${bind(page.createdAfter, 'timestamptz')}`)
  if (page.createdBefore)
    mine.push(`t.created_at < ${bind(page.createdBefore, 'timestamptz')}`)
  if (after) {
    const from = `${bind(after.createdAt, 'timestamptz')}, ${bind(after.id, 'text')}`
    mine.push(`(t.created_at, t.file_id) < (${from})`)
  }
  return `SELECT ${rowColumns('f')} FROM carcosa.file_tag t
JOIN carcosa.file f ON f.id = t.file_id
WHERE ${[...mine, states, ...conditions].join(' AND ')}
ORDER BY t.created_at DESC, t.file_id DESC LIMIT ${limit}`
}

/**
 * All types of a kind lie beside each other, but their files are not in order across them. So
 * the types there are, which are few, are found by going from one to the next, and of each the
 * first files are merged.
 */
const eachType: Way = ({ page, bind, conditions, states }) => {
  const kind = (page.type ?? '').slice(0, -1)
  const next = (above: string) => `SELECT ${typeOf('k')} AS type FROM carcosa.file k
    WHERE k.project_id = ${bind(page.projectId, 'text')}
      AND ${states.replaceAll('f.state', 'k.state')}
      AND ${above} AND ${typeOf('k')} < ${bind(`${kind.slice(0, -1)}0`, 'text')}
    ORDER BY ${typeOf('k')} LIMIT 1`
  const first = next(`${typeOf('k')} >= ${bind(kind, 'text')}`)
  const rest = next(`${typeOf('k')} > types.type`)
  const files = ordered(page, [`${typeOf('f')} = types.type`, states, ...conditions])
  return `WITH RECURSIVE types AS (
  (${first})
  UNION ALL
  SELECT n.type FROM types CROSS JOIN LATERAL (${rest}) n
)
SELECT ${rowColumns('g')} FROM types CROSS JOIN LATERAL (${files}) g`
}

function ordered({ prefix, limit }: Page, where: readonly string[]): string {
  return `SELECT ${rowColumns('f')} FROM carcosa.file f
WHERE ${where.join(' AND ')}
ORDER BY ${prefix === undefined ? newestFirst('f') : byName('f')} LIMIT ${limit}`
}

function conditionsOf(page: Page, bind: Bind): Pick<Parts, 'conditions' | 'states'> {
  const { after, prefix, type } = page
  const conditions = [`f.project_id = ${bind(page.projectId, 'text')}`]
  const equal = (column: string, value: string | undefined) => {
    if (value !== undefined) conditions.push(`f.${column} = ${bind(value, 'text')}`)
  }
  equal('route', page.route)
  equal('owner_id', page.ownerId)
  equal('custom_id', page.customId)
  equal('owner_id', page.within?.ownerId ?? undefined)
  if (page.within?.routes)
    conditions.push(`f.route = ANY(${bind([...page.within.routes], 'text[]')})`)
  if (page.tag !== undefined) conditions.push(`${bind(page.tag, 'text')} = ANY(f.tags)`)
  if (type !== undefined) conditions.push(typeCondition(type, bind))
  if (prefix !== undefined) conditions.push(...prefixConditions(prefix, bind))
  if (page.createdAfter)
    conditions.push(`f.created_at > ${bind(page.createdAfter, 'timestamptz')}`)
  if (page.createdBefore)
    conditions.push(`f.created_at < ${bind(page.createdBefore, 'timestamptz')}`)
  if (after && prefix !== undefined)
    conditions.push(
      `(${nameOf('f')}, f.id) > (${bind(after.name, 'text')}, ${bind(after.id, 'text')})`,
    )
  if (after && prefix === undefined)
    conditions.push(
      `(f.created_at, f.id) < (${bind(after.createdAt, 'timestamptz')}, ${bind(after.id, 'text')})`,
    )
  return { conditions, states: statesSql(page.states) }
}

/** Written out, since an index of some states serves only who says which are meant. */
function statesSql(states: readonly FileState[]): string {
  if (states.length === 0) return 'false'
  return `f.state IN (${states.map((state) => `'${state}'`).join(', ')})`
}

function typeCondition(type: string, bind: Bind): string {
  if (!type.endsWith('/*')) return `${typeOf('f')} = ${bind(type, 'text')}`
  const kind = type.slice(0, -1)
  return `${typeOf('f')} >= ${bind(kind, 'text')} AND ${typeOf('f')} < ${bind(`${kind.slice(0, -1)}0`, 'text')}`
}

/** By code point, as the index has them: whatever follows the prefix comes before its successor. */
function prefixConditions(prefix: string, bind: Bind): string[] {
  const end = successor(prefix)
  return [
    `${nameOf('f')} >= ${bind(prefix, 'text')}`,
    ...(end === null ? [] : [`${nameOf('f')} < ${bind(end, 'text')}`]),
  ]
}

/** The least text that comes after all that begin with `prefix`; null if there is none. */
export function successor(prefix: string): string | null {
  const points = Array.from(prefix, (one) => one.codePointAt(0) ?? 0)
  while (points.at(-1) === 0x10ffff) points.pop()
  const last = points.pop()
  if (last === undefined) return null
  // What lies between the two are halves of pairs, which are no text.
  points.push(last === 0xd7ff ? 0xe000 : last + 1)
  return String.fromCodePoint(...points)
}

const newestFirst = (table: string) => `${table}.created_at DESC, ${table}.id DESC`
const byName = (table: string) => `${nameOf(table)}, ${table}.id`

// As the indexes of the migration `files` have them.
const nameOf = (table: string) => `left(${table}.filename, 200) COLLATE "C"`
const typeOf = (table: string) => `left(${table}.content_type, 128) COLLATE "C"`
