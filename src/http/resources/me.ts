import { z } from '@hono/zod-openapi'
import { known } from '../rest/asks.ts'
import { type Operation, operation } from '../rest/operation.ts'

const Me = z
  .object({
    id: z.string(),
    kind: z.enum(['user', 'api-key', 'service', 'anonymous', 'system']),
    organizationId: z.string().nullable(),
    projectId: z.string(),
    role: z.string(),
    scopes: z
      .object({
        routes: z.array(z.string()).optional(),
        actions: z.array(z.string()).optional(),
      })
      .nullable(),
    grants: z.array(z.string()).openapi({
      description:
        'What may be done in the project: `files.read` to everything, `files.read.own` to what is one’s own.',
    }),
  })
  .openapi('Me')

/** Who asks. */
export const me: readonly Operation[] = [
  operation({
    id: 'getMe',
    method: 'get',
    path: '/me',
    tag: 'Me',
    summary: 'Who you are here, and what you may do',
    asks: known(),
    answer: Me,
    async handle({ principal, projectId, access }) {
      const { id, kind, organizationId = null, scopes = null } = principal
      const { role, grants } = access.describe(principal)
      return { id, kind, organizationId, projectId, role, scopes: copyOf(scopes), grants }
    },
  }),
]

function copyOf(
  scopes: { routes?: readonly string[]; actions?: readonly string[] } | null,
) {
  if (scopes === null) return null
  const { routes, actions } = scopes
  return {
    ...(routes && { routes: [...routes] }),
    ...(actions && { actions: [...actions] }),
  }
}
