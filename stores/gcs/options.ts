import type { PredefinedAcl, StorageOptions } from '@google-cloud/storage'
import { CarcosaError } from '../../src/shared/errors.ts'
import { parseSize } from '../../src/shared/sizes.ts'
import type { NewObject } from '../store.ts'

export interface GcsStoreOptions {
  bucket: string
  /**
   * Put in front of every key. Collecting orphans touches nothing outside of it, so it must
   * belong to this database alone. Default `carcosa/`.
   */
  prefix?: string
  /** The key of a new object, without the prefix; must contain the id. Default: the id. */
  key?: (object: NewObject) => string
  projectId?: string
  /** Path of the key file of a service account. Default: the SDK's chain of credentials. */
  keyFilename?: string
  /** The same key, as it is written in such a file. */
  credentials?: { client_email: string; private_key: string }
  /** Of a service other than Google's, e.g. `http://127.0.0.1:4443`. */
  apiEndpoint?: string
  /** Whether requests carry credentials. Default: to Google, and not to another endpoint. */
  authenticate?: boolean
  storageClass?: string
  predefinedAcl?: PredefinedAcl
  /** `projects/…/cryptoKeys/…`. Default: the bucket's. */
  kmsKeyName?: string
  /** `Cache-Control` of the objects, for those who read them past this server. */
  cacheControl?: string
  /**
   * Bytes sent in one request of an upload: a multiple of 256 KiB. Larger ones cost fewer
   * requests and more memory. Default 8 MiB.
   */
  partSize?: number | string
  /** Anything else the SDK's client takes. */
  client?: StorageOptions
}

/** The options with their defaults. */
export interface GcsSettings extends GcsStoreOptions {
  readonly prefix: string
  readonly partSize: number
}

/** Sessions take bytes in multiples of this, but for the end of an object. */
export const grain = 256 * 1024

/** @throws {CarcosaError} CONFIG_INVALID naming the option, what was given and what is allowed */
export function readOptions(options: GcsStoreOptions): GcsSettings {
  const { bucket, prefix = 'carcosa/', apiEndpoint } = options
  const partSize = parseSize(options.partSize ?? 32 * grain)
  const wrong = [
    !bucket && 'bucket must be a name',
    !/^(?:(?!\.+\/)[\w!.*'()-]+\/)*$/.test(prefix) &&
      `prefix must be '' or end with a slash and have letters, digits and -_.!*'() only, not ${JSON.stringify(prefix)}`,
    (partSize < grain || partSize % grain !== 0) &&
      `partSize must be a multiple of ${grain} bytes, not ${partSize}`,
    apiEndpoint !== undefined &&
      !/^https?:\/\//.test(apiEndpoint) &&
      `apiEndpoint must begin with http:// or https://, not be ${JSON.stringify(apiEndpoint)}`,
  ].filter(Boolean)
  if (wrong.length > 0) {
    throw new CarcosaError('CONFIG_INVALID', { message: `gcs(): ${wrong.join('; ')}.` })
  }
  return { ...options, prefix, partSize }
}
