import { checkEmail, checkRole } from '../accounts/check-organization.ts'
import {
  describeInvitation,
  endInvitation,
  type Invitation,
  insertInvitation,
  isMemberByEmail,
  takeInvitation,
} from '../accounts/invitation-rows.ts'
import type { Invite } from '../accounts/invite.ts'
import { alone, insertMember, noOrganization, tellMembers } from '../accounts/members.ts'
import { joinTeam } from '../accounts/team-rows.ts'
import { isForeignKeyViolation } from '../db/errors.ts'
import { parseDuration } from '../shared/durations.ts'
import { CarcosaError } from '../shared/errors.ts'
import { isId, newId } from '../shared/ids.ts'
import { newestFirst, olderThan, type PageOptions, readPage } from '../shared/page.ts'
import type { ApiDeps } from './deps.ts'

export interface NewInvitation {
  organizationId: string
  email: string
  /** What they become. Default `member`. */
  role?: string
  /** A team of the organization that they join along with it. */
  teamId?: string
  /** The id of the user who invites. */
  inviterId: string
  /** How long it can be accepted: milliseconds or `7d`, at most 90 days. Default 7 days. */
  expiresIn?: number | string
}

export interface InvitationListOptions extends PageOptions {
  organizationId: string
  /** Whether those that were accepted, rejected or revoked are listed too. Default false. */
  ended?: boolean
}

export interface InvitationList {
  invitations: Invitation[]
  /** Give it to the next call; null on the last page. */
  nextCursor: string | null
}

/**
 * Invitations to organizations. Its id is no secret: to accept one takes an account whose
 * confirmed address is the one that was invited.
 */
export interface InvitationsApi {
  /**
   * Invites somebody and lets the mailer tell them. A pending invitation of theirs to the same
   * organization ends.
   * @throws {CarcosaError} ORGANIZATION_NOT_FOUND, TEAM_NOT_FOUND, USER_NOT_FOUND, ALREADY_MEMBER,
   *   BAD_REQUEST
   */
  create(invitation: NewInvitation): Promise<Invitation>
  /** Null if there is none. */
  get(id: string): Promise<Invitation | null>
  /** Newest first, in pages. @throws {CarcosaError} CURSOR_INVALID, BAD_REQUEST */
  list(options: InvitationListOptions): Promise<InvitationList>
  /** Ends one that is pending; false if there is none. */
  revoke(id: string): Promise<boolean>
  /**
   * Makes the user a member; who is one already stays what they are.
   * @throws {CarcosaError} INVITATION_NOT_FOUND if there is none for their confirmed address that is
   *   pending and not too old
   */
  accept(id: string, userId: string): Promise<Invitation>
}

const longestMs = 90 * 24 * 3_600_000

export function createInvitationsApi(
  { uploads, run }: ApiDeps,
  invite: Invite = () => undefined,
): InvitationsApi {
  const { db, channel, access } = uploads
  const { invitation } = db.prisma

  async function create(wanted: NewInvitation): Promise<Invitation> {
    const { organizationId, teamId = null, inviterId } = wanted
    const email = checkEmail(wanted.email)
    const role = checkRole(wanted.role ?? 'member', access.roles)
    const expiresAt = new Date(Date.now() + lifetimeOf(wanted.expiresIn ?? '7d'))
    const organization = await nameOf(organizationId)
    if (teamId !== null) await requireTeam(organizationId, teamId)
    if (!isId(inviterId)) throw noInviter()
    const row = { id: `inv_${newId()}`, organizationId, email, role, teamId, inviterId }
    const made = await alone(db, organizationId, async (tx) => {
      if (await isMemberByEmail(tx, organizationId, email))
        throw new CarcosaError('ALREADY_MEMBER')
      return insertInvitation(tx, { ...row, expiresAt })
    }).catch((error) => {
      throw isForeignKeyViolation(error) ? noInviter() : error
    })
    if (!made) throw new CarcosaError('INTERNAL')
    invite(made, organization)
    return made
  }

  async function nameOf(id: string): Promise<string> {
    const found = isId(id)
      ? await db.prisma.organization.findUnique({ where: { id }, select: { name: true } })
      : null
    if (!found) throw noOrganization(id)
    return found.name
  }

  async function requireTeam(organizationId: string, id: string): Promise<void> {
    const where = { id: isId(id) ? id : '-', organizationId }
    const found = await db.prisma.team.findFirst({ where, select: { id: true } })
    if (!found) throw new CarcosaError('TEAM_NOT_FOUND')
  }

  async function find(id: string): Promise<Invitation | null> {
    const row = isId(id) ? await invitation.findUnique({ where: { id } }) : null
    return row && describeInvitation(row)
  }

  return {
    create: (wanted) => run(() => create(wanted)),
    get: (id) => run(() => find(id)),
    list: ({ organizationId, ended = false, ...page }) =>
      run(async () => {
        const { rows, nextCursor } = await readPage(page, ({ after, take }) =>
          invitation.findMany({
            where: {
              organizationId: isId(organizationId) ? organizationId : '-',
              ...(!ended && { status: 'pending' }),
              ...olderThan(after),
            },
            orderBy: newestFirst,
            take,
          }),
        )
        return { invitations: rows.map(describeInvitation), nextCursor }
      }),
    revoke: (id) =>
      run(async () => isId(id) && (await endInvitation(db, id, 'canceled')) !== null),
    accept: (id, userId) =>
      run(async () => {
        const found = isId(userId) ? await find(id) : null
        if (!found) throw noInvitation()
        const accepted = await alone(db, found.organizationId, async (tx) => {
          const taken = await takeInvitation(tx, id, userId)
          if (!taken) throw noInvitation()
          const { organizationId, role, teamId } = taken
          await insertMember(tx, { organizationId, userId, role })
          // A team that is gone by now is none to join.
          if (teamId !== null) await joinTeam(tx, { teamId, userId })
          return taken
        })
        tellMembers(channel, [userId])
        return accepted
      }),
  }
}

function lifetimeOf(given: number | string): number {
  const message = 'expiresIn is a duration of at most 90 days, such as 7d.'
  try {
    const ms = parseDuration(given)
    if (ms >= 1 && ms <= longestMs) return ms
  } catch (cause) {
    throw new CarcosaError('BAD_REQUEST', { message, cause })
  }
  throw new CarcosaError('BAD_REQUEST', { message })
}

function noInviter(): CarcosaError {
  return new CarcosaError('USER_NOT_FOUND', {
    message: 'There is no such user who could invite.',
  })
}

function noInvitation(): CarcosaError {
  return new CarcosaError('INVITATION_NOT_FOUND', {
    message:
      'There is no invitation for your confirmed address under this id that can still be accepted.',
  })
}
