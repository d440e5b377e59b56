import { z } from '@hono/zod-openapi'
import type { Resource } from '../../auth/permissions.ts'
import { CarcosaError } from '../../shared/errors.ts'
import { missing, within } from '../rest/asks.ts'
import { type Operation, operation, type RestContext } from '../rest/operation.ts'
import { count, page, text } from '../rest/schemas.ts'

const Event = z
  .object({
    id: z
      .int()
      .openapi({ description: 'Its number in the project, in the order of commits.' }),
    type: z.string().openapi({ example: 'file.stored' }),
    data: z.record(z.string(), z.unknown()),
  })
  .openapi('Event')

/** What happened, as it is kept; as it happens it is told by `/events` and `/ws`. */
export const events: readonly Operation[] = [
  operation({
    id: 'listEvents',
    method: 'get',
    path: '/events',
    tag: 'Events',
    summary: 'List what happened',
    description:
      'Oldest first, as long as events are kept. Who may see only what is their own names a `file`, who only some routes a `route`.',
    asks: within('events.read'),
    query: {
      file: text(128).optional(),
      route: text(128).optional(),
      limit: count({ min: 1, max: 500, usual: 50 }),
      cursor: z
        .string()
        .regex(/^\d{1,15}$/)
        .optional()
        .openapi({ description: 'The number of an event: from behind it on.' }),
    },
    answer: page('events', Event).openapi('EventPage'),
    codes: ['CURSOR_INVALID', 'TOPIC_NOT_FOUND'],
    async handle(context) {
      const { api, projectId, query } = context
      const { file, route, limit, cursor = '0' } = query
      await requireSeen(context, { file, route })
      const topic = topicOf({ file, route })
      const wanted = { projectId, limit: limit + 1, after: Number(cursor) }
      const found = await api.events.list({ ...wanted, ...(topic && { topic }) })
      const listed = found.slice(0, limit).map(({ id, ...event }) => {
        // What is kept has a number.
        return { ...event, id: id ?? 0 }
      })
      const last = listed.at(-1)
      const hasMore = last && found.length > limit
      return { events: listed, nextCursor: hasMore ? String(last.id) : null }
    },
  }),
]

interface Watched {
  file?: string
  route?: string
}

function topicOf({ file, route }: Watched) {
  if (file !== undefined && route !== undefined) {
    throw new CarcosaError('BAD_REQUEST', {
      message: 'Name a file or a route, not both.',
    })
  }
  if (file !== undefined) return { file }
  return route === undefined ? null : { route }
}

const topic = { name: 'file', missing: 'TOPIC_NOT_FOUND' } as const

/** @throws {CarcosaError} TOPIC_NOT_FOUND, FORBIDDEN */
async function requireSeen(
  context: RestContext,
  { file, route }: Watched,
): Promise<void> {
  const { access, principal } = context
  const resource = await resourceOf(context, { file, route })
  if (!resource) throw missing(topic)
  const decision = access.can(principal, 'events.read', resource)
  if (decision.allowed) return
  if (file !== undefined) throw missing(topic, access.explain(decision))
  throw new CarcosaError('FORBIDDEN', {
    message:
      'You may see events only of what is your own, or of some routes: name the file or the route.',
    ...access.explain(decision),
  })
}

async function resourceOf(
  { api, projectId }: RestContext,
  { file, route }: Watched,
): Promise<Resource | null> {
  if (file === undefined) return { projectId, ...(route !== undefined && { route }) }
  const found = await api.files.get(file)
  if (found?.projectId !== projectId) return null
  return { projectId, ownerId: found.ownerId, route: found.route }
}
