import { type ProjectSettings, readSettings } from '../auth/project-gate.ts'

/** A tenant: what files, keys and events belong to. Single-tenant users have `default` alone. */
export interface Project {
  readonly id: string
  readonly name: string
  /** Who owns it; null where there are no accounts. */
  readonly organizationId: string | null
  readonly settings: ProjectSettings
  readonly createdAt: Date
  readonly updatedAt: Date
  /** When it was deleted; null if it was not. */
  readonly deletedAt: Date | null
  /** Until when that can be taken back; then it is removed with all it has. */
  readonly deleteAfter: Date | null
}

/** A project as the row `carcosa.project`. */
export type ProjectRow = Omit<Project, 'settings'> & { settings: unknown }

export function describeProject(row: ProjectRow): Project {
  const { id, name, organizationId, createdAt, updatedAt, deletedAt, deleteAfter } = row
  const settings = readSettings(row.settings)
  return {
    ...{ id, name, organizationId, settings },
    ...{ createdAt, updatedAt, deletedAt, deleteAfter },
  }
}

export const projectColumns = `id, name, organization_id AS "organizationId", settings,
  created_at AS "createdAt", updated_at AS "updatedAt", deleted_at AS "deletedAt",
  delete_after AS "deleteAfter"`
