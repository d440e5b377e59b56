import { randomBytes } from 'node:crypto'
import { Storage } from '@google-cloud/storage'
import { startProgram } from './program.ts'
import { locate } from './requirements.ts'

/** A bucket of Google Cloud Storage, or of a program that speaks its JSON API. */
export interface GcsServer {
  endpoint: string
  bucket: string
  /** Ends with a slash. Nobody else writes below it. */
  prefix: string
  /** What a request by hand needs to be let in. Empty for a program of the tests. */
  headers(): Promise<Record<string, string>>
  /** Leaves nothing behind. */
  stop(): Promise<void>
}

/**
 * A fake-gcs-server of its own with an empty bucket, gone after `stop`; or the service that
 * `CARCOSA_TEST_GCS_ENDPOINT` names, whose prefix `stop` empties.
 */
export function gcsServer(): Promise<GcsServer> {
  const endpoint = process.env.CARCOSA_TEST_GCS_ENDPOINT
  return endpoint ? given(endpoint) : started()
}

/** A client of the SDK for it that tries once. */
export function gcsClient({ endpoint }: Pick<GcsServer, 'endpoint'>): Storage {
  return new Storage({
    apiEndpoint: endpoint,
    retryOptions: { autoRetry: false },
    // Without one it would ask the metadata service of the cloud it runs in.
    ...(endpoint !== google && { projectId: 'carcosa-test' }),
  })
}

const google = 'https://storage.googleapis.com'

async function started(): Promise<GcsServer> {
  const bucket = 'carcosa-test'
  const { endpoint, stop } = await startProgram({
    path: locate('fake-gcs-server'),
    args: ({ port }) => [
      ...['-scheme', 'http', '-host', '127.0.0.1', '-port', String(port)],
      ...['-public-host', `127.0.0.1:${port}`],
      ...['-external-url', `http://127.0.0.1:${port}`],
      ...['-backend', 'memory', '-log-level', 'warn'],
    ],
    ready: (endpoint) => gcsClient({ endpoint }).createBucket(bucket),
  })
  return { endpoint, bucket, prefix: newPrefix(), headers: async () => ({}), stop }
}

async function given(address: string): Promise<GcsServer> {
  const endpoint = address.replace(/\/$/, '')
  const bucket = process.env.CARCOSA_TEST_GCS_BUCKET
  if (!bucket) {
    throw new TypeError('CARCOSA_TEST_GCS_ENDPOINT needs CARCOSA_TEST_GCS_BUCKET')
  }
  const storage = gcsClient({ endpoint })
  const prefix = newPrefix()
  return {
    endpoint,
    bucket,
    prefix,
    headers: () => (endpoint === google ? authorization(storage) : Promise.resolve({})),
    stop: () => storage.bucket(bucket).deleteFiles({ prefix }),
  }
}

async function authorization({ authClient }: Storage): Promise<Record<string, string>> {
  const headers = await authClient.getRequestHeaders()
  return Object.fromEntries(new Headers(headers))
}

function newPrefix(): string {
  return `carcosa-test-${randomBytes(6).toString('hex')}/`
}
