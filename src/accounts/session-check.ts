import { bearerToken } from '../auth/bearer.ts'
import {
  type AuthRequest,
  noScopes,
  type Principal,
  type SessionServices,
} from '../auth/principal.ts'
import { projectTopic } from '../auth/project-gate.ts'
import { createRowCache } from '../auth/row-cache.ts'
import type { Channel } from '../channel/channel.ts'
import type { Database } from '../db/database.ts'
import { CarcosaError } from '../shared/errors.ts'
import type { SessionCookie } from './cookie.ts'
import { assertNotForged, type TrustedPages } from './forgery.ts'
import { findSession, type SessionRow } from './session-rows.ts'
import { looksLikeSession, type SessionTokens } from './session-token.ts'
import { sessionTopic } from './session-topic.ts'
import { findHolder, type Holder } from './user-rows.ts'

/** Tells all processes that what they know of the sessions of a user is no longer true. */
export function tellSessions(channel: Pick<Channel, 'send'>, userId: string): void {
  channel.send(sessionTopic, userId, true)
}

export interface SessionCheckDeps {
  readonly db: Pick<Database, 'query'>
  readonly channel: Pick<Channel, 'on' | 'onGap'>
  readonly tokens: SessionTokens
  readonly cookie: SessionCookie
  readonly pages: TrustedPages
  /** Whether somebody may begin uploads on a route of their project. */
  mayUpload(principal: Principal, route: string): boolean
}

/** A session that works, by the request it came with. */
export interface FoundSession {
  readonly row: SessionRow
  /** As better-auth knows it. */
  readonly token: string
  readonly isCookie: boolean
}

/** Finds out who is signed in. */
export interface SessionCheck extends SessionServices {
  /**
   * The session of a request; null if it has none.
   * @throws {CarcosaError} UNAUTHENTICATED, CROSS_SITE
   */
  find(request: AuthRequest): Promise<FoundSession | null>
  /** @throws {CarcosaError} the same, and PROJECT_NOT_FOUND */
  authenticate(request: AuthRequest): Promise<Principal | null>
}

/** At most one query for each session and project in five seconds; none for a forged credential. */
export function createSessionCheck(deps: SessionCheckDeps): SessionCheck {
  const { db, channel, tokens, cookie, pages } = deps
  const topics = [sessionTopic, projectTopic]
  const isAbout = (row: Pick<Holder, 'userId' | 'projectId'>, message: string) =>
    ['*', row.userId, row.projectId].includes(message)
  const sessions = createRowCache<SessionRow>({ channel, topics, isAbout })
  const holders = createRowCache<Holder>({ channel, topics, isAbout })

  const find = async (request: AuthRequest): Promise<FoundSession | null> => {
    const credential = credentialOf(request, cookie)
    if (credential === null) return null
    const { isCookie, text } = credential
    if (isCookie) assertNotForged(request, pages)
    const token = tokens.open(text)
    if (token === null) throw refused('unknown')
    const project = projectOf(request)
    const row = await sessions.get(`${token} ${project ?? ''}`, () =>
      findSession(db, token, project),
    )
    if (!row) throw refused('unknown')
    if (row.expiresAt.getTime() <= Date.now()) throw refused('expired')
    if (row.disabledAt) throw refused('disabled')
    return { row, token, isCookie }
  }

  return {
    find,
    async authenticate(request) {
      const found = await find(request)
      return found && principalOf(found.row, projectOf(request))
    },
    async isUserShutOut(id, where) {
      const { projectId = null, route } = where ?? {}
      const holder = await holders.get(`${id} ${projectId ?? ''}`, () =>
        findHolder(db, id, projectId),
      )
      if (!holder || holder.isDisabled) return true
      if (projectId === null || route === undefined) return false
      const { organizationId, role } = holder
      if (organizationId === null || role === null) return true
      const now = { id, kind: 'user', projectId, organizationId, role } as const
      return !deps.mayUpload(now, route)
    },
    onChange(tell) {
      channel.on(sessionTopic, tell)
      // Any of its people may be somebody else now.
      channel.on(projectTopic, () => tell('*'))
    },
  }
}

function credentialOf(request: AuthRequest, cookie: SessionCookie) {
  const bearer = bearerToken(request)
  if (bearer !== null && looksLikeSession(bearer))
    return { text: bearer, isCookie: false }
  const text = cookie.read(request.headers)
  return text === null || text === '' ? null : { text, isCookie: true }
}

/** The project that a request names, by the header or else in its query; null if it names none. */
function projectOf({ headers, url }: AuthRequest): string | null {
  const at = url.indexOf('?')
  const inQuery = at < 0 ? null : new URLSearchParams(url.slice(at)).get('project')
  const named = headers.get('carcosa-project') ?? inQuery
  return named === null || named === '' ? null : named.slice(0, 256).replaceAll('\0', '')
}

/** Who is in no organization has no project: nothing is theirs but their account. */
const nowhere = { projectId: '-', scopes: noScopes } as const

function principalOf(row: SessionRow, asked: string | null): Principal {
  const { userId: id, projectId, organizationId, role, email, name } = row
  if (asked !== null && projectId === null) {
    throw new CarcosaError('PROJECT_NOT_FOUND', {
      message: `There is no project ${JSON.stringify(asked.slice(0, 64))}.`,
    })
  }
  const claims = { email, name, emailVerified: row.emailVerified, sessionId: row.id }
  const who = { id, kind: 'user', organizationId, claims } as const
  if (projectId === null) return { ...who, ...nowhere, ...(role && { role }) }
  return { ...who, projectId, ...(role && { role }) }
}

const messages = {
  unknown: 'There is no such session. Sign in again.',
  expired: 'The session has expired. Sign in again.',
  disabled: 'This account was disabled.',
} as const

function refused(reason: keyof typeof messages): CarcosaError {
  return new CarcosaError('UNAUTHENTICATED', {
    message: messages[reason],
    details: { reason },
  })
}
