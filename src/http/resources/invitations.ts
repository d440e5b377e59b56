import { z } from '@hono/zod-openapi'
import type { Invitation } from '../../accounts/invitation-rows.ts'
import { known } from '../rest/asks.ts'
import {
  type InOrganization,
  inOrganization,
  oneInOrganization,
  requireNoMore,
} from '../rest/asks-organization.ts'
import { type Operation, operation, type RestContext } from '../rest/operation.ts'
import { flag, iso, page, pageQuery, text, time } from '../rest/schemas.ts'

const InvitationSchema = z
  .object({
    id: z.string(),
    organizationId: z.string(),
    email: z.string(),
    role: z.string(),
    teamId: z.string().nullable(),
    status: z.enum(['pending', 'accepted', 'rejected', 'canceled']),
    inviterId: z.string(),
    createdAt: time,
    expiresAt: time,
  })
  .openapi('Invitation')

const invitation = {
  name: 'invitation',
  missing: 'INVITATION_NOT_FOUND',
  schema: InvitationSchema,
  async find({ api, organization, params }: RestContext & InOrganization) {
    const found = await api.invitations.get(params.invitationId ?? '')
    return found?.organizationId === organization.id ? found : null
  },
  show,
} as const

const path = '/organizations/{id}/invitations/{invitationId}'

/** Invitations to organizations. */
export const invitations: readonly Operation[] = [
  operation({
    id: 'listInvitations',
    method: 'get',
    path: '/organizations/{id}/invitations',
    tag: 'Invitations',
    summary: 'List the invitations to an organization',
    asks: inOrganization('members.manage'),
    query: {
      ended: flag.openapi({ description: 'Whether those that ended are listed too.' }),
      ...pageQuery,
    },
    answer: page('invitations', InvitationSchema).openapi('InvitationPage'),
    codes: ['CURSOR_INVALID'],
    async handle({ api, organization, query }) {
      const wanted = { ...query, organizationId: organization.id }
      const list = await api.invitations.list(wanted)
      return { ...list, invitations: list.invitations.map(show) }
    },
  }),
  operation({
    id: 'createInvitation',
    method: 'post',
    path: '/organizations/{id}/invitations',
    tag: 'Invitations',
    summary: 'Invite somebody to an organization',
    description:
      'A mail is sent to them. To a role that may do no more than yours. A pending invitation of theirs ends.',
    asks: inOrganization('members.manage'),
    body: z.strictObject({
      email: text(200),
      role: text(200).default('member'),
      teamId: text(64).optional(),
      expiresIn: z.int().min(1).max(7_776_000).default(604_800).openapi({
        description: 'Seconds in which it can be accepted.',
      }),
    }),
    answer: InvitationSchema,
    status: 201,
    codes: ['ALREADY_MEMBER', 'TEAM_NOT_FOUND', 'USER_NOT_FOUND'],
    async handle({ api, access, as, organization, body }) {
      const { teamId, expiresIn, ...wanted } = body
      if (access.roles.includes(body.role)) requireNoMore({ access }, as, body.role)
      const made = await api.invitations.create({
        ...wanted,
        ...(teamId !== undefined && { teamId }),
        organizationId: organization.id,
        inviterId: as.id,
        expiresIn: expiresIn * 1_000,
      })
      return show(made)
    },
  }),
  operation({
    id: 'getInvitation',
    method: 'get',
    path,
    tag: 'Invitations',
    summary: 'Get an invitation',
    asks: oneInOrganization('members.manage', invitation),
    answer: InvitationSchema,
    handle: async ({ found }) => show(found),
  }),
  operation({
    id: 'revokeInvitation',
    method: 'delete',
    path,
    tag: 'Invitations',
    summary: 'Revoke an invitation',
    asks: oneInOrganization('members.manage', invitation),
    answer: null,
    async handle({ api, found }) {
      await api.invitations.revoke(found.id)
    },
  }),
  operation({
    id: 'acceptInvitation',
    method: 'post',
    path: '/invitations/{invitationId}/accept',
    tag: 'Invitations',
    summary: 'Accept an invitation',
    description: 'For who owns the address that was invited, and has confirmed it.',
    asks: known(),
    answer: InvitationSchema,
    codes: ['INVITATION_NOT_FOUND'],
    handle: async ({ api, principal, params }) =>
      show(await api.invitations.accept(params.invitationId, principal.id)),
  }),
]

function show(found: Invitation): z.input<typeof InvitationSchema> {
  return {
    ...found,
    createdAt: iso(found.createdAt),
    expiresAt: iso(found.expiresAt),
  }
}
