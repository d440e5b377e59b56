import { z } from '@hono/zod-openapi'
import { inProject } from '../rest/asks.ts'
import { type Operation, operation } from '../rest/operation.ts'

const limit = z.int().min(0).nullable()

const Quota = z
  .object({
    bytes: limit,
    files: limit,
    perOwner: z.object({ bytes: limit, files: limit }),
    usedBytes: z.int().openapi({ description: 'Of files, and reserved by uploads.' }),
    usedFiles: z.int(),
  })
  .openapi('Quota')

const Usage = z
  .object({
    projectId: z.string(),
    bytes: z.int().openapi({ description: 'What is stored now.' }),
    files: z.int(),
    quota: Quota.nullable(),
    from: z.iso.date(),
    to: z.iso.date(),
    by: z.enum(['day', 'route', 'owner']),
    rows: z.array(
      z.object({
        name: z.string().nullable().openapi({
          description: 'The day, the route or the owner; null for files of nobody.',
        }),
        storedFiles: z.int(),
        storedBytes: z.int(),
        deletedFiles: z.int(),
        deletedBytes: z.int(),
      }),
    ),
  })
  .openapi('Usage')

const given = z.int().min(0).nullable().optional()

/** What is stored, and what may be. */
export const usage: readonly Operation[] = [
  operation({
    id: 'getUsage',
    method: 'get',
    path: '/usage',
    tag: 'Usage',
    summary: 'What is stored, and what was stored and deleted',
    description: 'Days are those of UTC; by default the last 30.',
    asks: inProject('usage.read'),
    query: {
      from: z.iso.date().optional(),
      to: z.iso.date().optional(),
      by: z.enum(['day', 'route', 'owner']).optional(),
    },
    answer: Usage,
    async handle({ api, projectId, query }) {
      const report = await api.usage.get({ ...query, projectId })
      return { ...report, rows: [...report.rows] }
    },
  }),
  operation({
    id: 'setQuota',
    method: 'put',
    path: '/usage/quota',
    tag: 'Usage',
    summary: 'Limit what the project may store',
    description: 'In place of the limits before; what is not given is not limited.',
    asks: inProject('projects.manage'),
    body: z.strictObject({
      bytes: given,
      files: given,
      perOwner: z.strictObject({ bytes: given, files: given }).optional(),
    }),
    answer: Quota,
    codes: ['PROJECT_NOT_FOUND'],
    handle: ({ api, projectId, body }) =>
      api.usage.setQuota(projectId, Object.keys(body).length > 0 ? body : null),
  }),
]
