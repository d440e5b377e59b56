import { defaultStorage, type StoredUpload, type UploadStorage } from '../storage.ts'

/** An unfinished upload with what this page needs to offer it again. */
export interface RememberedUpload extends StoredUpload {
  /** The fingerprint of the file. */
  readonly key: string
  /** Whether a person paused it, so that it does not go on by itself. */
  readonly paused: boolean
}

/** The client's storage, which also tells keys and remembers pauses. */
export interface Remembered extends UploadStorage {
  uploads(): Promise<RememberedUpload[]>
  setPaused(key: string, paused: boolean): Promise<void>
}

export function createRemembered(storage: UploadStorage = defaultStorage()): Remembered {
  const write = (key: string, upload: StoredUpload, paused: boolean) => {
    const remembered: RememberedUpload = { ...upload, key, paused }
    return storage.set(key, remembered)
  }
  return {
    ...storage,
    set: (key, upload) => write(key, upload, false),
    async setPaused(key, paused) {
      const upload = await storage.get(key)
      if (upload) await write(key, upload, paused)
    },
    uploads: async () => (await storage.list()).filter(isRemembered),
  }
}

/** Another program on this origin may use the same client, and its entries have no key. */
function isRemembered(upload: StoredUpload): upload is RememberedUpload {
  return typeof (upload as Partial<RememberedUpload>).key === 'string'
}
