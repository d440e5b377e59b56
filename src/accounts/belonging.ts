import type { Statement } from '../db/database.ts'
import { asked, type Caller, type Core } from './core.ts'
import { objectOf, textOf } from './input.ts'
import { tellSessions } from './session-check.ts'

/** An invitation, as the person sees it who is invited. */
export interface ReceivedInvitation {
  readonly id: string
  readonly organizationId: string
  readonly organizationName: string
  readonly role: string
  readonly expiresAt: Date
}

/** An organization, as one of its members sees it. */
export interface OwnOrganization {
  readonly id: string
  readonly name: string
  readonly slug: string
  readonly role: string
}

/** What takes the session of the person it is about. */
export interface Belonging {
  /** The organizations of a user, oldest membership first; at most 500. */
  organizations(userId: string): Promise<OwnOrganization[]>
  /** Those that wait, newest first; at most 100. */
  invitations(caller: Caller): Promise<ReceivedInvitation[]>
  /** @throws {CarcosaError} INVITATION_NOT_FOUND, also for those of others; EMAIL_NOT_VERIFIED */
  accept(id: string, caller: Caller): Promise<{ organizationId: string; role: string }>
  /** @throws {CarcosaError} the same */
  reject(id: string, caller: Caller): Promise<void>
  /** `{ organizationId }`. @throws {CarcosaError} ORGANIZATION_NOT_FOUND, also for those of others */
  activate(body: unknown, caller: Caller): Promise<void>
}

export function createBelonging(core: Core): Belonging {
  const { db, channel, config, engine } = core
  const changed = ({ session }: Caller) => tellSessions(channel, session.row.userId)

  return {
    organizations: (userId) =>
      db.query<OwnOrganization>(organizationsStatement, [userId]),
    async invitations({ session: { row } }) {
      // Who has not shown that the address is theirs is not told what came for it.
      if (config.verifyEmail && !row.emailVerified) return []
      return db.query<ReceivedInvitation>(invitationsStatement, [row.email])
    },
    async accept(invitationId, caller) {
      const headers = await core.headersOf(caller, caller.session.token)
      const accepted = await asked(engine.accept(invitationId, headers))
      changed(caller)
      return accepted
    },
    async reject(invitationId, caller) {
      const headers = await core.headersOf(caller, caller.session.token)
      await asked(engine.reject(invitationId, headers))
    },
    async activate(body, caller) {
      const organizationId = textOf('organizationId', objectOf(body).organizationId, 64)
      const headers = await core.headersOf(caller, caller.session.token)
      await asked(engine.activate(organizationId, headers))
      changed(caller)
    },
  }
}

const organizationsStatement: Statement = {
  name: 'member_organizations',
  sql: `SELECT o.id, o.name, o.slug, m.role
FROM carcosa.organization_member m JOIN carcosa.organization o ON o.id = m.organization_id
WHERE m.user_id = $1 ORDER BY m.created_at, m.id LIMIT 500`,
}

const invitationsStatement: Statement = {
  name: 'invitation_received',
  sql: `SELECT i.id, i.organization_id AS "organizationId", o.name AS "organizationName",
  coalesce(i.role, 'member') AS role, i.expires_at AS "expiresAt"
FROM carcosa.organization_invitation i
JOIN carcosa.organization o ON o.id = i.organization_id
WHERE i.email = $1 AND i.status = 'pending' AND i.expires_at > now()
ORDER BY i.created_at DESC, i.id DESC LIMIT 100`,
}
