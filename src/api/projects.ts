import { noOrganization, tellMembers } from '../accounts/members.ts'
import { noProject, projectDeleted } from '../auth/project-gate.ts'
import { isForeignKeyViolation } from '../db/errors.ts'
import { changeProject, reopenProject, shutProject } from '../projects/change-project.ts'
import {
  checkName,
  checkSettings,
  type SettingsChange,
} from '../projects/check-project.ts'
import { describeProject, type Project, type ProjectRow } from '../projects/project.ts'
import { CarcosaError } from '../shared/errors.ts'
import { isProjectId, newId } from '../shared/ids.ts'
import { newestFirst, olderThan, type PageOptions, readPage } from '../shared/page.ts'
import type { ApiDeps } from './deps.ts'

export interface NewProject {
  /** What people call it: text of 1 to 200 characters. */
  name: string
  /** Who owns it. Default nobody but the program. */
  organizationId?: string | null
  settings?: SettingsChange
}

export interface ProjectChanges {
  name?: string
  settings?: SettingsChange
}

export interface ProjectListOptions extends PageOptions {
  /** Projects of this organization only; null for those of none. */
  organizationId?: string | null
  /** Those of organizations that this user is a member of, and the project `projectId`. */
  visibleTo?: { userId: string; projectId?: string }
  /** Whether deleted ones that can be restored are listed too. Default false. */
  deleted?: boolean
}

export interface ProjectList {
  projects: Project[]
  /** Give it to the next call; null on the last page. */
  nextCursor: string | null
}

/** The projects of a Carcosa. A program that serves one tenant has `default` and needs none of this. */
export interface ProjectsApi {
  /** @throws {CarcosaError} BAD_REQUEST, ORGANIZATION_NOT_FOUND */
  create(project: NewProject): Promise<Project>
  /** Deleted ones too, until they are removed. Null if there is none. */
  get(id: string): Promise<Project | null>
  /** Newest first, in pages. @throws {CarcosaError} CURSOR_INVALID, BAD_REQUEST */
  list(options?: ProjectListOptions): Promise<ProjectList>
  /**
   * Changes its name, and of its settings those that are named.
   * @param condition.ifUpdatedAt change it only if it was changed last at that time
   * @throws {CarcosaError} PROJECT_NOT_FOUND, PROJECT_DELETED, PRECONDITION_FAILED, BAD_REQUEST
   */
  update(
    id: string,
    changes: ProjectChanges,
    condition?: { ifUpdatedAt?: Date },
  ): Promise<Project>
  /**
   * Ends its keys and everything that is done in it, at once. After `projectGrace` a job removes
   * its files and all else it has. Done again, it changes nothing.
   * @throws {CarcosaError} PROJECT_NOT_FOUND, PROJECT_PROTECTED for the default project
   */
  delete(id: string): Promise<Project>
  /**
   * Takes its deletion back, but for the keys: they stay revoked.
   * @throws {CarcosaError} PROJECT_NOT_FOUND, PROJECT_DELETED after its grace period
   */
  restore(id: string): Promise<Project>
  /**
   * Gives it to another organization, or to none, by a job that comes within seconds. Its keys end
   * with that.
   * @throws {CarcosaError} PROJECT_NOT_FOUND, PROJECT_DELETED, ORGANIZATION_NOT_FOUND
   */
  transfer(id: string, organizationId: string | null): Promise<void>
}

export function createProjectsApi({ uploads, run }: ApiDeps): ProjectsApi {
  const { db, jobs, settings, routes } = uploads
  // Sessions are told anew which projects there are.
  const changed = () => tellMembers(uploads.channel, ['*'])
  const rules = { routes, eventRetention: settings.eventRetention }

  async function find(id: string): Promise<ProjectRow> {
    const row = isProjectId(id)
      ? await db.prisma.project.findUnique({ where: { id } })
      : null
    if (!row) throw noProject(id)
    return row
  }

  /** Why there is nothing to change. */
  const missing = async (id: string) => {
    const row = await find(id)
    return row.deletedAt ? projectDeleted() : new CarcosaError('PRECONDITION_FAILED')
  }

  return {
    create: (project) =>
      run(async () => {
        const { organizationId = null } = project
        await requireOrganization(organizationId)
        const data = {
          id: `prj_${newId()}`,
          name: checkName(project.name),
          organizationId,
          settings: { ...checkSettings(project.settings ?? {}, rules) },
        }
        const row = await db.prisma.project.create({ data }).catch((error) => {
          throw isForeignKeyViolation(error)
            ? noOrganization(String(organizationId))
            : error
        })
        changed()
        return describeProject(row)
      }),
    get: (id) =>
      run(async () => {
        if (!isProjectId(id)) return null
        const row = await db.prisma.project.findUnique({ where: { id } })
        return row && describeProject(row)
      }),
    list: ({ organizationId, visibleTo, deleted = false, ...page } = {}) =>
      run(async () => {
        const { rows, nextCursor } = await readPage(page, ({ after, take }) =>
          db.prisma.project.findMany({
            where: {
              ...(organizationId !== undefined && { organizationId }),
              ...(!deleted && { deletedAt: null }),
              AND: [olderThan(after), visibleTo ? visible(visibleTo) : {}],
            },
            orderBy: newestFirst,
            take,
          }),
        )
        return { projects: rows.map(describeProject), nextCursor }
      }),
    update: (id, { name, settings: wanted = {} }, { ifUpdatedAt } = {}) =>
      run(async () => {
        const change = {
          name: name === undefined ? null : checkName(name),
          settings: checkSettings(wanted, rules),
          ifUpdatedAt: ifUpdatedAt ?? null,
        }
        const row = isProjectId(id) ? await changeProject(uploads, id, change) : null
        if (!row) throw await missing(id)
        return describeProject(row)
      }),
    delete: (id) =>
      run(async () => {
        if (id === settings.projectId) throw new CarcosaError('PROJECT_PROTECTED')
        const before = await find(id)
        const row = await shutProject(uploads, id, settings.projectGrace)
        changed()
        return describeProject(row ?? before)
      }),
    restore: (id) =>
      run(async () => {
        const row = await reopenProject(uploads, await find(id))
        changed()
        return describeProject(row)
      }),
    transfer: (id, organizationId) =>
      run(async () => {
        const { organizationId: from, deletedAt } = await find(id)
        if (deletedAt) throw projectDeleted()
        await requireOrganization(organizationId)
        const transfer = { projectId: id, from, to: organizationId }
        await jobs.enqueue(null, 'project.transfer', transfer)
      }),
  }

  async function requireOrganization(id: string | null): Promise<void> {
    if (id === null) return
    const found = isProjectId(id)
      ? await db.prisma.organization.findUnique({ where: { id }, select: { id: true } })
      : null
    if (!found) throw noOrganization(id)
  }
}

function visible({ userId, projectId }: { userId: string; projectId?: string }) {
  const asMember = { organization: { members: { some: { userId } } } }
  return { OR: [asMember, ...(projectId === undefined ? [] : [{ id: projectId }])] }
}
