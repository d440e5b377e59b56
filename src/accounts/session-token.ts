import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'

/**
 * The credential of a session, `cs_<token>.<key id>.<signature>`: in the cookie, and as a bearer
 * token. The database has only the token, so that who reads it there has no credential.
 */
export interface SessionTokens {
  /** The credential of the session with this token. */
  seal(token: string): string
  /** The token in a credential; null if it was not made here. */
  open(credential: string): string | null
}

/** Whether `text` means to be the credential of a session, right or wrong. */
export function looksLikeSession(text: string): boolean {
  return text.startsWith('cs_')
}

/** The first secret signs, all verify. */
export function createSessionTokens(secrets: readonly string[]): SessionTokens {
  const [current, ...previous] = secrets.map(deriveKey)
  if (!current) throw new TypeError('createSessionTokens: at least one secret is needed')
  const keys = new Map([current, ...previous].map((key) => [key.id, key]))

  return {
    seal: (token) => `cs_${token}.${current.id}.${signature(current, token)}`,
    open(credential) {
      const [, token, id, given] = form.exec(credential) ?? []
      const key = keys.get(id ?? '')
      if (!token || !given || !key) return null
      const wanted = Buffer.from(signature(key, token))
      const found = Buffer.from(given)
      const isEqual = wanted.length === found.length && timingSafeEqual(wanted, found)
      return isEqual ? token : null
    },
  }
}

const form = /^cs_([\w-]{16,128})\.([\w-]{8})\.([\w-]{43})$/

interface Key {
  id: string
  secret: Buffer
}

function deriveKey(secret: string): Key {
  const derive = (purpose: string, length: number) =>
    Buffer.from(hkdfSync('sha256', secret, '', `carcosa session ${purpose}`, length))
  return { id: derive('key id', 6).toString('base64url'), secret: derive('key', 32) }
}

function signature(key: Key, token: string): string {
  const canonical = `carcosa session 1:${key.id}:${token}`
  return createHmac('sha256', key.secret).update(canonical).digest('base64url')
}
