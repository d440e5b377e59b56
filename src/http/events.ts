import type { Feed } from '../events/feed.ts'
import { sseBody, sseHeaders } from '../events/sse.ts'
import type { Subscribers } from '../events/subscribers.ts'
import { maxTopics, type Topic, toCursor, topicKinds, toTopic } from '../events/topic.ts'
import { CarcosaError } from '../shared/errors.ts'
import type { Reply } from '../shared/reply.ts'
import type { Ticket, TicketOffice } from '../uploads/ticket.ts'
import { type AccessDeps, permit, type Watcher } from './event-access.ts'
import type { Located } from './incoming.ts'
import type { Guest, Vigil } from './vigil.ts'

/** What watching stands on. */
export interface EventPaths {
  feed: Feed
  subscribers: Subscribers
  access: AccessDeps
  tickets: TicketOffice
  vigil: Vigil
}

/**
 * `GET /events?file=…`: Server-Sent Events.
 *
 * @throws {CarcosaError} BAD_REQUEST, CURSOR_INVALID, TICKET_INVALID, TOPIC_NOT_FOUND,
 *   SUBSCRIBERS_FULL, TOO_MANY_SUBSCRIPTIONS, and what auth providers throw
 */
export async function answerEvents(paths: EventPaths, located: Located): Promise<Reply> {
  const { headers, method } = located
  const query = new URLSearchParams(located.search)
  const topics = topicsOf(query)
  const cursor = headers.get('last-event-id') ?? query.get('lastEventId')
  const after = cursor === null ? null : toCursor(cursor)
  const watcher = await watcherOf(paths, located, query)
  const leave = paths.subscribers.enter(clientOf(watcher, located))
  try {
    const projectId = await permitAll(paths.access, watcher, topics)
    if (method === 'HEAD') {
      leave()
      return { status: 200, headers: sseHeaders, body: null }
    }
    await paths.feed.open(projectId)
    const wish = { projectId, topics, after }
    const { feed, subscribers, vigil } = paths
    const guest = guestOf(watcher, located)
    guest.projects.add(projectId)
    const guard = (end: () => void) => vigil.watch(guest, end)
    const body = sseBody(feed, { subscribers, leave, guard, wish })
    return { status: 200, headers: sseHeaders, body }
  } catch (error) {
    leave()
    throw error
  }
}

/** Who asks, by all that was sent along; what is wrong is refused, whatever is asked for. */
export async function watcherOf(
  { tickets }: Pick<EventPaths, 'tickets'>,
  { headers, principal }: Pick<Located, 'headers' | 'principal'>,
  query: URLSearchParams,
): Promise<Watcher> {
  const header = headers.get('upload-ticket')
  const tokens = [...(header === null ? [] : [header]), ...query.getAll('ticket')]
  if (tokens.length > maxTopics) throw tooMany('tickets')
  const read = tokens.map((token) => tickets.read(token, { late: true }))
  return { tickets: await Promise.all(read), principal: await principal() }
}

/** What is kept of a request for as long as it watches: no more than it is judged by. */
export function guestOf(
  { principal, tickets }: Watcher,
  { method, path, search, headers, address }: Guest['request'],
): Guest & { tickets: Ticket[]; projects: Set<string> } {
  const request = { method, path, search, headers, address }
  return { principal, tickets: [...tickets], projects: new Set(), request }
}

/** @throws {CarcosaError} TOPIC_NOT_FOUND, BAD_REQUEST */
async function permitAll(
  access: AccessDeps,
  watcher: Watcher,
  topics: readonly Topic[],
): Promise<string> {
  const projects = new Set<string>()
  for (const topic of topics) projects.add(await permit(access, watcher, topic))
  const [projectId, ...others] = projects
  if (projectId !== undefined && others.length === 0) return projectId
  throw new CarcosaError('BAD_REQUEST', {
    message:
      'These topics belong to several projects, whose events are numbered each by itself. Use a connection for each.',
  })
}

/** Who is counted together: a principal, a ticket, or else where the connection comes from. */
export function clientOf(
  { principal, tickets }: Watcher,
  { client }: Pick<Located, 'client'>,
): string {
  if (principal) return `principal ${principal.id}`
  const [ticket] = tickets
  if (ticket) return `batch ${ticket.batchId}`
  return `address ${client ?? ''}`
}

/** @throws {CarcosaError} BAD_REQUEST */
function topicsOf(query: URLSearchParams): Topic[] {
  const topics = topicKinds.flatMap((kind) =>
    query.getAll(kind).map((id) => toTopic(kind, id)),
  )
  if (topics.length > maxTopics) throw tooMany('topics')
  if (topics.length > 0) return topics
  throw new CarcosaError('BAD_REQUEST', {
    message:
      'Say what to watch: ?file=<id>, ?batch=<id>, ?route=<name> or ?project=<id>.',
    details: { kinds: topicKinds },
  })
}

function tooMany(what: string): CarcosaError {
  return new CarcosaError('BAD_REQUEST', {
    message: `One connection takes at most ${maxTopics} ${what}. Watch the batch or the route instead.`,
  })
}
