import { checkName, checkSlug, slugFrom } from '../accounts/check-organization.ts'
import {
  insertMember,
  noOrganization,
  ownerRole,
  tellMembers,
} from '../accounts/members.ts'
import type { Statement } from '../db/database.ts'
import { isForeignKeyViolation, isUniqueViolation } from '../db/errors.ts'
import { CarcosaError } from '../shared/errors.ts'
import { isId, newId } from '../shared/ids.ts'
import { newestFirst, olderThan, type PageOptions, readPage } from '../shared/page.ts'
import type { ApiDeps } from './deps.ts'

/** Who owns projects: people with roles. */
export interface Organization {
  /** `org_` and 24 characters. */
  readonly id: string
  readonly name: string
  /** A word that is nobody else's, for URLs of an application. */
  readonly slug: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

export interface NewOrganization {
  /** What people call it: text of 1 to 200 characters. */
  name: string
  /** 1 to 63 letters a to z, digits and hyphens. Default: made from the name. */
  slug?: string
  /** The id of the user who becomes its owner. */
  ownerId: string
}

export interface OrganizationChanges {
  name?: string
  slug?: string
}

export interface OrganizationListOptions extends PageOptions {
  /** Those that this user is a member of. Default all. */
  userId?: string
}

export interface OrganizationList {
  organizations: Organization[]
  /** Give it to the next call; null on the last page. */
  nextCursor: string | null
}

/** The organizations of a Carcosa with accounts. Nothing here asks who is calling. */
export interface OrganizationsApi {
  /** @throws {CarcosaError} BAD_REQUEST, USER_NOT_FOUND, SLUG_TAKEN */
  create(organization: NewOrganization): Promise<Organization>
  /** Null if there is none. */
  get(id: string): Promise<Organization | null>
  /** Newest first, in pages. @throws {CarcosaError} CURSOR_INVALID, BAD_REQUEST */
  list(options?: OrganizationListOptions): Promise<OrganizationList>
  /**
   * @param condition.ifUpdatedAt change it only if it was changed last at that time
   * @throws {CarcosaError} ORGANIZATION_NOT_FOUND, SLUG_TAKEN, PRECONDITION_FAILED, BAD_REQUEST
   */
  update(
    id: string,
    changes: OrganizationChanges,
    condition?: { ifUpdatedAt?: Date },
  ): Promise<Organization>
  /**
   * Deletes it with its members, invitations and teams; false if there is none. Projects are not
   * deleted along with it: that is to be said of each, or they go to another organization.
   * @throws {CarcosaError} ORGANIZATION_NOT_EMPTY while it has projects, also deleted ones that
   *   can still be restored
   */
  delete(id: string): Promise<boolean>
}

export function createOrganizationsApi({ uploads, run }: ApiDeps): OrganizationsApi {
  const { db, channel } = uploads
  const { organization } = db.prisma

  async function insert(wanted: NewOrganization): Promise<Organization> {
    const name = checkName(wanted.name)
    const id = `org_${newId()}`
    const slug =
      wanted.slug === undefined ? slugFrom(name, newId()) : checkSlug(wanted.slug)
    const userId = wanted.ownerId
    if (!isId(userId)) throw noUser(userId)
    const row = await db
      .transaction(async (tx) => {
        const [made] = await tx.query<Organization>(insertStatement, [id, name, slug])
        await insertMember(tx, { organizationId: id, userId, role: ownerRole })
        return made
      })
      .catch((error) => {
        throw isForeignKeyViolation(error) ? noUser(userId) : slugError(error, slug)
      })
    if (!row) throw new CarcosaError('INTERNAL')
    tellMembers(channel, [userId])
    return row
  }

  return {
    create: (wanted) => run(() => insert(wanted)),
    get: (id) =>
      run(async () =>
        isId(id) ? organization.findUnique({ where: { id }, select }) : null,
      ),
    list: ({ userId, ...page } = {}) =>
      run(async () => {
        const { rows, nextCursor } = await readPage(page, ({ after, take }) =>
          organization.findMany({
            where: {
              ...(userId !== undefined && {
                members: { some: { userId: isId(userId) ? userId : '-' } },
              }),
              ...olderThan(after),
            },
            orderBy: newestFirst,
            select,
            take,
          }),
        )
        return { organizations: rows, nextCursor }
      }),
    update: (id, changes, { ifUpdatedAt } = {}) =>
      run(async () => {
        const name = changes.name === undefined ? null : checkName(changes.name)
        const slug = changes.slug === undefined ? null : checkSlug(changes.slug)
        if (!isId(id)) throw noOrganization(id)
        const [row] = await db
          .query<Organization>(updateStatement, [id, name, slug, ifUpdatedAt ?? null])
          .catch((error) => {
            throw slugError(error, slug)
          })
        if (row) return row
        const found = await organization.findUnique({ where: { id }, select })
        throw found ? new CarcosaError('PRECONDITION_FAILED') : noOrganization(id)
      }),
    delete: (id) =>
      run(async () => {
        if (!isId(id)) return false
        const rows = await db
          .query<{ members: string[] }>(deleteStatement, [id])
          .catch((error) => {
            throw isForeignKeyViolation(error) ? notEmpty() : error
          })
        tellMembers(channel, rows[0]?.members ?? [])
        return rows.length > 0
      }),
  }
}

const select = { id: true, name: true, slug: true, createdAt: true, updatedAt: true }

function noUser(id: string): CarcosaError {
  return new CarcosaError('USER_NOT_FOUND', {
    message: `There is no user ${JSON.stringify(String(id).slice(0, 64))}.`,
  })
}

function slugError(error: unknown, slug: string | null): unknown {
  if (!isUniqueViolation(error)) return error
  return new CarcosaError('SLUG_TAKEN', {
    message: `Another organization has the slug ${JSON.stringify(slug)}.`,
  })
}

function notEmpty(): CarcosaError {
  return new CarcosaError('ORGANIZATION_NOT_EMPTY', {
    message:
      'It has projects. Delete them and wait for the end of their grace period, or transfer them.',
  })
}

const columns = 'id, name, slug, created_at AS "createdAt", updated_at AS "updatedAt"'

const insertStatement: Statement = {
  name: 'organization_insert',
  sql: `INSERT INTO carcosa.organization (id, name, slug) VALUES ($1, $2, $3)
RETURNING ${columns}`,
}

const updateStatement: Statement = {
  name: 'organization_update',
  sql: `UPDATE carcosa.organization SET name = coalesce($2::text, name),
  slug = coalesce($3::text, slug), updated_at = now()
WHERE id = $1 AND ($4::timestamptz IS NULL OR updated_at = $4::timestamptz)
RETURNING ${columns}`,
}

// The snapshot is of before the deletion, which takes the members along.
const deleteStatement: Statement = {
  name: 'organization_delete',
  sql: `WITH gone AS (DELETE FROM carcosa.organization WHERE id = $1 RETURNING id)
SELECT array(
  SELECT user_id FROM carcosa.organization_member m WHERE m.organization_id = gone.id
) AS members FROM gone`,
}
