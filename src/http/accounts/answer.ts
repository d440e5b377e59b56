import type { Accounts } from '../../accounts/accounts.ts'
import type { RateLimiter } from '../../limits/limiter.ts'
import { CarcosaError } from '../../shared/errors.ts'
import { jsonReply, type Reply, withHeaders } from '../../shared/reply.ts'
import type { Located } from '../incoming.ts'
import { type Operation, operations } from './operations.ts'
import { pageOf } from './pages.ts'
import { signedIn } from './signed-in.ts'

export interface AccountPaths {
  readonly accounts: Accounts
  readonly limiter: RateLimiter
}

/** What no answer about people may be: framed, or read as something else. */
const always = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
}

/** Everything under `/auth`: pages for people, and the operations they call. */
export async function answerAccounts(
  paths: AccountPaths,
  located: Located,
): Promise<Reply> {
  const page = pageOf(located, paths.accounts.config)
  if (page) return withHeaders(page, always)
  const { operation, id } = operationAt(located)
  const result = await operation(signedIn(paths, located), id)
  const { status = 200, body = {}, headers = {} } = result
  return withHeaders(jsonReply(status, body), { ...always, ...headers })
}

/** @throws {CarcosaError} NOT_FOUND, METHOD_NOT_ALLOWED */
function operationAt(located: Located): { operation: Operation; id: string } {
  const [, ...rest] = located.segments
  const { path, id } = patternOf(rest)
  const methods = Object.hasOwn(operations, path) ? operations[path] : undefined
  if (!methods) throw new CarcosaError('NOT_FOUND')
  const method = located.method === 'HEAD' ? 'GET' : located.method
  const operation = Object.hasOwn(methods, method) ? methods[method] : undefined
  if (operation) return { operation, id }
  const allowed = Object.keys(methods).join(', ')
  throw new CarcosaError('METHOD_NOT_ALLOWED', {
    message: `${located.method.slice(0, 20)} is not allowed here; use ${allowed}.`,
    headers: { Allow: `${allowed}, OPTIONS` },
  })
}

/** `invitations/inv_1/accept` is `invitations/:id/accept` with an id. */
function patternOf([noun = '', id, ...more]: readonly string[]) {
  const takesId = (noun === 'sessions' || noun === 'invitations') && id !== undefined
  if (!takesId) return { path: [noun, ...(id ? [id] : []), ...more].join('/'), id: '' }
  return { path: [noun, ':id', ...more].join('/'), id: id.slice(0, 100) }
}
