import { z } from '@hono/zod-openapi'
import type { Project } from '../../projects/project.ts'
import { known } from '../rest/asks.ts'
import { inOrganization, ofProject, standingIn } from '../rest/asks-organization.ts'
import { type Operation, operation } from '../rest/operation.ts'
import { flag, iso, page, pageQuery, text, time } from '../rest/schemas.ts'

const Settings = z
  .object({
    allowedRoutes: z.array(z.string()).nullable(),
    publicUploads: z.boolean(),
    eventRetention: z.int().nullable(),
  })
  .openapi('ProjectSettings')

const SettingsChange = z
  .strictObject({
    allowedRoutes: z.array(text(256)).max(1_000).nullable().openapi({
      description: 'Routes on which uploads may begin; null for all.',
    }),
    publicUploads: z.boolean().nullable().openapi({
      description: 'Whether public routes are so in this project, too. Default true.',
    }),
    eventRetention: z.int().min(1).nullable().openapi({
      description:
        'Milliseconds that its events are kept, at most as long as the server keeps them; null for just that.',
    }),
  })
  .partial()
  .openapi('ProjectSettingsChange', {
    description: 'What is not named stays as it is; null is the default again.',
  })

const ProjectSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    organizationId: z.string().nullable(),
    settings: Settings,
    createdAt: time,
    updatedAt: time,
    deletedAt: time.nullable(),
    deleteAfter: time.nullable().openapi({
      description: 'Until when a deletion can be taken back.',
    }),
  })
  .openapi('Project')

const project = { schema: ProjectSchema, show }

const query = {
  deleted: flag.openapi({ description: 'Whether deleted ones are listed too.' }),
  ...pageQuery,
}

/** Tenants: what files, keys and events belong to. */
export const projects: readonly Operation[] = [
  operation({
    id: 'listProjects',
    method: 'get',
    path: '/projects',
    tag: 'Projects',
    summary: 'List the projects of your organizations, and the one you act in',
    asks: known(),
    query,
    answer: page('projects', ProjectSchema).openapi('ProjectPage'),
    codes: ['CURSOR_INVALID'],
    async handle({ api, access, principal, projectId, query: wanted }) {
      const isSeen = access.can(principal, 'settings.read', { projectId }).allowed
      const visibleTo = { userId: principal.id, ...(isSeen && { projectId }) }
      const list = await api.projects.list({ ...wanted, visibleTo })
      return { ...list, projects: list.projects.map(show) }
    },
  }),
  operation({
    id: 'listProjectsOfOrganization',
    method: 'get',
    path: '/organizations/{id}/projects',
    tag: 'Projects',
    summary: 'List the projects of an organization',
    description: 'For its members.',
    asks: inOrganization(null),
    query,
    answer: page('projects', ProjectSchema).openapi('ProjectPage'),
    codes: ['CURSOR_INVALID'],
    async handle({ api, organization, query: wanted }) {
      const list = await api.projects.list({ ...wanted, organizationId: organization.id })
      return { ...list, projects: list.projects.map(show) }
    },
  }),
  operation({
    id: 'createProject',
    method: 'post',
    path: '/organizations/{id}/projects',
    tag: 'Projects',
    summary: 'Make a project',
    asks: inOrganization('projects.manage'),
    body: z.strictObject({ name: text(200), settings: SettingsChange.optional() }),
    answer: ProjectSchema,
    status: 201,
    async handle({ api, organization, body: { name, settings = {} } }) {
      const wanted = { name, settings, organizationId: organization.id }
      return show(await api.projects.create(wanted))
    },
  }),
  operation({
    id: 'getProject',
    method: 'get',
    path: '/projects/{id}',
    tag: 'Projects',
    summary: 'Get a project',
    asks: ofProject('settings.read', project),
    answer: ProjectSchema,
    handle: async ({ found }) => show(found),
  }),
  operation({
    id: 'updateProject',
    method: 'patch',
    path: '/projects/{id}',
    tag: 'Projects',
    summary: 'Change name and settings of a project',
    asks: ofProject('settings.write', project),
    body: z.strictObject({
      name: text(200).optional(),
      settings: SettingsChange.optional(),
    }),
    answer: ProjectSchema,
    codes: ['PROJECT_DELETED'],
    async handle({ api, found, body, isConditional }) {
      const condition = isConditional ? { ifUpdatedAt: found.updatedAt } : {}
      return show(await api.projects.update(found.id, body, condition))
    },
  }),
  operation({
    id: 'deleteProject',
    method: 'delete',
    path: '/projects/{id}',
    tag: 'Projects',
    summary: 'Delete a project',
    description:
      'Its keys end, and nothing is uploaded to it or read from it any more. After the grace period of the server its files are deleted; until then it can be restored.',
    asks: ofProject('projects.manage', project),
    answer: ProjectSchema,
    codes: ['PROJECT_PROTECTED'],
    handle: async ({ api, found }) => show(await api.projects.delete(found.id)),
  }),
  operation({
    id: 'restoreProject',
    method: 'post',
    path: '/projects/{id}/restore',
    tag: 'Projects',
    summary: 'Take the deletion of a project back',
    description: 'Within its grace period. Its keys stay revoked.',
    asks: ofProject('projects.manage', project),
    answer: ProjectSchema,
    codes: ['PROJECT_DELETED'],
    handle: async ({ api, found }) => show(await api.projects.restore(found.id)),
  }),
  operation({
    id: 'transferProject',
    method: 'post',
    path: '/projects/{id}/transfer',
    tag: 'Projects',
    summary: 'Give a project to another organization',
    description:
      'To one in which you may manage projects, too. It is done within seconds, and the keys of the project end with it.',
    asks: ofProject('projects.manage', project),
    body: z.strictObject({ organizationId: text(64) }),
    answer: ProjectSchema,
    status: 202,
    codes: ['ORGANIZATION_NOT_FOUND', 'PROJECT_DELETED'],
    async handle(context) {
      const { api, found, body } = context
      await standingIn(context, body.organizationId, 'projects.manage')
      await api.projects.transfer(found.id, body.organizationId)
      return show(found)
    },
  }),
]

function show(found: Project): z.input<typeof ProjectSchema> {
  const { id, name, organizationId, settings } = found
  const { allowedRoutes } = settings
  return {
    ...{ id, name, organizationId },
    settings: { ...settings, allowedRoutes: allowedRoutes && [...allowedRoutes] },
    createdAt: iso(found.createdAt),
    updatedAt: iso(found.updatedAt),
    deletedAt: iso(found.deletedAt),
    deleteAfter: iso(found.deleteAfter),
  }
}
