import { checkName } from '../accounts/check-organization.ts'
import { alone, noOrganization } from '../accounts/members.ts'
import { isInTeam, joinTeam, leaveTeam } from '../accounts/team-rows.ts'
import type { Statement } from '../db/database.ts'
import { CarcosaError } from '../shared/errors.ts'
import { isId, newId } from '../shared/ids.ts'
import { newestFirst, olderThan, type PageOptions, readPage } from '../shared/page.ts'
import type { ApiDeps } from './deps.ts'

/** Some members of an organization under a name, for an application to make use of. */
export interface Team {
  /** `team_` and 24 characters. */
  readonly id: string
  readonly organizationId: string
  readonly name: string
  readonly memberCount: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface NewTeam {
  organizationId: string
  /** Text of 1 to 200 characters. */
  name: string
}

export interface TeamList {
  teams: Team[]
  /** Give it to the next call; null on the last page. */
  nextCursor: string | null
}

/** Somebody in a team. */
export interface TeamMember {
  readonly userId: string
  readonly name: string
  readonly email: string
  /** When they joined it. */
  readonly createdAt: Date
}

export interface TeamMemberList {
  members: TeamMember[]
  /** Give it to the next call; null on the last page. */
  nextCursor: string | null
}

/** Teams give no permissions: what somebody may do is the role they have in the organization. */
export interface TeamsApi {
  /** @throws {CarcosaError} ORGANIZATION_NOT_FOUND, BAD_REQUEST */
  create(team: NewTeam): Promise<Team>
  /** Null if there is none. */
  get(id: string): Promise<Team | null>
  /** Newest first, in pages. @throws {CarcosaError} CURSOR_INVALID, BAD_REQUEST */
  list(options: PageOptions & { organizationId: string }): Promise<TeamList>
  /**
   * @param condition.ifUpdatedAt change it only if it was changed last at that time
   * @throws {CarcosaError} TEAM_NOT_FOUND, PRECONDITION_FAILED, BAD_REQUEST
   */
  update(
    id: string,
    changes: { name?: string },
    condition?: { ifUpdatedAt?: Date },
  ): Promise<Team>
  /** False if there is none. Its members stay in the organization. */
  delete(id: string): Promise<boolean>
  /** Newest first, in pages. @throws {CarcosaError} CURSOR_INVALID, BAD_REQUEST */
  listMembers(id: string, options?: PageOptions): Promise<TeamMemberList>
  /**
   * Done again, it changes nothing.
   * @throws {CarcosaError} TEAM_NOT_FOUND, MEMBER_NOT_FOUND for who is not in the organization
   */
  addMember(id: string, userId: string): Promise<void>
  /** False if they were not in it. */
  removeMember(id: string, userId: string): Promise<boolean>
}

export function createTeamsApi({ uploads, run }: ApiDeps): TeamsApi {
  const { db } = uploads
  const { team, teamMember } = db.prisma

  async function find(id: string): Promise<Team | null> {
    const row = isId(id) ? await team.findUnique({ where: { id } }) : null
    return row && describe(row)
  }

  async function require(id: string): Promise<Team> {
    const found = await find(id)
    if (found) return found
    throw new CarcosaError('TEAM_NOT_FOUND')
  }

  return {
    create: (wanted) =>
      run(async () => {
        const name = checkName(wanted.name)
        const { organizationId } = wanted
        if (!isId(organizationId)) throw noOrganization(organizationId)
        const values = [`team_${newId()}`, organizationId, name]
        const [row] = await alone(db, organizationId, (tx) =>
          tx.query<Row>(insertStatement, values),
        )
        if (!row) throw new CarcosaError('INTERNAL')
        return describe(row)
      }),
    get: (id) => run(() => find(id)),
    list: ({ organizationId, ...page }) =>
      run(async () => {
        const { rows, nextCursor } = await readPage(page, ({ after, take }) =>
          team.findMany({
            where: {
              organizationId: isId(organizationId) ? organizationId : '-',
              ...olderThan(after),
            },
            orderBy: newestFirst,
            take,
          }),
        )
        return { teams: rows.map(describe), nextCursor }
      }),
    update: (id, changes, { ifUpdatedAt } = {}) =>
      run(async () => {
        const name = changes.name === undefined ? null : checkName(changes.name)
        await require(id)
        const values = [id, name, ifUpdatedAt ?? null]
        const [row] = await db.query<Row>(updateStatement, values)
        if (row) return describe(row)
        await require(id)
        throw new CarcosaError('PRECONDITION_FAILED')
      }),
    delete: (id) =>
      run(async () => isId(id) && (await db.query(deleteStatement, [id])).length > 0),
    listMembers: (id, page = {}) =>
      run(async () => {
        const { rows, nextCursor } = await readPage(page, async ({ after, take }) => {
          const found = await teamMember.findMany({
            where: { teamId: isId(id) ? id : '-', ...olderThan(after) },
            orderBy: newestFirst,
            include: { user: { select: { name: true, email: true } } },
            take,
          })
          return found.map(({ createdAt, ...row }) => ({
            ...row,
            createdAt: createdAt ?? new Date(0),
          }))
        })
        const members = rows.map(({ userId, createdAt, user }) => ({
          ...{ userId, createdAt },
          ...user,
        }))
        return { members, nextCursor }
      }),
    addMember: (id, userId) =>
      run(async () => {
        const { organizationId } = await require(id)
        const place = { teamId: id, userId: isId(userId) ? userId : '-' }
        await alone(db, organizationId, async (tx) => {
          if ((await joinTeam(tx, place)) || (await isInTeam(tx, place))) return
          throw new CarcosaError('MEMBER_NOT_FOUND')
        })
      }),
    removeMember: (id, userId) =>
      run(async () =>
        isId(id) && isId(userId) ? leaveTeam(db, { teamId: id, userId }) : false,
      ),
  }
}

type Row = Omit<Team, 'updatedAt'> & { updatedAt: Date | null }

function describe(row: Row): Team {
  const { id, organizationId, name, memberCount, createdAt, updatedAt } = row
  return {
    ...{ id, organizationId, name, memberCount, createdAt },
    updatedAt: updatedAt ?? createdAt,
  }
}

const columns = `id, organization_id AS "organizationId", name,
  member_count AS "memberCount", created_at AS "createdAt", updated_at AS "updatedAt"`

const insertStatement: Statement = {
  name: 'team_insert',
  sql: `INSERT INTO carcosa.team (id, organization_id, name, updated_at)
VALUES ($1, $2, $3, now()) RETURNING ${columns}`,
}

const updateStatement: Statement = {
  name: 'team_update',
  sql: `UPDATE carcosa.team SET name = coalesce($2::text, name), updated_at = now()
WHERE id = $1
  AND ($3::timestamptz IS NULL OR coalesce(updated_at, created_at) = $3::timestamptz)
RETURNING ${columns}`,
}

const deleteStatement: Statement = {
  name: 'team_delete',
  sql: 'DELETE FROM carcosa.team WHERE id = $1 RETURNING id',
}
