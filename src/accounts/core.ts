import { createHmac } from 'node:crypto'
import type { Channel } from '../channel/channel.ts'
import type { Database } from '../db/database.ts'
import type { AccountsConfig, Mail } from '../shared/accounts.ts'
import { toRefusal } from './refusals.ts'
import type { FoundSession } from './session-check.ts'
import type { SessionTokens } from './session-token.ts'

/**
 * What we ask of better-auth, in our own words: its types are none that users of this package
 * should have to compile.
 */
export interface Engine {
  /** What the cookie that it reads is called, and signed with. */
  signing(): Promise<{ cookieName: string; secret: string }>
  signUp(body: Named & Keyed, headers: Headers): Promise<MaybeSignedIn>
  signIn(body: Keyed, headers: Headers): Promise<{ token: string; user: Entered['user'] }>
  requestReset(email: string): Promise<unknown>
  resetPassword(body: { token: string; newPassword: string }): Promise<unknown>
  setPassword(newPassword: string, headers: Headers): Promise<unknown>
  /** Ends all sessions, and begins another. */
  changePassword(
    body: { newPassword: string; currentPassword: string },
    headers: Headers,
  ): Promise<MaybeSignedIn>
  accept(
    invitationId: string,
    headers: Headers,
  ): Promise<{ organizationId: string; role: string }>
  reject(invitationId: string, headers: Headers): Promise<unknown>
  activate(organizationId: string, headers: Headers): Promise<unknown>
  signJwt(payload: Record<string, unknown>): Promise<string>
  jwks(): Promise<object>
}

interface MaybeSignedIn {
  readonly token: string | null
  readonly user: Entered['user']
}

interface Keyed {
  readonly email: string
  readonly password: string
}

interface Named {
  readonly name: string
}

/** What everything stands on that is done with accounts. */
export interface Core {
  readonly db: Database
  readonly channel: Pick<Channel, 'send'>
  readonly config: AccountsConfig
  readonly tokens: SessionTokens
  readonly engine: Engine
  /** `headers` are those of {@link Caller}, with the session that better-auth is to act for. */
  headersOf(sender: Sender, token?: string): Promise<Headers>
  /** Sends it without anybody waiting for that; what goes wrong is logged. */
  send(mail: Mail): void
  /** Does it without anybody waiting for that, but before the database is closed. */
  later(work: () => Promise<unknown>): void
  /** A link to a page of ours; `token` stays in the browser, out of every log. */
  linkTo(page: Page, token?: string): string
}

export type Page = 'sign-in' | 'login' | 'verify-email' | 'reset-password' | 'invitation'

/** Where a request comes from, to be shown to the person whose session it is. */
export interface Sender {
  readonly address: string | null
  readonly userAgent: string | null
}

/** What a request does in the name of somebody who is signed in. */
export interface Caller extends Sender {
  readonly session: FoundSession
}

/** Somebody who has just signed in. */
export interface Entered {
  /** The credential of the session: for the cookie, or as a bearer token. */
  readonly credential: string
  readonly expiresAt: Date
  readonly user: Readonly<{ id: string; email: string; name: string }>
}

/** Asks better-auth. @throws {CarcosaError} for what it refuses */
export async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw toRefusal(error)
  }
}

/** Makes the headers of the requests that better-auth sees: it is told what was checked before. */
export function createHeaders(engine: Engine): Core['headersOf'] {
  return async ({ address, userAgent }, token) => {
    const headers = new Headers()
    if (address) headers.set('x-forwarded-for', address)
    if (userAgent) headers.set('user-agent', userAgent.slice(0, 300))
    if (token === undefined) return headers
    const { cookieName, secret } = await engine.signing()
    const signature = createHmac('sha256', secret).update(token).digest('base64')
    const value = encodeURIComponent(`${token}.${signature}`)
    headers.set('cookie', `${cookieName}=${value}`)
    return headers
  }
}
