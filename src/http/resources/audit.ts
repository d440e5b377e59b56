import { z } from '@hono/zod-openapi'
import { auditActions } from '../../audit/actions.ts'
import { type AuditEntry, auditOutcomes, type LoggedRequest } from '../../audit/entry.ts'
import { inProject } from '../rest/asks.ts'
import { type Operation, operation } from '../rest/operation.ts'
import { givenTime, iso, page, pageQuery, text, time } from '../rest/schemas.ts'

const Actor = z
  .object({
    kind: z.string().openapi({ description: '`user`, `api-key` …, `cli` or `program`.' }),
    id: z.string().nullable(),
  })
  .openapi('Actor')

const where = {
  projectId: z.string().nullable(),
  organizationId: z.string().nullable(),
  address: z.string().nullable(),
}

const Entry = z
  .object({
    id: z.string(),
    at: time,
    action: z.enum(auditActions),
    outcome: z.enum(auditOutcomes),
    code: z
      .string()
      .nullable()
      .openapi({ description: 'Of the error; null if it was done.' }),
    actor: Actor,
    ...where,
    requestId: z.string().nullable(),
    target: z.object({ type: z.string(), id: z.string().nullable() }),
    details: z
      .record(z.string(), z.unknown())
      .nullable()
      .openapi({ description: 'What changed, without secrets.' }),
  })
  .openapi('AuditEntry')

const Request = z
  .object({
    id: z.string(),
    at: time,
    method: z.string(),
    pattern: z.string().openapi({ description: 'The path with names in place of ids.' }),
    path: z.string().openapi({ description: 'As sent, without secrets.' }),
    status: z.int(),
    code: z.string().nullable(),
    ms: z.number(),
    actor: Actor.nullable(),
    ...where,
    requestId: z.string(),
  })
  .openapi('LoggedRequest')

const givenStatus = z
  .string()
  .regex(/^[1-5]\d\d$/, 'Invalid input: expected a status of HTTP')
  .transform(Number)
  .openapi({ type: 'integer', minimum: 100, maximum: 599 })

const narrowing = {
  actor: text(256).optional().openapi({ description: 'The id of who did it.' }),
  after: givenTime.optional(),
  before: givenTime.optional(),
}

/** Who did what in the project, and which requests came. */
export const audit: readonly Operation[] = [
  operation({
    id: 'listAuditEntries',
    method: 'get',
    path: '/audit',
    tag: 'Audit',
    summary: 'List what was done',
    description: 'Newest first: what was changed in the project, and what was refused.',
    asks: inProject('audit.read'),
    query: {
      action: z.enum(auditActions).optional(),
      outcome: z.enum(auditOutcomes).optional(),
      target: text(256)
        .optional()
        .openapi({ description: 'The id of what it was done to.' }),
      ...narrowing,
      ...pageQuery,
    },
    answer: page('entries', Entry).openapi('AuditPage'),
    codes: ['CURSOR_INVALID'],
    async handle({ api, projectId, query }) {
      const list = await api.audit.list({ ...query, projectId })
      return { ...list, entries: list.entries.map(showEntry) }
    },
  }),
  operation({
    id: 'listLoggedRequests',
    method: 'get',
    path: '/audit/requests',
    tag: 'Audit',
    summary: 'List requests',
    description:
      'Newest first: requests of the project that were answered a second ago or earlier. The option `requestLog` of the server says which.',
    asks: inProject('audit.read'),
    query: {
      status: givenStatus.optional(),
      ...narrowing,
      ...pageQuery,
    },
    answer: page('requests', Request).openapi('RequestPage'),
    codes: ['CURSOR_INVALID'],
    async handle({ api, projectId, query }) {
      const list = await api.audit.requests({ ...query, projectId })
      return { ...list, requests: list.requests.map(showRequest) }
    },
  }),
]

function showEntry({ at, target, actor, details, ...entry }: AuditEntry) {
  return { ...entry, at: iso(at), target: { ...target }, actor: { ...actor }, details }
}

function showRequest({ at, actor, ...request }: LoggedRequest) {
  return { ...request, at: iso(at), actor: actor && { ...actor } }
}
