import type { DirectUpload } from './offer.ts'
import { isRecord } from './problem.ts'

/** An unfinished upload, as remembered for the day the same file is chosen again. */
export interface StoredUpload {
  /** Absolute URL of the upload. */
  readonly url: string
  /** The credential that may go on with it, if the server gave one. */
  readonly ticket: string | null
  readonly route: string
  readonly name: string
  readonly size: number
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** When the server removes it, in milliseconds since 1970; null if it did not say. */
  readonly expiresAt: number | null
  /** Where its bytes go, and which are there, if they go past the server. */
  readonly direct?: DirectUpload
}

/**
 * Where unfinished uploads are remembered. Keys are opaque text. An implementation may lose
 * entries, which costs no more than sending the file again, and must not throw on reading
 * what somebody else wrote.
 */
export interface UploadStorage {
  get(key: string): Promise<StoredUpload | null>
  set(key: string, upload: StoredUpload): Promise<void>
  remove(key: string): Promise<void>
  /** All that is remembered. */
  list(): Promise<StoredUpload[]>
}

/** For as long as the program runs. */
export function memoryStorage(): UploadStorage {
  const uploads = new Map<string, StoredUpload>()
  return {
    get: async (key) => uploads.get(key) ?? null,
    set: async (key, upload) => void uploads.set(key, upload),
    remove: async (key) => void uploads.delete(key),
    list: async () => [...uploads.values()],
  }
}

const prefix = 'carcosa:upload:'
/** How long an entry may outlive its upload before it is swept; clocks differ. */
const grace = 7 * 24 * 3600_000
/** How long an entry is kept whose upload never said when it expires. */
const maxAge = 30 * 24 * 3600_000

/**
 * The browser's localStorage: entries survive reloads and are shared by the tabs of an
 * origin. A full storage forgets silently, since resuming is a convenience and uploading
 * is not.
 */
export function webStorage(storage: Storage): UploadStorage {
  const keys = () =>
    Array.from({ length: storage.length }, (_, i) => storage.key(i) ?? '').filter((key) =>
      key.startsWith(prefix),
    )
  for (const key of keys()) {
    const upload = parseStoredUpload(storage.getItem(key))
    if (!upload || isOutdated(upload)) storage.removeItem(key)
  }
  return {
    get: async (key) => parseStoredUpload(storage.getItem(prefix + key)),
    async set(key, upload) {
      try {
        storage.setItem(prefix + key, JSON.stringify(upload))
      } catch {
        // QuotaExceededError: the upload goes on, only a reload will not find it.
      }
    },
    remove: async (key) => storage.removeItem(prefix + key),
    list: async () =>
      keys()
        .map((key) => parseStoredUpload(storage.getItem(key)))
        .filter((upload) => upload !== null),
  }
}

/** localStorage where there is one that may be used, memory otherwise. */
export function defaultStorage(): UploadStorage {
  // Node has a localStorage too, which warns or throws unless it was given a file.
  if (typeof document === 'undefined') return memoryStorage()
  try {
    const { localStorage } = globalThis
    localStorage.setItem(`${prefix}probe`, '')
    localStorage.removeItem(`${prefix}probe`)
    return webStorage(localStorage)
  } catch {
    // Sandboxed frames and blocked cookies throw SecurityError on mere access.
    return memoryStorage()
  }
}

/** The entry written as JSON in `text`, or null if it is anything else. */
export function parseStoredUpload(text: string | null): StoredUpload | null {
  if (text === null) return null
  try {
    const value: unknown = JSON.parse(text)
    return isStoredUpload(value) ? value : null
  } catch {
    return null
  }
}

/** Whether `value` has the shape of an entry. */
export function isStoredUpload(value: unknown): value is StoredUpload {
  return (
    isRecord(value) &&
    typeof value.url === 'string' &&
    URL.canParse(value.url) &&
    typeof value.size === 'number' &&
    typeof value.name === 'string' &&
    typeof value.createdAt === 'number'
  )
}

/** Whether the upload of this entry is long gone. */
export function isOutdated(upload: StoredUpload, now = Date.now()): boolean {
  return upload.expiresAt === null
    ? upload.createdAt + maxAge < now
    : upload.expiresAt + grace < now
}
