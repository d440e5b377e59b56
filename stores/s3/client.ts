import type { S3Client } from '@aws-sdk/client-s3'
import { CarcosaError } from '../../src/shared/errors.ts'
import type { S3Settings } from './options.ts'
import { Sha256 } from './sha256.ts'
import { createWire, type Wire } from './wire.ts'

export type Sdk = typeof import('@aws-sdk/client-s3')

/** A bucket within reach. */
export interface Connected {
  readonly settings: S3Settings
  readonly sdk: Sdk
  readonly client: S3Client
  /** Signs URLs for clients, who may know the service by another name. */
  readonly publicClient: S3Client
  /** For the requests that every file makes. */
  readonly wire: Wire
  /** Names the object of a key in a request. */
  at(key: string): { Bucket: string; Key: string }
}

/** Loads the SDK, which is large, only where a store needs it. @throws {CarcosaError} CONFIG_INVALID */
export async function connect(settings: S3Settings): Promise<Connected> {
  const sdk = await import('@aws-sdk/client-s3').catch((cause) => {
    throw new CarcosaError('CONFIG_INVALID', {
      message: 's3() needs the AWS SDK: npm install @aws-sdk/client-s3',
      cause,
    })
  })
  const { endpoint, publicEndpoint = endpoint } = settings
  const client = createClient(sdk, settings, endpoint)
  const publicClient =
    publicEndpoint === endpoint ? client : createClient(sdk, settings, publicEndpoint)
  const at = (key: string) => ({ Bucket: settings.bucket, Key: settings.prefix + key })
  const wire = createWire(settings, sdk, client)
  return { settings, sdk, client, publicClient, wire, at }
}

const ignore = () => {}
const silent = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore }

function createClient(
  { S3Client }: Sdk,
  { region, credentials, forcePathStyle, client }: S3Settings,
  endpoint: string | undefined,
): S3Client {
  return new S3Client({
    region: region ?? (endpoint ? 'us-east-1' : undefined),
    endpoint,
    credentials,
    forcePathStyle,
    // Checksums are ours to choose: what the SDK adds by default breaks other services (S4).
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // It would cost a round trip for every part, for answers that hardly ever come.
    expectContinueHeader: false,
    maxAttempts: 4,
    // Without one of its own the SDK warns on the console of each stream it cannot send again.
    logger: silent,
    sha256: Sha256,
    requestHandler: {
      connectionTimeout: 10_000,
      socketTimeout: 60_000,
      httpAgent: { keepAlive: true, maxSockets: 256 },
      httpsAgent: { keepAlive: true, maxSockets: 256 },
    },
    ...client,
  })
}
