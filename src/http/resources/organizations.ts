import { z } from '@hono/zod-openapi'
import type { Organization } from '../../api/organizations.ts'
import { CarcosaError, hasCode } from '../../shared/errors.ts'
import { known } from '../rest/asks.ts'
import {
  noOrganization,
  oneInOrganization,
  requireNoMore,
} from '../rest/asks-organization.ts'
import { type Operation, operation } from '../rest/operation.ts'
import { iso, page, pageQuery, text, time } from '../rest/schemas.ts'

const OrganizationSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    slug: z.string().openapi({ description: 'A word that is nobody else’s.' }),
    createdAt: time,
    updatedAt: time,
  })
  .openapi('Organization')

const slug = z
  .string()
  .regex(/^[a-z0-9](-?[a-z0-9]){0,62}$/)
  .openapi({ description: 'Letters a to z, digits, and single hyphens between them.' })

const organization = {
  ...noOrganization,
  schema: OrganizationSchema,
  find: async ({ organization: found }: { organization: Organization }) => found,
  show,
}

/** Who owns projects. */
export const organizations: readonly Operation[] = [
  operation({
    id: 'listOrganizations',
    method: 'get',
    path: '/organizations',
    tag: 'Organizations',
    summary: 'List the organizations that you are a member of',
    asks: known(),
    query: pageQuery,
    answer: page('organizations', OrganizationSchema).openapi('OrganizationPage'),
    codes: ['CURSOR_INVALID'],
    async handle({ api, principal, query }) {
      const list = await api.organizations.list({ ...query, userId: principal.id })
      return { ...list, organizations: list.organizations.map(show) }
    },
  }),
  operation({
    id: 'createOrganization',
    method: 'post',
    path: '/organizations',
    tag: 'Organizations',
    summary: 'Make an organization',
    description: 'You become its owner. That takes an account on this server.',
    asks: known(),
    body: z.strictObject({ name: text(200), slug: slug.optional() }),
    answer: OrganizationSchema,
    status: 201,
    codes: ['FORBIDDEN', 'SLUG_TAKEN'],
    async handle({ api, principal, body: { name, slug: wanted } }) {
      const named = { name, ...(wanted !== undefined && { slug: wanted }) }
      const owned = { ...named, ownerId: principal.id }
      const made = await api.organizations.create(owned).catch((error: unknown) => {
        throw hasCode(error, 'USER_NOT_FOUND') ? noAccount() : error
      })
      return show(made)
    },
  }),
  operation({
    id: 'getOrganization',
    method: 'get',
    path: '/organizations/{id}',
    tag: 'Organizations',
    summary: 'Get an organization',
    description: 'For its members.',
    asks: oneInOrganization(null, organization),
    answer: OrganizationSchema,
    handle: async ({ found }) => show(found),
  }),
  operation({
    id: 'updateOrganization',
    method: 'patch',
    path: '/organizations/{id}',
    tag: 'Organizations',
    summary: 'Change name and slug of an organization',
    asks: oneInOrganization('settings.write', organization),
    body: z.strictObject({ name: text(200).optional(), slug: slug.optional() }),
    answer: OrganizationSchema,
    codes: ['SLUG_TAKEN'],
    async handle({ api, found, body, isConditional }) {
      const condition = isConditional ? { ifUpdatedAt: found.updatedAt } : {}
      return show(await api.organizations.update(found.id, body, condition))
    },
  }),
  operation({
    id: 'deleteOrganization',
    method: 'delete',
    path: '/organizations/{id}',
    tag: 'Organizations',
    summary: 'Delete an organization that has no projects',
    description: 'For its owners. Members, invitations and teams go with it.',
    asks: oneInOrganization('members.manage', organization),
    answer: null,
    codes: ['ORGANIZATION_NOT_EMPTY'],
    async handle({ api, access, as, found }) {
      requireNoMore({ access }, as, 'owner')
      await api.organizations.delete(found.id)
    },
  }),
]

function show(found: Organization): z.input<typeof OrganizationSchema> {
  const { id, name, slug: word, createdAt, updatedAt } = found
  return { id, name, slug: word, createdAt: iso(createdAt), updatedAt: iso(updatedAt) }
}

function noAccount(): CarcosaError {
  return new CarcosaError('FORBIDDEN', {
    message: 'Organizations are made by people who have an account on this server.',
  })
}
