import type {
  ObjectCannedACL,
  S3ClientConfig,
  ServerSideEncryption,
  StorageClass,
} from '@aws-sdk/client-s3'
import { CarcosaError } from '../../src/shared/errors.ts'
import { parseSize } from '../../src/shared/sizes.ts'
import type { NewObject } from '../store.ts'

/** What a service that speaks S3 can do; the defaults are what AWS can. */
export interface S3Profile {
  /** Short kind, used in messages and logs. Default `s3`. */
  readonly kind?: string
  /** Whether all parts but the last must have the same size (R2). Default false. */
  readonly equalParts?: boolean
  /** Most parts of one object. Default 10,000. */
  readonly maxParts?: number
  /** Least bytes of a part that is not the last. Default 5 MiB. */
  readonly minPartSize?: number
  /**
   * How the service proves that it got what was sent: a CRC-32 of every part and object
   * (default), or nothing, and then plain HTTP is signed with a SHA-256 of the body.
   */
  readonly checksum?: 'crc32' | 'none'
  /**
   * Whether unfinished uploads can be listed by the beginning of their key. Otherwise all of the
   * bucket's are, and those of others left out here. Default true.
   */
  readonly listsByPrefix?: boolean
  /**
   * Whether `PutObject` takes `If-None-Match: *`, so that a new object never replaces another.
   * Default: with AWS; not with an `endpoint` of another service.
   */
  readonly conditionalPut?: boolean
}

export interface S3StoreOptions {
  bucket: string
  /**
   * Put in front of every key. Collecting orphans touches nothing outside of it, so it must
   * belong to this database alone. Default `carcosa/`.
   */
  prefix?: string
  /** The key of a new object, without the prefix; must contain the id. Default: the id. */
  key?: (object: NewObject) => string
  /** Default: what the SDK finds (`AWS_REGION`, profile …), else `us-east-1`. */
  region?: string
  /** Of a service other than AWS, e.g. `https://s3.example.com`. */
  endpoint?: string
  /** Where clients reach the service, for URLs given to them. Default `endpoint`. */
  publicEndpoint?: string
  /** `https://host/bucket/key` instead of `https://bucket.host/key`. Default false. */
  forcePathStyle?: boolean
  /** Keys, or a provider of them. Default: the SDK's chain of providers. */
  credentials?: S3ClientConfig['credentials']
  storageClass?: StorageClass
  acl?: ObjectCannedACL
  /** `AES256` (SSE-S3) or `aws:kms` (SSE-KMS). Default: the bucket's. */
  serverSideEncryption?: ServerSideEncryption
  kmsKeyId?: string
  /** `Cache-Control` of the objects, for those who read them past this server. */
  cacheControl?: string
  /**
   * Bytes of a part, at least; larger where `maxFileSize` would make too many parts. Uploads
   * in pieces of at least this size cost the fewest requests. Default 8 MiB.
   */
  partSize?: number | string
  /** Parts of one upload that are sent at the same time. Default 4. */
  concurrency?: number
  /** What the service can do; the presets set it. */
  profile?: S3Profile
  /** Anything else the SDK's client takes. */
  client?: S3ClientConfig
}

/** The options with their defaults. */
export interface S3Settings extends S3StoreOptions {
  readonly prefix: string
  readonly partSize: number
  readonly concurrency: number
  readonly profile: Required<S3Profile>
}

const mib = 1024 * 1024
const maxPartSize = 5 * 1024 * mib

/** @throws {CarcosaError} CONFIG_INVALID naming the option, what was given and what is allowed */
export function readOptions(options: S3StoreOptions): S3Settings {
  const { bucket, prefix = 'carcosa/', concurrency = 4 } = options
  const profile = {
    kind: 's3',
    equalParts: false,
    maxParts: 10_000,
    minPartSize: 5 * mib,
    checksum: 'crc32',
    listsByPrefix: true,
    conditionalPut: options.endpoint === undefined,
    ...options.profile,
  } as const
  const partSize = parseSize(options.partSize ?? Math.max(8 * mib, profile.minPartSize))
  const wrong = [
    !bucket && 'bucket must be a name',
    !/^(?:(?!\.+\/)[\w!.*'()-]+\/)*$/.test(prefix) &&
      `prefix must be '' or end with a slash and have letters, digits and -_.!*'() only, not ${JSON.stringify(prefix)}`,
    !(Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 64) &&
      `concurrency must be 1 to 64, not ${concurrency}`,
    (partSize < profile.minPartSize || partSize > maxPartSize) &&
      `partSize must be ${profile.minPartSize} to ${maxPartSize} bytes, not ${partSize}`,
  ].filter(Boolean)
  if (wrong.length > 0) {
    throw new CarcosaError('CONFIG_INVALID', { message: `s3(): ${wrong.join('; ')}.` })
  }
  return { ...options, prefix, partSize, concurrency, profile }
}
