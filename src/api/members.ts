import { checkRole } from '../accounts/check-organization.ts'
import {
  alone,
  deleteMember,
  insertMember,
  noOrganization,
  type Place,
  setRole,
  tellMembers,
} from '../accounts/members.ts'
import { isForeignKeyViolation } from '../db/errors.ts'
import { CarcosaError } from '../shared/errors.ts'
import { isId } from '../shared/ids.ts'
import { newestFirst, olderThan, type PageOptions, readPage } from '../shared/page.ts'
import type { ApiDeps } from './deps.ts'

/** Somebody in an organization, and what they are there. */
export interface Member {
  readonly id: string
  readonly organizationId: string
  readonly userId: string
  /** A role of the table in README, or of the option `roles`: in all projects of the organization. */
  readonly role: string
  readonly name: string
  readonly email: string
  readonly createdAt: Date
}

export interface NewMember {
  organizationId: string
  userId: string
  /** Default `member`. */
  role?: string
}

export interface MemberListOptions extends PageOptions {
  organizationId: string
}

export interface MemberList {
  members: Member[]
  /** Give it to the next call; null on the last page. */
  nextCursor: string | null
}

/** Who belongs to organizations. What is changed holds with their next request. */
export interface MembersApi {
  /**
   * Somebody who is a member stays what they are.
   * @throws {CarcosaError} ORGANIZATION_NOT_FOUND, USER_NOT_FOUND, BAD_REQUEST
   */
  add(member: NewMember): Promise<Member>
  /** Null if they are no member. */
  get(organizationId: string, userId: string): Promise<Member | null>
  /** Newest first, in pages. @throws {CarcosaError} CURSOR_INVALID, BAD_REQUEST */
  list(options: MemberListOptions): Promise<MemberList>
  /**
   * @param condition.ifRole change it only if it still is this one
   * @throws {CarcosaError} MEMBER_NOT_FOUND, LAST_OWNER, PRECONDITION_FAILED, BAD_REQUEST
   */
  setRole(
    organizationId: string,
    userId: string,
    role: string,
    condition?: { ifRole?: string },
  ): Promise<Member>
  /** False if they were no member. @throws {CarcosaError} LAST_OWNER */
  remove(organizationId: string, userId: string): Promise<boolean>
}

export function createMembersApi({ uploads, run }: ApiDeps): MembersApi {
  const { db, channel, access } = uploads

  async function find({ organizationId, userId }: Place): Promise<Member | null> {
    if (!isId(organizationId) || !isId(userId)) return null
    const row = await db.prisma.member.findUnique({
      where: { userId_organizationId: { userId, organizationId } },
      select,
    })
    return row && describe(row)
  }

  async function require(place: Place): Promise<Member> {
    const found = await find(place)
    if (found) return found
    throw new CarcosaError('MEMBER_NOT_FOUND')
  }

  return {
    add: ({ organizationId, userId, role = 'member' }) =>
      run(async () => {
        checkRole(role, access.roles)
        if (!isId(organizationId)) throw noOrganization(organizationId)
        if (!isId(userId)) throw new CarcosaError('USER_NOT_FOUND')
        const member = { organizationId, userId, role }
        await alone(db, organizationId, (tx) => insertMember(tx, member)).catch(
          (error) => {
            throw isForeignKeyViolation(error)
              ? new CarcosaError('USER_NOT_FOUND')
              : error
          },
        )
        tellMembers(channel, [userId])
        return require(member)
      }),
    get: (organizationId, userId) => run(() => find({ organizationId, userId })),
    list: ({ organizationId, ...page }) =>
      run(async () => {
        const { rows, nextCursor } = await readPage(page, ({ after, take }) =>
          db.prisma.member.findMany({
            where: {
              organizationId: isId(organizationId) ? organizationId : '-',
              ...olderThan(after),
            },
            orderBy: newestFirst,
            select,
            take,
          }),
        )
        return { members: rows.map(describe), nextCursor }
      }),
    setRole: (organizationId, userId, role, { ifRole } = {}) =>
      run(async () => {
        checkRole(role, access.roles)
        const place = { organizationId, userId }
        await require(place)
        const changed = await alone(db, organizationId, async (tx) => {
          const done = await setRole(tx, place, role)
          if (done && ifRole !== undefined && done.before !== ifRole)
            throw new CarcosaError('PRECONDITION_FAILED')
          return done
        })
        if (!changed) throw new CarcosaError('MEMBER_NOT_FOUND')
        tellMembers(channel, [userId])
        return require(place)
      }),
    remove: (organizationId, userId) =>
      run(async () => {
        const place = { organizationId, userId }
        if (!(await find(place))) return false
        const removed = await alone(db, organizationId, (tx) => deleteMember(tx, place))
        tellMembers(channel, [userId])
        return removed
      }),
  }
}

const select = {
  id: true,
  organizationId: true,
  userId: true,
  role: true,
  createdAt: true,
  user: { select: { name: true, email: true } },
} as const

type Row = Omit<Member, 'name' | 'email'> & { user: Pick<Member, 'name' | 'email'> }

function describe({ user, ...member }: Row): Member {
  return { ...member, ...user }
}
