import { z } from '@hono/zod-openapi'
import type { Member } from '../../api/members.ts'
import {
  type InOrganization,
  inOrganization,
  oneInOrganization,
  requireNoMore,
  standingIn,
} from '../rest/asks-organization.ts'
import { type Operation, operation, type RestContext } from '../rest/operation.ts'
import { iso, page, pageQuery, text, time } from '../rest/schemas.ts'

const MemberSchema = z
  .object({
    id: z.string(),
    organizationId: z.string(),
    userId: z.string(),
    name: z.string(),
    email: z.string(),
    role: z.string(),
    createdAt: time,
  })
  .openapi('Member')

const member = {
  name: 'member',
  missing: 'MEMBER_NOT_FOUND',
  schema: MemberSchema,
  find: ({ api, organization, params }: RestContext & InOrganization) =>
    api.members.get(organization.id, params.userId ?? ''),
  show,
} as const

const path = '/organizations/{id}/members/{userId}'

/** Who belongs to organizations. Nobody gives or takes more than they have. */
export const members: readonly Operation[] = [
  operation({
    id: 'listMembers',
    method: 'get',
    path: '/organizations/{id}/members',
    tag: 'Members',
    summary: 'List the members of an organization',
    description: 'For its members.',
    asks: inOrganization(null),
    query: pageQuery,
    answer: page('members', MemberSchema).openapi('MemberPage'),
    codes: ['CURSOR_INVALID'],
    async handle({ api, organization, query }) {
      const list = await api.members.list({ ...query, organizationId: organization.id })
      return { ...list, members: list.members.map(show) }
    },
  }),
  operation({
    id: 'getMember',
    method: 'get',
    path,
    tag: 'Members',
    summary: 'Get a member of an organization',
    description: 'For its members.',
    asks: oneInOrganization(null, member),
    answer: MemberSchema,
    handle: async ({ found }) => show(found),
  }),
  operation({
    id: 'updateMember',
    method: 'patch',
    path,
    tag: 'Members',
    summary: 'Give a member another role',
    description: 'It holds with their next request. The last owner stays one.',
    asks: oneInOrganization('members.manage', member),
    body: z.strictObject({ role: text(200) }),
    answer: MemberSchema,
    codes: ['LAST_OWNER'],
    async handle({ api, access, as, found, body: { role }, isConditional }) {
      requireNoMore({ access }, as, found.role)
      requireNoMore({ access }, as, role)
      const { organizationId, userId, role: ifRole } = found
      // Who was made more by somebody else meanwhile is no longer theirs to change.
      const condition = isConditional || role !== ifRole ? { ifRole } : {}
      return show(await api.members.setRole(organizationId, userId, role, condition))
    },
  }),
  operation({
    id: 'removeMember',
    method: 'delete',
    path,
    tag: 'Members',
    summary: 'Take a member out of an organization, or leave it',
    description: 'To leave takes no permission. The last owner stays.',
    asks: {
      ...oneInOrganization(null, member),
      codes: ['FORBIDDEN', 'MEMBER_NOT_FOUND'],
    },
    answer: null,
    codes: ['LAST_OWNER', 'ORGANIZATION_NOT_FOUND'],
    async handle(context) {
      const { api, access, as, found, organization } = context
      if (found.userId !== as.id) {
        await standingIn(context, organization.id, 'members.manage')
        requireNoMore({ access }, as, found.role)
      }
      await api.members.remove(found.organizationId, found.userId)
    },
  }),
]

function show(found: Member): z.input<typeof MemberSchema> {
  const { id, organizationId, userId, name, email, role, createdAt } = found
  return { id, organizationId, userId, name, email, role, createdAt: iso(createdAt) }
}
