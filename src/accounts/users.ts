import type { Channel } from '../channel/channel.ts'
import type { Database, Statement } from '../db/database.ts'
import { ownerEmail } from '../shared/accounts.ts'
import { CarcosaError } from '../shared/errors.ts'
import { newId } from '../shared/ids.ts'
import { createFirstOwner } from './first-owner.ts'
import { emailOf, textOf } from './input.ts'
import { createLink } from './links.ts'
import { tellSessions } from './session-check.ts'
import { deleteSessions } from './session-rows.ts'
import { readCursor, writeCursor } from './user-cursor.ts'
import {
  deletePassword,
  findUser,
  insertUser,
  setDisabled,
  type User,
  userColumns,
} from './user-rows.ts'

/** Signs in once whoever opens it first. */
export interface LoginLink {
  /** Absolute where `publicUrl` is configured. */
  readonly url: string
  readonly expiresAt: Date
}

export interface NewUser {
  readonly email: string
  /** Default what stands before the `@`. */
  readonly name?: string
  /** The organization they become a member of. Default the one that owns the default project. */
  readonly organizationId?: string
  /** Their role in it: of `carcosa users create --role`, or of the option `roles`. Default `member`. */
  readonly role?: string
}

export interface UserList {
  /** Users per page, 1 to 500. Default 50. */
  readonly limit?: number
  /** `nextCursor` of the page before. */
  readonly cursor?: string
}

export interface UserPage {
  readonly users: User[]
  /** Give it to the next call; null on the last page. */
  readonly nextCursor: string | null
}

/** The people of a Carcosa, for the program it runs in. Nothing here asks who is calling. */
export interface UsersApi {
  /**
   * Makes a user without a password, and a link by which they sign in and choose one.
   * @throws {CarcosaError} BAD_REQUEST, EMAIL_TAKEN, ORGANIZATION_NOT_FOUND
   */
  create(user: NewUser): Promise<{ user: User; login: LoginLink }>
  /** On a database without users, an owner: once, whoever asks. Null if there are users. */
  createOwner(): Promise<{ email: string; login: LoginLink } | null>
  /** Newest first. @throws {CarcosaError} BAD_REQUEST, CURSOR_INVALID */
  list(options?: UserList): Promise<UserPage>
  /** By id or e-mail address; null if there is none. */
  get(idOrEmail: string): Promise<User | null>
  /** A link by which they sign in once, in place of a password. @throws {CarcosaError} USER_NOT_FOUND */
  createLoginLink(idOrEmail: string): Promise<LoginLink>
  /**
   * Takes away the password, ends all sessions, and makes a link to sign in and choose another.
   * @throws {CarcosaError} USER_NOT_FOUND
   */
  resetPassword(idOrEmail: string): Promise<LoginLink>
  /** Ends all their sessions, and says how many. @throws {CarcosaError} USER_NOT_FOUND */
  revokeSessions(idOrEmail: string): Promise<number>
  /**
   * Shuts somebody out: sessions end, and uploads with their next request.
   * @throws {CarcosaError} USER_NOT_FOUND
   */
  disable(idOrEmail: string): Promise<User>
  /** @throws {CarcosaError} USER_NOT_FOUND */
  enable(idOrEmail: string): Promise<User>
}

export interface UsersDeps {
  readonly db: Database
  readonly channel: Pick<Channel, 'send'>
  readonly defaultProject: string
  readonly roles: readonly string[]
  /** What stands before `/auth` in links. */
  readonly base: string
}

