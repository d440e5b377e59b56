import type { Bucket } from '@google-cloud/storage'
import { CarcosaError } from '../../src/shared/errors.ts'
import { createHttp, type Http } from './http.ts'
import type { GcsSettings } from './options.ts'

export interface Connected {
  /** Of the SDK, for what is not asked for with every upload. */
  readonly bucket: Bucket
  /** Without a slash at the end. */
  readonly endpoint: string
  readonly http: Http
  /** Headers that let a request in. */
  authorization(): Promise<Record<string, string>>
}

/** Loads the SDK, which is large, only where a store needs it. @throws {CarcosaError} CONFIG_INVALID */
export async function connect(settings: GcsSettings): Promise<Connected> {
  const { Storage } = await import('@google-cloud/storage').catch((cause) => {
    throw new CarcosaError('CONFIG_INVALID', {
      message: 'gcs() needs the SDK of Google: npm install @google-cloud/storage',
      cause,
    })
  })
  const { bucket, projectId, keyFilename, credentials, apiEndpoint, client } = settings
  const { authenticate = isGoogle(apiEndpoint) } = settings
  const storage = new Storage({
    ...(projectId && { projectId }),
    ...(keyFilename && { keyFilename }),
    ...(credentials && { credentials }),
    ...(apiEndpoint && { apiEndpoint }),
    useAuthWithCustomEndpoint: authenticate,
    // What may be repeated is repeated here, by one rule for all requests.
    retryOptions: { autoRetry: false },
    ...client,
  })
  return {
    bucket: storage.bucket(bucket),
    endpoint: storage.apiEndpoint.replace(/\/$/, ''),
    http: createHttp(),
    async authorization() {
      if (!authenticate) return {}
      // A plain object or a Headers, by the version of the SDK.
      return Object.fromEntries(new Headers(await storage.authClient.getRequestHeaders()))
    },
  }
}

function isGoogle(endpoint: string | undefined): boolean {
  return endpoint === undefined || new URL(endpoint).hostname.endsWith('.googleapis.com')
}
