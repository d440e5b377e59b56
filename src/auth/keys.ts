import type { Channel } from '../channel/channel.ts'
import type { Database } from '../db/database.ts'
import { isForeignKeyViolation } from '../db/errors.ts'
import { CarcosaError } from '../shared/errors.ts'
import { isProjectId, newId } from '../shared/ids.ts'
import { newestFirst, olderThan, type PageOptions, readPage } from '../shared/page.ts'
import { checkNewKey, type KeyRules, parseLifetime } from './check-key.ts'
import { keyTopic } from './key-cache.ts'
import { type KeyMode, makeToken } from './key-format.ts'
import { type KeyRow, replaceToken } from './key-rows.ts'
import type { Scopes } from './principal.ts'
import { noProject, type ProjectGate } from './project-gate.ts'

/** An API key without its secret. */
export interface ApiKey {
  /** `key_` and 24 characters; the owner of what is uploaded with it. */
  readonly id: string
  readonly projectId: string
  readonly name: string
  readonly mode: KeyMode
  readonly role: string
  readonly scopes: Scopes | null
  /** Addresses and networks it may be used from; empty for any. */
  readonly allowedAddresses: readonly string[]
  /** How its token begins, to know it again: `ck_live_4kQ…`. */
  readonly start: string
  /** Until when the token before the last rotation works too; null if it does not. */
  readonly overlapUntil: Date | null
  readonly createdBy: string | null
  readonly createdAt: Date
  readonly rotatedAt: Date | null
  readonly expiresAt: Date | null
  readonly revokedAt: Date | null
  /** To the minute. */
  readonly lastUsedAt: Date | null
}

/** An API key with what is shown once and kept nowhere. */
export interface ApiKeyWithToken extends ApiKey {
  readonly token: string
}

export interface NewApiKey {
  /** What people call it: text of 1 to 200 characters. */
  name: string
  /** `test` keys do the same; the word in them tells people and scanners apart. Default `live`. */
  mode?: KeyMode
  /** Default `developer`. */
  role?: string
  /** Routes and actions it is narrowed to. Default all that the role allows. */
  scopes?: Scopes
  /** Addresses, networks such as `10.0.0.0/8`, `loopback` or `private`. Default any. */
  allowedAddresses?: readonly string[]
  /** Milliseconds or `90 days`. Default for ever. */
  expiresIn?: number | string
  /** Default the default project. */
  projectId?: string
  /** Who made it, to be remembered. */
  createdBy?: string
}

export interface KeyListOptions extends PageOptions {
  /** Default the default project. */
  projectId?: string
  /** Whether revoked keys are listed too. Default false. */
  revoked?: boolean
}

export interface KeyList {
  keys: ApiKey[]
  /** Give it to the next call; null on the last page. */
  nextCursor: string | null
}

export interface Rotation {
  /** How long the old token works on: milliseconds or `24h`, 0 for no longer. Default 24 hours. */
  overlap?: number | string
}

/** The API keys of a Carcosa, for the program it runs in. Nothing here asks who is calling. */
export interface KeysApi {
  /** @throws {CarcosaError} BAD_REQUEST, PROJECT_NOT_FOUND, PROJECT_DELETED */
  create(key: NewApiKey): Promise<ApiKeyWithToken>
  /** Newest first, in pages. @throws {CarcosaError} CURSOR_INVALID, BAD_REQUEST */
  list(options?: KeyListOptions): Promise<KeyList>
  /** Null if there never was one. */
  get(id: string): Promise<ApiKey | null>
  /**
   * Ends a key for good: at once in processes that hear of it, in five seconds in all others. An
   * upload that it began is refused with its next request. False if there was nothing to revoke.
   */
  revoke(id: string): Promise<boolean>
  /**
   * Gives a key another token. Its id, and so what it owns, stays the same. Of two rotations the
   * first token ends with the second.
   * @throws {CarcosaError} KEY_NOT_FOUND, also if it was revoked; BAD_REQUEST
   */
  rotate(id: string, options?: Rotation): Promise<ApiKeyWithToken>
}

export interface KeysDeps {
  readonly db: Database
  readonly channel: Pick<Channel, 'send'>
  readonly projects: ProjectGate
  readonly defaultProject: string
  readonly rules: KeyRules
}

export function createKeysApi(deps: KeysDeps): KeysApi {
  const { db, channel, projects, defaultProject, rules } = deps
  const { apiKey } = db.prisma
  const changed = (id: string) => channel.send(keyTopic, id, true)

  return {
    async create(key) {
      const { expiresIn, scopes, ...fields } = checkNewKey(key, rules)
      const { token, prefix, hash } = makeToken(fields.mode)
      const data = {
        ...fields,
        id: `key_${newId()}`,
        projectId: fields.projectId ?? defaultProject,
        expiresAt: expiresIn === null ? null : new Date(Date.now() + expiresIn),
        ...(scopes && { scopes: { ...scopes } }),
        prefix,
        hash,
      }
      await projects.require(data.projectId)
      const row = await apiKey.create({ data }).catch((error) => {
        throw isForeignKeyViolation(error) ? noProject(data.projectId) : error
      })
      return { ...describe(row as KeyRow), token }
    },
    async list({ projectId = defaultProject, revoked = false, ...page } = {}) {
      if (!isProjectId(projectId)) throw noProject(projectId)
      const { rows, nextCursor } = await readPage(page, ({ after, take }) =>
        apiKey.findMany({
          where: { projectId, ...(!revoked && { revokedAt: null }), ...olderThan(after) },
          orderBy: newestFirst,
          take,
        }),
      )
      return { keys: rows.map((row) => describe(row as KeyRow)), nextCursor }
    },
    async get(id) {
      const row = isKeyId(id) ? await apiKey.findUnique({ where: { id } }) : null
      return row && describe(row as KeyRow)
    },
    async revoke(id) {
      if (!isKeyId(id)) return false
      const where = { id, revokedAt: null }
      const { count } = await apiKey.updateMany({
        where,
        data: { revokedAt: new Date() },
      })
      changed(id)
      return count > 0
    },
    async rotate(id, { overlap = '24h' } = {}) {
      const overlapMs = parseLifetime(overlap, 'overlap', 0)
      const before = isKeyId(id) ? await apiKey.findUnique({ where: { id } }) : null
      // A column of literals is text to Prisma; only our own code writes it.
      const { token, ...change } = makeToken((before?.mode ?? 'live') as KeyMode)
      const row = before && (await replaceToken(db, id, { ...change, overlapMs }))
      if (!row) throw noKey(id)
      changed(id)
      return { ...describe(row), token }
    },
  }
}

/** Any text may be asked for; only what can be an id reaches the database. */
function isKeyId(id: string): boolean {
  return typeof id === 'string' && /^key_[\w-]{24}$/.test(id)
}

function describe(row: KeyRow): ApiKey {
  const { prefix, hash, previousPrefix, previousHash, previousUntil, ...key } = row
  const isOverlapping = previousUntil !== null && previousUntil.getTime() > Date.now()
  return {
    ...key,
    start: `ck_${row.mode}_${prefix}`,
    overlapUntil: isOverlapping ? previousUntil : null,
  }
}

function noKey(id: string): CarcosaError {
  return new CarcosaError('KEY_NOT_FOUND', {
    message: `There is no API key ${JSON.stringify(String(id).slice(0, 64))} that is not revoked.`,
  })
}
