import type { Store } from '../../stores/store.ts'
import { CarcosaError } from '../shared/errors.ts'
import type { FileRecord } from './record.ts'

/** An object that holds the bytes of a file. */
export interface Origin {
  readonly storeName: string
  readonly store: Store
  readonly key: string
}

export interface Origins {
  readonly file: FileRecord
  /** The file's own store. */
  readonly store: Store
  /** Where else its bytes are; only asked once its own store failed, with how. */
  copies?(error: CarcosaError): Promise<readonly Origin[]>
}

/** The file's own object. */
export function ownOrigin({ file, store }: Origins): Origin {
  return { storeName: file.storeName, store, key: file.key }
}

/**
 * What `read` gets from the file's own object, or from the first of its copies that can give
 * it where the own one is lost, damaged or out of reach. If none can, it fails as the own one
 * did.
 */
export async function readAny<T>(
  origins: Origins,
  read: (origin: Origin) => Promise<T>,
): Promise<T> {
  try {
    return await read(ownOrigin(origins))
  } catch (error) {
    if (!isLoss(error)) throw error
    for (const copy of (await origins.copies?.(error)) ?? []) {
      try {
        return await read(copy)
      } catch (cause) {
        if (!isLoss(cause)) throw cause
      }
    }
    throw error
  }
}

function isLoss(error: unknown): error is CarcosaError {
  if (!(error instanceof CarcosaError)) return false
  return error.code === 'STORAGE_CORRUPT' || error.code === 'STORAGE_UNAVAILABLE'
}
