import { type GcsStoreOptions, gcs } from '../../../stores/gcs.ts'
import { type S3StoreOptions, s3 } from '../../../stores/s3.ts'
import type { Store } from '../../../stores/store.ts'
import { createStaging, type StagingOptions } from '../../../stores/writing/staging.ts'

/** A store as JSON can say it, for a process that is started. */
export interface StoreDescription {
  s3?: S3StoreOptions
  gcs?: GcsStoreOptions
  /** Of this store alone, and smaller than a configuration allows. Default: the process's. */
  staging?: StagingOptions
}

export function openStore(description: StoreDescription): Store {
  const { staging } = description
  const store = opened(description)
  if (!staging) return store
  return { ...store, start: () => store.start({ staging: createStaging(staging) }) }
}

function opened(description: StoreDescription): Store {
  if (description.s3) return s3(description.s3)
  if (description.gcs) return gcs(description.gcs)
  throw new TypeError('a description names a kind of store')
}
