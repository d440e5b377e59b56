import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hasher } from './s3/checksums.ts'
import { noFaults, type S3Faults } from './s3/faults.ts'
import { objectOf } from './s3/objects.ts'
import type { Operation, S3Request } from './s3/operation.ts'
import { serve } from './s3/serve.ts'
import type { S3Object, S3State, S3Upload } from './s3/state.ts'

/**
 * A service that speaks S3 over HTTP, in this process, in path style. It does what AWS does,
 * and goes wrong where it is told to. Signatures are not verified, but must be there and not
 * be expired; what it does not know is 501.
 */
export interface S3Fake {
  readonly endpoint: string
  readonly bucket: string
  readonly objects: ReadonlyMap<string, S3Object>
  readonly uploads: ReadonlyMap<string, S3Upload>
  /** All of them since the start or `reset`, in the order in which they came. */
  readonly requests: readonly S3Request[]
  readonly faults: S3Faults
  /** How many requests there were, of an operation or at all. */
  count(operation?: Operation): number
  /** Puts an object there behind everybody's back. */
  putObject(key: string, bytes: Buffer | string, headers?: Record<string, string>): void
  /** Takes an object away behind everybody's back. */
  deleteObject(key: string): void
  /** Aborts all uploads to a key, as a lifecycle rule would. */
  abortUpload(key: string): void
  /** Forgets requests, objects, uploads and faults. */
  reset(): void
  /** Forgets the requests only. */
  forgetRequests(): void
  close(): Promise<void>
}

export interface S3FakeOptions {
  /** Default `test-bucket`. */
  bucket?: string
  /** Faults from the start. Default {@link noFaults}. */
  faults?: Partial<S3Faults>
  /** Whether only sizes and hashes of bodies are kept, for tests of memory. Default false. */
  discardBodies?: boolean
}

export async function startS3Fake(options: S3FakeOptions = {}): Promise<S3Fake> {
  const { bucket = 'test-bucket', discardBodies = false } = options
  const faults = { ...noFaults(), ...options.faults }
  const state = { bucket, discardBodies, objects: new Map(), uploads: new Map(), faults }
  const requests: S3Request[] = []
  const http = createServer({ requestTimeout: 0 }, (request, response) => {
    // A hook that throws, or a client that goes away, breaks the connection.
    serve({ state, requests }, request, response).catch((error) =>
      request.socket.destroy(error),
    )
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  // A TCP server that listens has one.
  const { port } = http.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    bucket,
    objects: state.objects,
    uploads: state.uploads,
    requests,
    faults,
    count: (operation) =>
      requests.filter((request) => !operation || request.operation === operation).length,
    ...damage(state),
    reset() {
      requests.length = 0
      state.objects.clear()
      state.uploads.clear()
      Object.assign(faults, noFaults(), options.faults)
    },
    forgetRequests() {
      requests.length = 0
    },
    async close() {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

function damage(
  state: S3State,
): Pick<S3Fake, 'putObject' | 'deleteObject' | 'abortUpload'> {
  return {
    putObject(key, content, headers = {}) {
      const bytes = Buffer.from(content)
      const md5 = hasher('md5')
      md5.update(bytes)
      const { length: size } = bytes
      const all = { chunks: [bytes], size, md5: md5.digest(), checksum: null }
      state.objects.set(key, objectOf(all, headers))
    },
    deleteObject(key) {
      state.objects.delete(key)
    },
    abortUpload(key) {
      for (const upload of state.uploads.values()) {
        if (upload.key === key) state.uploads.delete(upload.uploadId)
      }
    },
  }
}
