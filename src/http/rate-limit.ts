import type { Principal } from '../auth/principal.ts'
import type { RateLimiter, Spending, Wish } from '../limits/limiter.ts'
import { CarcosaError } from '../shared/errors.ts'
import type { UploadRequest } from '../uploads/deps.ts'
import { holderOf } from '../uploads/ticket.ts'
import type { Located } from './incoming.ts'

/** What counting the requests of an upload path stands on. */
export interface CreationLimits {
  readonly limiter: RateLimiter
  /** Of those whose credential names none. */
  readonly projectId: string
}

/**
 * Begins to count the creation of an upload, or a call of `prepare`, for the address, the
 * principal and the project. Who is known to be beyond a limit is refused before anything is
 * done, and not even asked who they are.
 *
 * @throws {CarcosaError} RATE_LIMITED, and what auth providers and tickets throw
 */
export async function limitCreation(
  limits: CreationLimits,
  located: Pick<Located, 'client'>,
  { operation, request }: { operation: 'create' | 'prepare'; request: UploadRequest },
): Promise<Spending> {
  const { limiter } = limits
  const wish = creationWish(located, { operation, request })
  limiter.assertFree(wish)
  const known = await withPrincipal(limits, wish, request)
  limiter.assertFree(known)
  return limiter.begin(known)
}

/** Of so many creations at once, how many there may be. */
export async function limitCreations(
  limits: CreationLimits,
  located: Pick<Located, 'client'>,
  { request, count }: { request: UploadRequest; count: number },
): Promise<number> {
  const wish = creationWish(located, { operation: 'create', request })
  return limits.limiter.spendSome(await withPrincipal(limits, wish, request), count)
}

function creationWish(
  { client }: Pick<Located, 'client'>,
  { operation, request }: { operation: Wish['operation']; request: UploadRequest },
): Wish {
  return { operation, route: request.route, client: { address: client } }
}

/** A ticket says whose it is without anybody being asked. */
async function withPrincipal(
  { projectId: usual }: CreationLimits,
  wish: Wish,
  request: UploadRequest,
): Promise<Wish> {
  const ticket = await request.ticket(false)
  const principal = ticket ? null : await request.principal()
  const client = {
    ...wish.client,
    principal: ticket ? holderOf(ticket) : principal?.id,
    project: (ticket ?? principal)?.projectId ?? usual,
  }
  return { ...wish, client }
}

/**
 * Asks who is asking, and counts wrong credentials for the address they come from: who sends too
 * many is not looked at for a while, whether the next one would be right or not. Requests that go
 * on with an upload are left alone.
 *
 * @throws {CarcosaError} RATE_LIMITED, and what auth providers throw
 */
export async function limitedAuthentication(
  { limiter, client, isLive }: AuthenticationLimits,
  authenticate: () => Promise<Principal | null>,
): Promise<Principal | null> {
  if (isLive) return authenticate()
  const wish: Wish = { operation: 'auth', client: { address: client } }
  limiter.assertFree(wish)
  try {
    return await authenticate()
  } catch (error) {
    if (isWrongCredential(error)) await limiter.spend(wish)
    throw error
  }
}

interface AuthenticationLimits {
  limiter: RateLimiter
  client: string | null
  /** Whether the request is about an upload that exists. */
  isLive: boolean
}

function isWrongCredential(error: unknown): boolean {
  return error instanceof CarcosaError && (error.status === 401 || error.status === 403)
}
