import { z } from '@hono/zod-openapi'
import type { ApiKey } from '../../auth/keys.ts'
import type { Scopes } from '../../auth/principal.ts'
import { CarcosaError } from '../../shared/errors.ts'
import { inProject, type Noun, one } from '../rest/asks.ts'
import { type Operation, operation, type RestContext } from '../rest/operation.ts'
import { flag, iso, page, pageQuery, text, time } from '../rest/schemas.ts'

const names = z.array(z.string().max(256)).min(1).max(100)

const KeyScopes = z
  .strictObject({ routes: names.optional(), actions: names.optional() })
  .openapi('ApiKeyScopes', {
    description: 'What narrows the role: names of routes, and grants. Default all of it.',
  })

const key = z.object({
  id: z.string(),
  projectId: z.string(),
  name: z.string(),
  mode: z.enum(['live', 'test']),
  role: z.string(),
  scopes: KeyScopes.nullable(),
  allowedAddresses: z.array(z.string()),
  start: z.string().openapi({ description: 'How its token begins, to know it again.' }),
  createdBy: z.string().nullable(),
  createdAt: time,
  rotatedAt: time.nullable(),
  overlapUntil: time.nullable().openapi({
    description: 'Until when the token before the last rotation works too.',
  }),
  expiresAt: time.nullable(),
  revokedAt: time.nullable(),
  lastUsedAt: time.nullable().openapi({ description: 'To the minute.' }),
})

const Key = key.openapi('ApiKey')

const KeyWithToken = key
  .extend({ token: z.string().openapi({ description: 'Shown once, and kept nowhere.' }) })
  .openapi('ApiKeyWithToken')

const apiKey: Noun<ApiKey, typeof Key> = {
  name: 'API key',
  missing: 'KEY_NOT_FOUND',
  seenBy: 'keys.manage',
  schema: Key,
  find: ({ api }, id) => api.keys.get(id),
  resourceOf: ({ projectId }) => ({ projectId }),
  show,
}

/** The credentials of programs. Nobody gives away more than they have. */
export const apiKeys: readonly Operation[] = [
  operation({
    id: 'listApiKeys',
    method: 'get',
    path: '/api-keys',
    tag: 'API keys',
    summary: 'List API keys',
    asks: inProject('keys.manage'),
    query: {
      revoked: flag.openapi({ description: 'Whether revoked ones are listed too.' }),
      ...pageQuery,
    },
    answer: page('keys', Key).openapi('ApiKeyPage'),
    codes: ['CURSOR_INVALID'],
    async handle({ api, projectId, query }) {
      const { keys, nextCursor } = await api.keys.list({ ...query, projectId })
      return { keys: keys.map(show), nextCursor }
    },
  }),
  operation({
    id: 'createApiKey',
    method: 'post',
    path: '/api-keys',
    tag: 'API keys',
    summary: 'Make an API key',
    description: 'It cannot be made to do more than who makes it.',
    asks: inProject('keys.manage'),
    body: z.strictObject({
      name: text(200),
      mode: z.enum(['live', 'test']).default('live'),
      role: text(200).default('developer'),
      scopes: KeyScopes.optional(),
      allowedAddresses: z.array(z.string().max(100)).max(100).default([]).openapi({
        description:
          'Addresses, networks such as `10.0.0.0/8`, `loopback`, `private`. Default any.',
      }),
      expiresIn: z.int().min(1).max(1e10).optional().openapi({
        description: 'Seconds. Default for ever.',
      }),
    }),
    answer: KeyWithToken,
    status: 201,
    async handle(context) {
      const { api, principal, projectId, body } = context
      const { expiresIn, ...wanted } = body
      requireWithin(context, wanted)
      const made = await api.keys.create({
        ...wanted,
        projectId,
        createdBy: principal.id.slice(0, 200),
        ...(expiresIn !== undefined && { expiresIn: expiresIn * 1_000 }),
      })
      return { ...show(made), token: made.token }
    },
  }),
  operation({
    id: 'getApiKey',
    method: 'get',
    path: '/api-keys/{id}',
    tag: 'API keys',
    summary: 'Get an API key',
    asks: one(apiKey, 'keys.manage'),
    answer: Key,
    handle: async ({ found }) => show(found),
  }),
  operation({
    id: 'revokeApiKey',
    method: 'delete',
    path: '/api-keys/{id}',
    tag: 'API keys',
    summary: 'Revoke an API key',
    description: 'For good. Uploads that it began are refused with their next request.',
    asks: one(apiKey, 'keys.manage'),
    answer: null,
    async handle({ api, found }) {
      await api.keys.revoke(found.id)
    },
  }),
  operation({
    id: 'rotateApiKey',
    method: 'post',
    path: '/api-keys/{id}/rotate',
    tag: 'API keys',
    summary: 'Give an API key another token',
    description: 'Of one that may do no more than who asks.',
    asks: one(apiKey, 'keys.manage'),
    body: z.strictObject({
      overlap: z.int().min(0).max(1e10).default(86_400).openapi({
        description: 'Seconds that the old token works on.',
      }),
    }),
    answer: KeyWithToken,
    async handle(context) {
      const { api, found, body } = context
      requireWithin(context, found)
      const overlap = body.overlap * 1_000
      const { token, ...rotated } = await api.keys.rotate(found.id, { overlap })
      return { ...show(rotated), token }
    },
  }),
]

/** @throws {CarcosaError} FORBIDDEN */
function requireWithin(
  { access, principal, projectId }: RestContext,
  { role, scopes }: { role: string; scopes?: Scopes | null },
): void {
  const exceeding = access.exceeding(principal, { projectId, role, scopes })
  if (exceeding.length === 0) return
  throw new CarcosaError('FORBIDDEN', {
    message: `The key could do more than you can: ${exceeding.slice(0, 5).join(', ')}. Narrow it by role or scopes.`,
    details: { exceeding },
  })
}

function show(found: ApiKey): z.input<typeof Key> {
  const { id, projectId, name, mode, role, scopes } = found
  const { allowedAddresses, start, createdBy } = found
  return {
    ...{ id, projectId, name, mode, role, start, createdBy },
    scopes: copyOf(scopes),
    allowedAddresses: [...allowedAddresses],
    createdAt: iso(found.createdAt),
    rotatedAt: iso(found.rotatedAt),
    overlapUntil: iso(found.overlapUntil),
    expiresAt: iso(found.expiresAt),
    revokedAt: iso(found.revokedAt),
    lastUsedAt: iso(found.lastUsedAt),
  }
}

function copyOf(scopes: Scopes | null) {
  if (scopes === null) return null
  const { routes, actions } = scopes
  return {
    ...(routes && { routes: [...routes] }),
    ...(actions && { actions: [...actions] }),
  }
}
