import { isRecord } from './problem.ts'

/** An upload whose parts go to URLs of the store, and how far it is. */
export interface DirectUpload {
  /** When the URLs stop working, in milliseconds since 1970. */
  readonly expiresAt: number
  /** All of the file, in order. */
  readonly parts: readonly DirectPart[]
}

export interface DirectPart {
  /** Takes the bytes by PUT; whoever has it may send them. */
  readonly url: string
  /** Bytes. */
  readonly size: number
  /** To be sent along. */
  readonly headers: Readonly<Record<string, string>>
  /** What the store answered when it had the part: its ETag. Null before. */
  receipt: string | null
}

/**
 * The direct upload that the server offered, or that was remembered, for a file of `size`
 * bytes; null if it is none, since whatever it is, the file can go through the server.
 */
export function readOffer(value: unknown, size: number): DirectUpload | null {
  if (!isRecord(value) || !Array.isArray(value.parts)) return null
  const { expiresAt } = value
  const expires = typeof expiresAt === 'string' ? Date.parse(expiresAt) : expiresAt
  if (typeof expires !== 'number' || Number.isNaN(expires)) return null
  const parts = value.parts.map(readPart).filter((part) => part !== null)
  const covered = parts.reduce((sum, part) => sum + part.size, 0)
  if (parts.length !== value.parts.length || covered !== size) return null
  return { expiresAt: expires, parts }
}

/** Bytes in the parts that have arrived. */
export function arrived({ parts }: DirectUpload): number {
  return parts.reduce((sum, { size, receipt }) => (receipt ? sum + size : sum), 0)
}

function readPart(value: unknown): DirectPart | null {
  if (!isRecord(value)) return null
  const { url, size, headers = {}, receipt = null } = value
  if (typeof url !== 'string' || !URL.canParse(url)) return null
  if (!Number.isSafeInteger(size) || Number(size) <= 0) return null
  if (!isRecord(headers) || (receipt !== null && typeof receipt !== 'string')) return null
  const texts = Object.entries(headers).map(([name, text]) => [name, String(text)])
  return { url, size: Number(size), headers: Object.fromEntries(texts), receipt }
}
