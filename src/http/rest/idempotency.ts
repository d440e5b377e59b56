import type { Principal } from '../../auth/principal.ts'
import type { IdempotencyKeys } from '../../idempotency/keys.ts'
import { CarcosaError } from '../../shared/errors.ts'
import { type Reply, withHeaders } from '../../shared/reply.ts'
import type { Located } from '../incoming.ts'
import type { Operation } from './operation.ts'

/** The header of draft-ietf-httpapi-idempotency-key-header. */
const header = 'idempotency-key'
/** Answers are sealed with it, so it must not be one that can be guessed. */
const shortest = 16
const longest = 255

interface Asked {
  readonly located: Located
  readonly operation: Operation
}

/**
 * What the client calls this request, so that it is done once however often it is sent. Null if it
 * does not say; what is no POST may be sent again as it is.
 * @throws {CarcosaError} HEADER_INVALID
 */
export function keyOf({ located, operation }: Asked): string | null {
  const given = operation.method === 'post' ? located.headers.get(header) : null
  if (given === null) return null
  // The draft has it in quotes, most clients do not.
  const key = /^"(.*)"$/.exec(given)?.[1] ?? given
  const fits = key.length >= shortest && key.length <= longest
  if (fits && /^[\x21-\x7e]+$/.test(key)) return key
  throw new CarcosaError('HEADER_INVALID', {
    message: `Idempotency-Key is ${shortest} to ${longest} visible characters of ASCII, best a random UUID.`,
  })
}

interface Keyed {
  readonly key: string
  readonly context: { readonly principal: Principal; readonly projectId: string }
  readonly asked: Asked
  readonly body: unknown
}

/**
 * Answers a request with a key: by doing it, or with what was answered the first time.
 * @throws {CarcosaError} what `IdempotencyKeys.once` throws
 */
export async function once(
  { idempotency }: { readonly idempotency: IdempotencyKeys },
  { key, context: { principal, projectId }, asked, body }: Keyed,
  work: () => Promise<Reply>,
): Promise<Reply> {
  const { method, segments, search } = asked.located
  const content = JSON.stringify([method, segments.join('/'), search, body])
  const keyed = { projectId, principalId: principal.id, key, content }
  const { answer, isReplayed } = await idempotency.once(keyed, async () =>
    JSON.stringify(await work()),
  )
  // As it was written: replies of the REST API are text.
  const reply = JSON.parse(answer) as Reply
  return isReplayed ? withHeaders(reply, { 'Idempotency-Replayed': 'true' }) : reply
}
