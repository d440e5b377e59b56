import { z } from '@hono/zod-openapi'
import type { Team } from '../../api/teams.ts'
import {
  type InOrganization,
  inOrganization,
  oneInOrganization,
} from '../rest/asks-organization.ts'
import { type Operation, operation, type RestContext } from '../rest/operation.ts'
import { iso, page, pageQuery, text, time } from '../rest/schemas.ts'

const TeamSchema = z
  .object({
    id: z.string(),
    organizationId: z.string(),
    name: z.string(),
    memberCount: z.int(),
    createdAt: time,
    updatedAt: time,
  })
  .openapi('Team')

const TeamMemberSchema = z
  .object({ userId: z.string(), name: z.string(), email: z.string(), createdAt: time })
  .openapi('TeamMember')

const team = {
  name: 'team',
  missing: 'TEAM_NOT_FOUND',
  schema: TeamSchema,
  async find({ api, organization, params }: RestContext & InOrganization) {
    const found = await api.teams.get(params.teamId ?? '')
    return found?.organizationId === organization.id ? found : null
  },
  show,
} as const

const path = '/organizations/{id}/teams/{teamId}'

/** Some members of an organization under a name. They give no permissions. */
export const teams: readonly Operation[] = [
  operation({
    id: 'listTeams',
    method: 'get',
    path: '/organizations/{id}/teams',
    tag: 'Teams',
    summary: 'List the teams of an organization',
    description: 'For its members.',
    asks: inOrganization(null),
    query: pageQuery,
    answer: page('teams', TeamSchema).openapi('TeamPage'),
    codes: ['CURSOR_INVALID'],
    async handle({ api, organization, query }) {
      const list = await api.teams.list({ ...query, organizationId: organization.id })
      return { ...list, teams: list.teams.map(show) }
    },
  }),
  operation({
    id: 'createTeam',
    method: 'post',
    path: '/organizations/{id}/teams',
    tag: 'Teams',
    summary: 'Make a team',
    asks: inOrganization('members.manage'),
    body: z.strictObject({ name: text(200) }),
    answer: TeamSchema,
    status: 201,
    handle: async ({ api, organization, body }) =>
      show(await api.teams.create({ ...body, organizationId: organization.id })),
  }),
  operation({
    id: 'getTeam',
    method: 'get',
    path,
    tag: 'Teams',
    summary: 'Get a team',
    description: 'For the members of the organization.',
    asks: oneInOrganization(null, team),
    answer: TeamSchema,
    handle: async ({ found }) => show(found),
  }),
  operation({
    id: 'updateTeam',
    method: 'patch',
    path,
    tag: 'Teams',
    summary: 'Change the name of a team',
    asks: oneInOrganization('members.manage', team),
    body: z.strictObject({ name: text(200) }),
    answer: TeamSchema,
    async handle({ api, found, body, isConditional }) {
      const condition = isConditional ? { ifUpdatedAt: found.updatedAt } : {}
      return show(await api.teams.update(found.id, body, condition))
    },
  }),
  operation({
    id: 'deleteTeam',
    method: 'delete',
    path,
    tag: 'Teams',
    summary: 'Delete a team',
    description: 'Its members stay in the organization.',
    asks: oneInOrganization('members.manage', team),
    answer: null,
    async handle({ api, found }) {
      await api.teams.delete(found.id)
    },
  }),
  operation({
    id: 'listTeamMembers',
    method: 'get',
    path: `${path}/members`,
    tag: 'Teams',
    summary: 'List the members of a team',
    description: 'For the members of the organization.',
    asks: oneInOrganization(null, team),
    query: pageQuery,
    answer: page('members', TeamMemberSchema).openapi('TeamMemberPage'),
    codes: ['CURSOR_INVALID'],
    async handle({ api, found, query }) {
      const { members, nextCursor } = await api.teams.listMembers(found.id, query)
      return {
        members: members.map((one) => ({ ...one, createdAt: iso(one.createdAt) })),
        nextCursor,
      }
    },
  }),
  operation({
    id: 'addTeamMember',
    method: 'put',
    path: `${path}/members/{userId}`,
    tag: 'Teams',
    summary: 'Put a member of the organization into a team',
    asks: oneInOrganization('members.manage', team),
    answer: null,
    codes: ['MEMBER_NOT_FOUND'],
    async handle({ api, found, params }) {
      await api.teams.addMember(found.id, params.userId)
    },
  }),
  operation({
    id: 'removeTeamMember',
    method: 'delete',
    path: `${path}/members/{userId}`,
    tag: 'Teams',
    summary: 'Take somebody out of a team',
    description: 'They stay in the organization. Who is not in the team is not missed.',
    asks: oneInOrganization('members.manage', team),
    answer: null,
    async handle({ api, found, params }) {
      await api.teams.removeMember(found.id, params.userId)
    },
  }),
]

function show(found: Team): z.input<typeof TeamSchema> {
  const { id, organizationId, name, memberCount, createdAt, updatedAt } = found
  return {
    ...{ id, organizationId, name, memberCount },
    createdAt: iso(createdAt),
    updatedAt: iso(updatedAt),
  }
}
