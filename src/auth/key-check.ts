import { timingSafeEqual } from 'node:crypto'
import type { Channel } from '../channel/channel.ts'
import type { Database } from '../db/database.ts'
import { CarcosaError } from '../shared/errors.ts'
import type { Logger } from '../shared/logger.ts'
import { createNetworks } from '../shared/networks.ts'
import { createKeyCache } from './key-cache.ts'
import { hashOf, prefixOf } from './key-format.ts'
import { findById, findByPrefix, type StoredKey } from './key-rows.ts'
import { createKeyUse } from './key-use.ts'
import type { AuthServices, Principal } from './principal.ts'

export interface KeyCheckDeps {
  readonly db: Pick<Database, 'query'>
  readonly channel: Channel
  readonly log: Logger
}

/** Finds out whose API key a token is. */
export interface KeyCheck extends AuthServices {
  /** Writes when keys were last used. */
  close(): Promise<void>
}

/** At most one query for each key in five seconds; none for text that is no key. */
export function createKeyCheck({ db, channel, log }: KeyCheckDeps): KeyCheck {
  const cache = createKeyCache(channel)
  const use = createKeyUse(db, log)

  return {
    async authenticateKey(token, address) {
      const prefix = prefixOf(token)
      if (prefix === null) throw refused('malformed')
      const key = await cache.get(prefix, () => findByPrefix(db, prefix))
      if (!key || !isToken(key, prefix, token)) throw refused('unknown')
      assertUsable(key, prefix, address)
      use.note(key.id)
      return principalOf(key)
    },
    async isKeyShutOut(principalId) {
      const key = await cache.get(principalId, () => findById(db, principalId))
      return key === null || key.revokedAt !== null
    },
    close: use.close,
  }
}

/** Compares in constant time, so that answers do not tell how much of a guess was right. */
function isToken(key: StoredKey, prefix: string, token: string): boolean {
  const hash = key.prefix === prefix ? key.hash : key.previousHash
  const kept = Buffer.from(hash ?? '', 'hex')
  const given = hashOf(token)
  return kept.length === given.length && timingSafeEqual(kept, given)
}

/** Whoever has the secret may know why it does not work. */
function assertUsable(key: StoredKey, prefix: string, address: string | null): void {
  const now = Date.now()
  const { revokedAt, expiresAt, previousUntil, allowedAddresses } = key
  if (revokedAt) throw refused('revoked')
  if (expiresAt && expiresAt.getTime() <= now) throw refused('expired')
  const isPrevious = key.prefix !== prefix
  if (isPrevious && (previousUntil?.getTime() ?? 0) <= now) throw refused('rotated')
  if (allowedAddresses.length === 0) return
  if (!address || !networksOf(allowedAddresses)(address)) throw refused('address')
}

const networks = new WeakMap<readonly string[], (address: string) => boolean>()

function networksOf(allowed: readonly string[]): (address: string) => boolean {
  const known = networks.get(allowed) ?? createNetworks(allowed)
  networks.set(allowed, known)
  return known
}

const principals = new WeakMap<StoredKey, Principal>()

/** The same object for as long as the row is believed. */
function principalOf(key: StoredKey): Principal {
  const known = principals.get(key)
  if (known) return known
  const { id, projectId, role, scopes, name, mode } = key
  const claims = Object.freeze({ name, mode })
  const principal = Object.freeze({
    ...({ id, kind: 'api-key', projectId, role, scopes, claims } as const),
  })
  principals.set(key, principal)
  return principal
}

const messages = {
  malformed: 'The API key is mistyped or cut off: its checksum does not fit.',
  unknown: 'There is no such API key.',
  revoked: 'The API key was revoked.',
  expired: 'The API key has expired.',
  rotated: 'The API key was replaced by a newer one, and its time is over.',
  address: 'The API key may not be used from this address.',
} as const

function refused(reason: keyof typeof messages): CarcosaError {
  return new CarcosaError('UNAUTHENTICATED', {
    message: messages[reason],
    details: { reason },
    headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
  })
}
