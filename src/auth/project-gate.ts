import type { Channel } from '../channel/channel.ts'
import type { Database, Statement } from '../db/database.ts'
import { CarcosaError } from '../shared/errors.ts'
import { isProjectId } from '../shared/ids.ts'
import { createRowCache } from './row-cache.ts'

/** On `carcosa.project` of the channel: the id of a project that was changed. */
export const projectTopic = 'project'

/** What a project allows, where that is less than the server does. */
export interface ProjectSettings {
  /** Routes on which uploads may begin; null for all. */
  readonly allowedRoutes: readonly string[] | null
  /** Whether routes that are public are so in this project, too. */
  readonly publicUploads: boolean
  /** How long its events are kept, in ms; null for as long as the server keeps them. */
  readonly eventRetention: number | null
}

/** What a project is that nobody has changed. */
export const defaultSettings: ProjectSettings = Object.freeze({
  allowedRoutes: null,
  publicUploads: true,
  eventRetention: null,
})

/** What a request into a project is judged by. */
export interface GateRow {
  readonly id: string
  readonly isDeleted: boolean
  readonly settings: ProjectSettings
}

/**
 * Whether projects are open, and for what. Asked after `can()` has decided: who may not know of
 * a project is not told that it was deleted either.
 */
export interface ProjectGate {
  /** @throws {CarcosaError} PROJECT_NOT_FOUND, PROJECT_DELETED */
  require(id: string): Promise<ProjectSettings>
  /**
   * Whether an upload may begin on a route of it.
   * @throws {CarcosaError} ROUTE_DISABLED, and what require throws
   */
  requireRoute(id: string, route: string): Promise<ProjectSettings>
  isDeleted(id: string): Promise<boolean>
}

/** At most one query for each project in five seconds. A change is heard at once. */
export function createProjectGate(
  db: Pick<Database, 'query'>,
  channel: Pick<Channel, 'on' | 'onGap'>,
): ProjectGate {
  const cache = createRowCache<GateRow>({
    channel,
    topics: [projectTopic],
    isAbout: ({ id }, changed) => id === changed,
  })
  const find = async (id: string) =>
    isProjectId(id) ? cache.get(id, () => load(db, id)) : null

  const gate: ProjectGate = {
    async require(id) {
      const row = await find(id)
      if (row === null) throw noProject(id)
      if (row.isDeleted) throw projectDeleted()
      return row.settings
    },
    async requireRoute(id, route) {
      const settings = await gate.require(id)
      if (settings.allowedRoutes?.includes(route) ?? true) return settings
      throw new CarcosaError('ROUTE_DISABLED', {
        message: `The project takes no uploads on the route "${route}".`,
        details: { allowed: settings.allowedRoutes },
      })
    },
    isDeleted: async (id) => (await find(id))?.isDeleted ?? false,
  }
  return gate
}

/** Settings as they are kept: what was never set is as it is by default. */
export function readSettings(kept: unknown): ProjectSettings {
  // Only our own code writes the column, with settings that were checked.
  return { ...defaultSettings, ...(kept as Partial<ProjectSettings>) }
}

export function noProject(id: string): CarcosaError {
  return new CarcosaError('PROJECT_NOT_FOUND', {
    message: `There is no project ${JSON.stringify(String(id).slice(0, 64))}.`,
  })
}

export function projectDeleted(): CarcosaError {
  return new CarcosaError('PROJECT_DELETED', {
    message: 'The project was deleted. Within its grace period it can be restored.',
  })
}

async function load(db: Pick<Database, 'query'>, id: string): Promise<GateRow | null> {
  const [row] = await db.query<{ deletedAt: Date | null; settings: unknown }>(
    gateStatement,
    [id],
  )
  if (!row) return null
  return { id, isDeleted: row.deletedAt !== null, settings: readSettings(row.settings) }
}

const gateStatement: Statement = {
  name: 'project_gate',
  sql: `SELECT deleted_at AS "deletedAt", settings FROM carcosa.project WHERE id = $1`,
}
