import {
  deleteSession,
  deleteSessions,
  extendSession,
  listSessions,
} from '../../accounts/session-rows.ts'
import { hasPassword } from '../../accounts/user-rows.ts'
import { CarcosaError } from '../../shared/errors.ts'
import type { Asking, Result } from './signed-in.ts'

export type Operation = (asking: Asking, id: string) => Promise<Result>

/** What there is under `/auth`, by path and method. */
export const operations: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  register: { POST: register },
  login: { POST: login },
  'login-link': { POST: loginByLink },
  logout: { POST: logout },
  'verify-email': { POST: verifyEmail },
  'verify-email/resend': { POST: resendVerification },
  'forgot-password': { POST: forgotPassword },
  'reset-password': { POST: resetPassword },
  password: { POST: changePassword },
  session: { GET: session },
  sessions: { GET: sessions, DELETE: endOthers },
  'sessions/:id': { DELETE: endOne },
  token: { GET: token },
  jwks: { GET: jwks },
  invitations: { GET: invitations },
  'invitations/:id/accept': { POST: accept },
  'invitations/:id/reject': { POST: reject },
  'active-organization': { POST: activate },
}

async function register(asking: Asking): Promise<Result> {
  const entered = await asking.accounts.register(await asking.attempt(), asking.sender)
  if (entered) return asking.enter(entered, 201)
  return { status: 202, body: { status: 'verify-email' } }
}

async function login(asking: Asking): Promise<Result> {
  const entered = await asking.accounts.login(await asking.attempt(), asking.sender)
  return asking.enter(entered)
}

async function loginByLink(asking: Asking): Promise<Result> {
  const { accounts } = asking
  const entered = await accounts.loginByLink(await asking.attempt(), asking.sender)
  const result = asking.enter(entered)
  const needsPassword = !(await hasPassword(accounts.db, entered.user.id))
  return { ...result, body: { ...result.body, needsPassword } }
}

async function logout(asking: Asking): Promise<Result> {
  await asking.accounts.logout(await asking.caller())
  return { headers: asking.leave() }
}

async function verifyEmail(asking: Asking): Promise<Result> {
  await asking.accounts.verifyEmail(await asking.attempt())
  return {}
}

async function resendVerification(asking: Asking): Promise<Result> {
  asking.accounts.resendVerification(await asking.attempt())
  return { status: 202 }
}

async function forgotPassword(asking: Asking): Promise<Result> {
  asking.accounts.forgotPassword(await asking.attempt())
  return { status: 202 }
}

async function resetPassword(asking: Asking): Promise<Result> {
  await asking.accounts.resetPassword(await asking.attempt())
  return { headers: asking.leave() }
}

/** Who finds a browser that is signed in may guess no longer than anybody else. */
async function changePassword(asking: Asking): Promise<Result> {
  const caller = await asking.caller()
  const body = await asking.attempt(caller.session.row.email)
  const entered = await asking.accounts.changePassword(body, caller)
  return entered ? asking.enter(entered) : {}
}

/** Who is signed in; whoever asks at least once in a while stays so. */
async function session(asking: Asking): Promise<Result> {
  const { accounts, located } = asking
  const { session: found } = await asking.caller()
  const { id, userId, email, name, emailVerified, activeOrganizationId } = found.row
  const seconds = accounts.config.sessionLifetime / 1_000
  const extended = await extendSession(accounts.db, id, seconds)
  const user = { id: userId, email, name, emailVerified }
  const organizations = await accounts.organizations(userId)
  const expiresAt = extended ?? found.row.expiresAt
  const body = { user, session: { id, expiresAt, activeOrganizationId }, organizations }
  if (!extended) return { body }
  accounts.changed(userId)
  const value = accounts.cookie.read(located.headers)
  if (!found.isCookie || value === null) return { body }
  const cookie = accounts.cookie.set(located, value, Math.round(seconds))
  return { body, headers: { 'Set-Cookie': cookie } }
}

async function sessions(asking: Asking): Promise<Result> {
  const { row } = (await asking.caller()).session
  const all = await listSessions(asking.accounts.db, row.userId)
  return {
    body: { sessions: all.map((one) => ({ ...one, current: one.id === row.id })) },
  }
}

async function endOthers(asking: Asking): Promise<Result> {
  const { accounts } = asking
  const { row } = (await asking.caller()).session
  const ended = await deleteSessions(accounts.db, row.userId, row.id)
  accounts.changed(row.userId)
  return { body: { ended } }
}

async function endOne(asking: Asking, id: string): Promise<Result> {
  const { accounts } = asking
  const { row } = (await asking.caller()).session
  const isId = /^ses_[\w-]{24}$/.test(id)
  const ended = isId && (await deleteSession(accounts.db, row.userId, id))
  if (!ended) throw new CarcosaError('SESSION_NOT_FOUND')
  accounts.changed(row.userId)
  return id === row.id ? { headers: asking.leave() } : {}
}

async function token(asking: Asking): Promise<Result> {
  const principal = await asking.principal()
  return { body: { token: await asking.accounts.issueToken(principal) } }
}

async function jwks(asking: Asking): Promise<Result> {
  const headers = { 'Cache-Control': 'public, max-age=300' }
  return { body: await asking.accounts.publicKeys(), headers }
}

async function invitations(asking: Asking): Promise<Result> {
  return {
    body: { invitations: await asking.accounts.invitations(await asking.caller()) },
  }
}

async function accept(asking: Asking, id: string): Promise<Result> {
  return { body: await asking.accounts.accept(id, await asking.caller()) }
}

async function reject(asking: Asking, id: string): Promise<Result> {
  await asking.accounts.reject(id, await asking.caller())
  return {}
}

async function activate(asking: Asking): Promise<Result> {
  const caller = await asking.caller()
  await asking.accounts.activate(await asking.body(), caller)
  return {}
}