export function createUsersApi(deps: UsersDeps): UsersApi {
  const { db, channel } = deps
  const linkOf = (link: { token: string; expiresAt: Date }): LoginLink => ({
    url: `${deps.base}/auth/login#${link.token}`,
    expiresAt: link.expiresAt,
  })
  const require = async (idOrEmail: string): Promise<User> => {
    const user = await findUser(db, String(idOrEmail).slice(0, 256).replaceAll('\0', ''))
    if (user) return user
    throw new CarcosaError('USER_NOT_FOUND', {
      message: `There is no user ${JSON.stringify(String(idOrEmail).slice(0, 100))}.`,
    })
  }
  const end = async (userId: string) => {
    const ended = await deleteSessions(db, userId)
    tellSessions(channel, userId)
    return ended
  }

  return {
    async create(wanted) {
      const user = await insert(deps, wanted)
      const login = linkOf(await createLink(db, 'login', user.id))
      return { user, login }
    },
    async createOwner() {
      const owner = await createFirstOwner(db, deps.defaultProject)
      return owner && { email: ownerEmail, login: linkOf(owner) }
    },
    async list({ limit = 50, cursor } = {}) {
      if (!Number.isInteger(limit) || limit < 1 || limit > 500) {
        throw bad(`limit is 1 to 500, not ${limit}.`)
      }
      const after = cursor === undefined ? null : readCursor(cursor)
      const values = [
        after?.createdAt.toISOString() ?? null,
        after?.id ?? null,
        limit + 1,
      ]
      const rows = await db.query<User>(listStatement, values)
      const users = rows.slice(0, limit)
      const last = users.at(-1)
      return { users, nextCursor: last && rows.length > limit ? writeCursor(last) : null }
    },
    get: (idOrEmail) => findUser(db, String(idOrEmail).replaceAll('\0', '')),
    async createLoginLink(idOrEmail) {
      const { id } = await require(idOrEmail)
      return linkOf(await createLink(db, 'login', id))
    },
    async resetPassword(idOrEmail) {
      const { id } = await require(idOrEmail)
      await deletePassword(db, id)
      await end(id)
      return linkOf(await createLink(db, 'login', id))
    },
    revokeSessions: async (idOrEmail) => end((await require(idOrEmail)).id),
    async disable(idOrEmail) {
      const { id } = await require(idOrEmail)
      const user = await setDisabled(db, id, true)
      await end(id)
      return user ?? require(idOrEmail)
    },
    async enable(idOrEmail) {
      const { id } = await require(idOrEmail)
      const user = await setDisabled(db, id, false)
      tellSessions(channel, id)
      return user ?? require(idOrEmail)
    },
  }
}

async function insert(deps: UsersDeps, wanted: NewUser): Promise<User> {
  const email = emailOf(wanted.email)
  const name = textOf('name', wanted.name ?? email.split('@', 1)[0])
  const { role = 'member' } = wanted
  if (!deps.roles.includes(role)) {
    throw bad(
      `There is no role ${JSON.stringify(role)}; roles are ${deps.roles.join(', ')}.`,
    )
  }
  const organizationId = await organizationOf(deps, wanted.organizationId)
  return deps.db.transaction(async (tx) => {
    const user = await insertUser(tx, { id: `user_${newId()}`, email, name })
    if (!user) throw new CarcosaError('EMAIL_TAKEN')
    if (organizationId) {
      const values = [`mem_${newId()}`, organizationId, user.id, role]
      await tx.query(memberStatement, values)
    }
    return user
  })
}

/** Null where nobody owns the default project, and none was named. */
async function organizationOf(
  { db, defaultProject }: UsersDeps,
  named: string | undefined,
): Promise<string | null> {
  const values = [named ?? null, defaultProject]
  const [found] = await db.query<{ id: string }>(organizationStatement, values)
  if (found || named === undefined) return found?.id ?? null
  throw new CarcosaError('ORGANIZATION_NOT_FOUND')
}

function bad(message: string): CarcosaError {
  return new CarcosaError('BAD_REQUEST', { message })
}

const listStatement: Statement = {
  name: 'user_list',
  sql: `SELECT ${userColumns} FROM carcosa.user_account
WHERE $1::timestamptz IS NULL OR (created_at, id) < ($1::timestamptz, $2::text)
ORDER BY created_at DESC, id DESC LIMIT $3`,
}

const organizationStatement: Statement = {
  name: 'user_organization',
  sql: `SELECT o.id FROM carcosa.organization o
WHERE o.id = coalesce($1::text,
  (SELECT organization_id FROM carcosa.project WHERE id = $2))`,
}

const memberStatement: Statement = {
  name: 'user_member',
  sql: `INSERT INTO carcosa.organization_member (id, organization_id, user_id, role)
VALUES ($1, $2, $3, $4) RETURNING id`,
}
