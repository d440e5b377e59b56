import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** What opens an answer: the key the client chose, and a secret of the server. */
export interface Seal {
  /** The first seals, all open. */
  readonly secrets: readonly string[]
  readonly key: string
}

const ivLength = 12
const tagLength = 16

/** Encrypts `text`; nobody reads it without the key, of which the database has only a hash. */
export function seal({ secrets: [secret = ''], key }: Seal, text: string): Buffer {
  const iv = randomBytes(ivLength)
  const cipher = createCipheriv('aes-256-gcm', derived(secret, key), iv)
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([iv, cipher.getAuthTag(), sealed])
}

/** What was sealed; null if the secret it was sealed with is none of these any more. */
export function unseal({ secrets, key }: Seal, bytes: Uint8Array): string | null {
  for (const secret of secrets) {
    const text = tryOpen(derived(secret, key), bytes)
    if (text !== null) return text
  }
  return null
}

function tryOpen(key: Buffer, bytes: Uint8Array): string | null {
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivLength))
  decipher.setAuthTag(bytes.subarray(ivLength, ivLength + tagLength))
  try {
    const opened = decipher.update(bytes.subarray(ivLength + tagLength))
    return Buffer.concat([opened, decipher.final()]).toString('utf8')
  } catch {
    return null
  }
}

function derived(secret: string, key: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, secret, 'carcosa idempotency answer', 32))
}
