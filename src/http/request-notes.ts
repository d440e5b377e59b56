import type { RequestLog } from '../audit/request-log.ts'
import type { Trail } from '../audit/trail.ts'
import type { Principal } from '../auth/principal.ts'
import { CarcosaError } from '../shared/errors.ts'
import type { LoggedRequests } from '../shared/logged-requests.ts'
import type { Reply } from '../shared/reply.ts'
import { currentRequest, type RequestContext } from '../shared/request-context.ts'
import type { Incoming } from './incoming.ts'

/** Remembers what the logs tell of the request that is answered right now. */
export function notePlace([root = '', ...rest]: readonly string[]): void {
  const context = currentRequest()
  if (!context) return
  context.manages = root === 'api'
  context.pattern ??= `/${[root, ...rest.map(patternOf)].join('/')}`
}

export function noteCaller(principal: Principal | null): Principal | null {
  const context = currentRequest()
  if (context && principal) {
    const { kind, id, organizationId, projectId } = principal
    context.caller = {
      ...{ kind, id },
      organizationId: organizationId ?? null,
      projectId: projectId ?? null,
    }
  }
  return principal
}

/** What can be an id is none of the words that our paths are made of. */
function patternOf(segment: string): string {
  return /^[a-z][a-z-]{0,19}(\.json)?$|^v\d$/.test(segment) ? segment : '{id}'
}

export interface NotedReply {
  incoming: Pick<Incoming, 'method' | 'path' | 'search' | 'address'>
  context: RequestContext
  reply: Pick<Reply, 'status' | 'code'>
  ms: number
}

export interface RequestNotes {
  readonly which: LoggedRequests
  readonly requests: RequestLog
  readonly trail: Trail
  /** Of callers that name none. */
  readonly projectId: string
}

/** Writes the line of an answered request, if it is one of those the log has. */
export function noteReply(
  { which, requests, projectId }: RequestNotes,
  { incoming, context, reply, ms }: NotedReply,
): void {
  if (which === 'off' || !isLogged(which, incoming.method, context)) return
  const { caller = null, pattern = '', requestId } = context
  requests.note({
    at: new Date(Date.now() - ms),
    method: incoming.method,
    pattern,
    path: incoming.path + incoming.search,
    status: reply.status,
    code: reply.code ?? null,
    ms,
    caller: caller && { ...caller, projectId: caller.projectId ?? projectId },
    address: incoming.address,
    requestId,
  })
}

function isLogged(
  which: LoggedRequests,
  method: string,
  { pattern, manages }: RequestContext,
): boolean {
  if (which === 'api' || manages) return manages === true
  if (pattern === undefined || /^\/(healthz|readyz|files)\b/.test(pattern)) return false
  return !(pattern.startsWith('/uploads') && method === 'PATCH')
}

/**
 * The management API refused somebody who is known before anything was done: that is told by the
 * audit log, too. Who is not known is in the request log alone, which they may fill as they like.
 */
export async function noteRefusal(
  { trail }: RequestNotes,
  { method }: Pick<Incoming, 'method'>,
  { status, code }: Pick<Reply, 'status' | 'code'>,
): Promise<void> {
  const context = currentRequest()
  if (!context?.manages || !context.caller || context.isAudited) return
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || status < 400)
    return
  await trail.record({
    action: 'request.refused',
    targetId: `${method} ${context.pattern}`,
    error: new CarcosaError(code ?? 'INTERNAL'),
  })
}
