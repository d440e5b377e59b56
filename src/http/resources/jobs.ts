import { z } from '@hono/zod-openapi'
import { jobNames } from '../../jobs/definitions.ts'
import { type JobRecord, jobStates } from '../../jobs/records.ts'
import { inProject } from '../rest/asks.ts'
import { type Operation, operation } from '../rest/operation.ts'
import { count, iso, time } from '../rest/schemas.ts'

const Job = z
  .object({
    id: z.string(),
    queue: z.enum(jobNames),
    state: z.enum(jobStates),
    attempts: z.int(),
    createdAt: time,
    nextAt: time.nullable().openapi({ description: 'When it is tried next.' }),
    diedAt: time.nullable().openapi({ description: 'When its last try was used up.' }),
    fileId: z.string().openapi({ description: 'What it is about.' }),
  })
  .openapi('Job')

const mostJobs = 1_000

/**
 * Jobs about files of the project. Why one failed is in the log and told by `carcosa jobs list`: it
 * may name what is behind the server.
 */
export const jobs: readonly Operation[] = [
  operation({
    id: 'listJobs',
    method: 'get',
    path: '/jobs',
    tag: 'Jobs',
    summary: 'List jobs that are not done',
    description: 'Those about files of the project, newest first.',
    asks: inProject('jobs.read'),
    query: {
      queue: z.enum(jobNames).optional(),
      state: z.enum(jobStates).optional(),
      limit: count({ min: 1, max: mostJobs, usual: 100 }),
    },
    answer: z.object({ jobs: z.array(Job) }).openapi('JobList'),
    async handle({ api, projectId, query }) {
      const found = await api.jobs.list({ ...query, projectId })
      return { jobs: found.map(show) }
    },
  }),
  operation({
    id: 'retryJobs',
    method: 'post',
    path: '/jobs/retry',
    tag: 'Jobs',
    summary: 'Try failed and dead jobs again',
    description:
      'Dead ones get all of their tries again, failed ones run now. Safe to repeat.',
    asks: inProject('jobs.manage'),
    body: z.strictObject({
      ids: z.array(z.uuid()).min(1).max(100).optional().openapi({
        description: 'Default: all of the project, up to 1,000 of either state.',
      }),
    }),
    answer: z.object({ retried: z.int() }).openapi('RetriedJobs'),
    async handle({ api, projectId, body }) {
      const lists = (['dead', 'failed'] as const).map((state) =>
        api.jobs.list({ state, projectId, limit: mostJobs }),
      )
      const own = (await Promise.all(lists)).flat().map(({ id }) => id)
      const ids = own.filter((id) => body.ids?.includes(id) ?? true)
      return { retried: ids.length > 0 ? await api.jobs.retry({ ids }) : 0 }
    },
  }),
]

function show(job: JobRecord): z.input<typeof Job> {
  const { id, queue, state, attempts, createdAt, nextAt, diedAt, data } = job
  return {
    ...{ id, queue, state, attempts, fileId: String(data.fileId) },
    createdAt: iso(createdAt),
    nextAt: iso(nextAt),
    diedAt: iso(diedAt),
  }
}
