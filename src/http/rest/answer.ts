import type { Api } from '../../api/api.ts'
import type { Access } from '../../auth/permissions.ts'
import type { Principal } from '../../auth/principal.ts'
import type { ProjectGate } from '../../auth/project-gate.ts'
import type { IdempotencyKeys } from '../../idempotency/keys.ts'
import type { RateLimiter, Wish } from '../../limits/limiter.ts'
import { CarcosaError } from '../../shared/errors.ts'
import { jsonReply, type Reply, withHeaders } from '../../shared/reply.ts'
import { readJson } from '../body.ts'
import type { Located } from '../incoming.ts'
import { etagOf, isKnown, requireMatch } from './etag.ts'
import { keyOf, once } from './idempotency.ts'
import type { Operation, Prepared, ServerSettings } from './operation.ts'

/** What the REST API stands on. */
export interface RestDeps {
  readonly api: Api
  readonly access: Access
  readonly projects: ProjectGate
  readonly limiter: RateLimiter
  readonly idempotency: IdempotencyKeys
  /** Of who names no other. */
  readonly projectId: string
  readonly settings: ServerSettings
  /** In front of every URL told to clients; empty for relative ones. */
  readonly origin: string
  isPublicRoute(name: string): boolean
}

/** A request for an operation. */
export interface Asked {
  readonly located: Located
  readonly operation: Operation
  readonly params: Readonly<Record<string, string>>
}

/**
 * Does an operation: who asks, how often, what, whether they may, whether it is as they know it.
 * @throws {CarcosaError} what it is refused with
 */
export async function answer(deps: RestDeps, asked: Asked): Promise<Reply> {
  const { located } = asked
  const { principal, standing } = await admit(deps, located)
  // Where all of a body may be left out, so may the whole.
  const nothing = asked.operation.body ? {} : undefined
  const body = located.hasBody ? await readJson(located) : nothing
  const context = contextOf(deps, located, principal)
  const { params } = asked
  const raw = { params, search: located.search, body }
  const prepared = await asked.operation.prepare(context, raw)
  const work = () => perform(asked, prepared)
  const key = keyOf(asked)
  const reply = key ? await once(deps, { key, context, asked, body }, work) : await work()
  return withHeaders(reply, standing)
}

/** @throws {CarcosaError} UNAUTHENTICATED, RATE_LIMITED, and what auth providers throw */
async function admit(
  { limiter, projectId }: RestDeps,
  { client, principal }: Located,
): Promise<{ principal: Principal; standing: Record<string, string> }> {
  const wish: Wish = { operation: 'api', client: { address: client } }
  limiter.assertFree(wish)
  const known = await principal()
  if (!known) throw unauthenticated()
  const by = {
    address: client,
    principal: known.id,
    project: known.projectId ?? projectId,
  }
  const standing = await limiter.spend({ ...wish, client: by })
  return { principal: known, standing }
}

function contextOf(
  { api, access, projects, origin, settings, isPublicRoute, projectId }: RestDeps,
  { prefix }: Located,
  principal: Principal,
) {
  return {
    ...{ api, access, projects, principal, settings, isPublicRoute },
    projectId: principal.projectId ?? projectId,
    prefix: origin + prefix,
    isConditional: false,
  }
}

async function perform(
  { located, operation }: Asked,
  { shown, handle }: Prepared,
): Promise<Reply> {
  const { headers } = located
  const isReading = operation.method === 'get'
  const etag = shown === undefined ? null : etagOf(JSON.stringify(shown))
  if (etag && isReading && isKnown(headers, etag)) {
    return {
      status: 304,
      headers: { ETag: etag, 'Cache-Control': 'no-store' },
      body: null,
    }
  }
  const isConditional = etag !== null && !isReading && requireMatch(headers, etag)
  const result = await handle(isConditional)
  if (operation.answer === null) {
    return {
      status: operation.status,
      headers: { 'Cache-Control': 'no-store' },
      body: null,
    }
  }
  const reply = withHeaders(jsonReply(operation.status, result), linkTo(located, result))
  const isWhole = operation.answer === operation.asks.schema
  if (!isWhole || typeof reply.body !== 'string') return reply
  return withHeaders(reply, { ETag: etagOf(reply.body) })
}

/** Where the next page is, RFC 8288. */
function linkTo(located: Located, result: unknown): Record<string, string> {
  if (typeof result !== 'object' || result === null || !('nextCursor' in result))
    return {}
  if (typeof result.nextCursor !== 'string') return {}
  const query = new URLSearchParams(located.search)
  query.set('cursor', result.nextCursor)
  // Relative to the URL that was asked for, whatever is in front of it.
  return { Link: `<?${query}>; rel="next"` }
}

function unauthenticated(): CarcosaError {
  return new CarcosaError('UNAUTHENTICATED', {
    message:
      'The REST API needs a credential, e.g. an API key: "Authorization: Bearer ck_live_…".',
  })
}
