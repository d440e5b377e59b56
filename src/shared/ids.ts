import { randomBytes } from 'node:crypto'

const pool = { bytes: Buffer.alloc(0), used: 0 }
const size = 18

/**
 * A new opaque id: 144 random bits as 24 URL-safe characters, no time prefix (SEC-7).
 * Bytes are drawn from the system in blocks because one `randomBytes` call per id costs
 * more than the row it names.
 */
export function newId(): string {
  if (pool.used + size > pool.bytes.length) {
    pool.bytes = randomBytes(size * 128)
    pool.used = 0
  }
  const start = pool.used
  pool.used += size
  return pool.bytes.toString('base64url', start, start + size)
}

/** Whether `value` can name a project; other text never reaches the database. */
export function isProjectId(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length >= 1 &&
    value.length <= 200 &&
    value.isWellFormed() &&
    !value.includes('\0')
  )
}

/** Whether `value` can be an id of ours. Everything else never reaches database or store. */
export function isId(value: string): boolean {
  return /^[A-Za-z0-9_-]{16,64}$/.test(value)
}
