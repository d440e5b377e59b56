import { CarcosaError } from '../src/shared/errors.ts'
import { type S3StoreOptions, s3 } from './s3.ts'
import type { Store } from './store.ts'

export interface R2StoreOptions extends S3StoreOptions {
  /** The account's id; or give `endpoint`. */
  accountId?: string
  /** Where the bucket's data must stay: its endpoint has another name. Default none. */
  jurisdiction?: 'eu' | 'fedramp'
}

/**
 * Cloudflare R2: S3 with parts of one size (S3), no tags and no checksum the SDK chooses (S4).
 * An upload whose length is deferred needs nothing special: bytes that do not fill a part wait
 * in the database.
 *
 * @throws {CarcosaError} CONFIG_INVALID if neither `accountId` nor `endpoint` is given
 *
 * @example
 * r2({ accountId: '…', bucket: 'media', credentials: { accessKeyId, secretAccessKey } })
 */
export function r2(options: R2StoreOptions): Store {
  const { accountId, jurisdiction, profile, ...rest } = options
  if (!accountId && !rest.endpoint) {
    throw new CarcosaError('CONFIG_INVALID', {
      message: 'r2() needs accountId or endpoint.',
    })
  }
  const host = [accountId, jurisdiction, 'r2.cloudflarestorage.com'].filter(Boolean)
  return s3({
    endpoint: `https://${host.join('.')}`,
    region: 'auto',
    ...rest,
    profile: {
      ...{ kind: 'r2', equalParts: true, checksum: 'none', conditionalPut: true },
      ...profile,
    },
  })
}
