import type { Accounts } from '../../accounts/accounts.ts'
import type { Caller, Entered, Sender } from '../../accounts/core.ts'
import { assertNotCrossSite } from '../../accounts/forgery.ts'
import type { Principal } from '../../auth/principal.ts'
import { CarcosaError } from '../../shared/errors.ts'
import { readJson } from '../body.ts'
import type { Located } from '../incoming.ts'
import type { AccountPaths } from './answer.ts'

/** What an operation is given: the request, and who sends it. */
export interface Asking {
  readonly accounts: Accounts
  readonly located: Located
  readonly sender: Sender
  /**
   * The JSON body of an attempt to prove who one is. It is counted: for the address, and for the
   * account it is about, which is the one whose e-mail address it names, or `account`.
   * @throws {CarcosaError} RATE_LIMITED, CROSS_SITE, BAD_REQUEST, CONTENT_TYPE_UNSUPPORTED
   */
  attempt(account?: string): Promise<unknown>
  /** The JSON body of a request of somebody who is signed in. */
  body(): Promise<unknown>
  /** @throws {CarcosaError} UNAUTHENTICATED, CROSS_SITE */
  caller(): Promise<Caller>
  /** @throws {CarcosaError} the same, and PROJECT_NOT_FOUND */
  principal(): Promise<Principal>
  /** The answer to who has just signed in. */
  enter(entered: Entered, status?: number): Result
  /** The header that takes the cookie away. */
  leave(): Record<string, string>
}

export interface Result {
  /** Default 200. */
  readonly status?: number
  /** Default an empty object. */
  readonly body?: object
  readonly headers?: Record<string, string>
}

export function signedIn({ accounts, limiter }: AccountPaths, located: Located): Asking {
  const { cookie, check, pages } = accounts
  const { headers, address, method, path, search, client } = located
  const sender: Sender = { address, userAgent: headers.get('user-agent') }
  const request = { method, url: path + search, headers, address }

  return {
    accounts,
    located,
    sender,
    async attempt(about) {
      assertNotCrossSite(located, pages)
      limiter.assertFree({ operation: 'auth', client: { address: client } })
      const body = await readJson(located)
      const account = about ?? emailIn(body)
      await limiter.spend({ operation: 'auth', client: { address: client, account } })
      return body
    },
    body: () => readJson(located),
    async caller() {
      const session = await check.find(request)
      if (session) return { ...sender, session }
      throw nobody()
    },
    async principal() {
      const principal = await check.authenticate(request)
      if (principal) return principal
      throw nobody()
    },
    enter({ credential, expiresAt, user }, status = 200) {
      const seconds = Math.round((expiresAt.getTime() - Date.now()) / 1_000)
      return {
        status,
        body: { status: 'signed-in', user, token: credential, expiresAt },
        headers: { 'Set-Cookie': cookie.set(located, credential, seconds) },
      }
    },
    leave: () => ({ 'Set-Cookie': cookie.clear(located) }),
  }
}

/** The account that an attempt is about; what it says is judged later. */
function emailIn(body: unknown): string | null {
  if (typeof body !== 'object' || body === null || !('email' in body)) return null
  const { email } = body
  return typeof email === 'string' ? email.slice(0, 254).toLowerCase() : null
}

function nobody(): CarcosaError {
  return new CarcosaError('UNAUTHENTICATED', { message: 'Nobody is signed in.' })
}
