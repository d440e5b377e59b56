import { createServer } from 'node:http'
import { type Options, S3Store } from '@tus/s3-store'
import { Server } from '@tus/server'
import { type Answered, closeConnections, type Exchange, overHttp } from '../exchange.ts'
import { type S3Fake, type S3FakeOptions, startS3Fake } from '../s3-fake.ts'
import { listen } from '../server.ts'
import { clientConfig } from './client.ts'
import type { S3Faults } from './faults.ts'

/** The library as it is, on the fake. */
export interface BareS3 {
  readonly fake: S3Fake
  readonly server: Server
  readonly store: S3Store
  readonly port: number
  readonly exchange: Exchange
  /** How often `onUploadFinish` was called. */
  finished(): number
  /** Creates an upload of a length, or of a deferred one, and returns its path. */
  create(length: number | null, headers?: Record<string, string>): Promise<string>
  patch(path: string, offset: number, bytes: Buffer): Promise<Answered>
  /** The same, telling a deferred length. */
  patchLast(path: string, offset: number, bytes: Buffer): Promise<Answered>
  head(path: string): Promise<Answered>
  remove(path: string): Promise<Answered>
}

export interface BareS3Options {
  store?: Partial<Omit<Options, 's3ClientConfig'>>
  faults?: Partial<S3Faults>
  /** The fake of another one, to be a second server on the same bucket. */
  fake?: S3Fake
}

export const KiB = 1024

/** Parts of 8 KiB, of at least 5: as the defaults, with KiB for MiB. */
export const smallParts = { partSize: 8 * KiB, minPartSize: 5 * KiB } as const

/** Starts one with {@link smallParts}, hands it to `use`, and stops it whatever happens. */
export async function withBareS3(
  options: BareS3Options,
  use: (bare: BareS3) => Promise<void>,
): Promise<void> {
  const given: S3FakeOptions = {
    faults: { minPartSize: smallParts.minPartSize, ...options.faults },
  }
  const fake = options.fake ?? (await startS3Fake(given))
  const { bare, close } = await start(fake, options.store)
  try {
    await use(bare)
  } finally {
    await close()
    if (!options.fake) await fake.close()
  }
}

/** The key under which the library keeps what is uploaded to a path. */
export function keyOf(path: string): string {
  return path.split('/').pop() ?? ''
}

async function start(fake: S3Fake, options: BareS3Options['store']) {
  let finished = 0
  const store = new S3Store({
    ...smallParts,
    ...options,
    s3ClientConfig: { bucket: fake.bucket, logger: silent, ...clientConfig(fake) },
  })
  const server = new Server({
    path: '/files',
    datastore: store,
    relativeLocation: true,
    async onUploadFinish() {
      finished++
      return {}
    },
  })
  const http = createServer((req, res) => void server.handle(req, res))
  const port = await listen(http)
  const exchange = overHttp(port)
  const bare: BareS3 = {
    ...{ fake, server, store, port, exchange, finished: () => finished },
    ...requestsOver(exchange),
  }
  return {
    bare,
    async close() {
      closeConnections(port)
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

function requestsOver(
  exchange: Exchange,
): Pick<BareS3, 'create' | 'patch' | 'patchLast' | 'head' | 'remove'> {
  return {
    async create(length, headers = {}) {
      const size: Record<string, string> =
        length === null
          ? { 'Upload-Defer-Length': '1' }
          : { 'Upload-Length': String(length) }
      const made = await exchange({
        method: 'POST',
        path: '/files',
        headers: { ...size, ...headers },
      })
      if (made.status !== 201) throw new Error(`${made.status}: ${made.text}`)
      return made.headers.location ?? ''
    },
    patch: (path, offset, body) =>
      exchange({ method: 'PATCH', path, headers: patchHeaders(offset), body }),
    patchLast(path, offset, body) {
      const length = { 'Upload-Length': String(offset + body.length) }
      const headers = { ...patchHeaders(offset), ...length }
      return exchange({ method: 'PATCH', path, headers, body })
    },
    head: (path) => exchange({ method: 'HEAD', path }),
    remove: (path) => exchange({ method: 'DELETE', path }),
  }
}

function patchHeaders(offset: number): Record<string, string> {
  return {
    'Upload-Offset': String(offset),
    'Content-Type': 'application/offset+octet-stream',
  }
}

/** The SDK warns on the console of every stream that it cannot send a second time. */
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }
