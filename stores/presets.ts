import { type S3Profile, type S3StoreOptions, s3 } from './s3.ts'
import type { Store } from './store.ts'

/**
 * Services that speak S3, each a few lines of what it can do that differs from AWS. What is
 * proven of each by a test, and what only declared by its documentation, is in the README.
 */

/** What a preset knows of its service. */
interface Preset extends S3Profile {
  readonly kind: string
  /** The endpoint, where it follows from the region. */
  readonly endpoint?: (region: string) => string
  readonly forcePathStyle?: boolean
}

/** Options of a service whose endpoint follows from its region. */
export type RegionalOptions = S3StoreOptions & { region: string }
/** Options of a service that runs somewhere of your own. */
export type HostedOptions = S3StoreOptions & { endpoint: string }

function preset<Options extends S3StoreOptions>(service: Preset) {
  const { endpoint, forcePathStyle = false, ...profile } = service
  return (options: Options): Store =>
    s3({
      ...(endpoint && options.region && { endpoint: endpoint(options.region) }),
      forcePathStyle,
      ...options,
      profile: { ...profile, ...options.profile },
    })
}

/** MinIO. */
export const minio = preset<HostedOptions>({
  kind: 'minio',
  forcePathStyle: true,
  // A prefix of unfinished uploads must be a whole key there.
  listsByPrefix: false,
  conditionalPut: true,
})

/** Ceph's object gateway. */
export const ceph = preset<HostedOptions>({
  kind: 'ceph',
  forcePathStyle: true,
  checksum: 'none',
})

/** Garage, whose region is `garage` unless configured otherwise. */
export const garage = (options: HostedOptions): Store =>
  preset<HostedOptions>({ kind: 'garage', forcePathStyle: true })({
    region: 'garage',
    ...options,
  })

/** Backblaze B2. */
export const backblaze = preset<RegionalOptions>({
  kind: 'backblaze',
  endpoint: (region) => `https://s3.${region}.backblazeb2.com`,
  checksum: 'none',
})

/** Scaleway: at most 1,000 parts of one object, so parts become larger sooner. */
export const scaleway = preset<RegionalOptions>({
  kind: 'scaleway',
  endpoint: (region) => `https://s3.${region}.scw.cloud`,
  maxParts: 1000,
  checksum: 'none',
})

/** DigitalOcean Spaces. */
export const digitalocean = preset<RegionalOptions>({
  kind: 'digitalocean',
  endpoint: (region) => `https://${region}.digitaloceanspaces.com`,
  checksum: 'none',
})

/** Wasabi. */
export const wasabi = preset<RegionalOptions>({
  kind: 'wasabi',
  endpoint: (region) => `https://s3.${region}.wasabisys.com`,
  checksum: 'none',
})
