import { route } from '../../src/routes/route.ts'
import { createRouter } from '../../src/routes/router.ts'
import { type S3StoreOptions, s3 } from '../../stores/s3.ts'
import type { Store } from '../../stores/store.ts'
import type { Answered } from './exchange.ts'
import { upload } from './lifecycle.ts'
import type { S3Server } from './s3-server.ts'
import { startServer, type TestServer } from './server.ts'

/** A server whose routes put files into `store`, and serve them in different ways. */
export async function startServing(store: Store): Promise<TestServer> {
  const types = { blob: { maxFileSize: '64MB' } } as const
  const open = { blob: { maxFileSize: '64MB', acl: 'public-read' } } as const
  const router = createRouter({
    proxied: route(open).public(),
    redirected: route(open).public().serve('redirect'),
    signed: route(types).public().serve('redirect'),
    mine: route(types).serve('redirect'),
  })
  return startServer({ router, store })
}

export type ServingRoute = 'proxied' | 'redirected' | 'signed' | 'mine'

export interface Served {
  id: string
  path: string
}

export interface Content {
  readonly bytes: Buffer | string
  readonly name: string
  readonly type: string
}

/** A finished file. */
export async function serve(
  server: TestServer,
  route: ServingRoute,
  { bytes, name, type }: Content,
): Promise<Served> {
  const headers: Record<string, string> =
    route === 'mine' ? { Authorization: 'Bearer hastur' } : {}
  const metadata = { filename: name, filetype: type }
  const { id } = await upload(server, route, { body: bytes, metadata, headers })
  return { id, path: `/files/${id}` }
}

/** The store of these tests in a bucket; parts of 5 MiB make an object of some. */
export function bucketStore(
  at: Pick<S3Server, 'endpoint' | 'bucket'> & Partial<S3Server>,
  client: S3StoreOptions['client'] = {},
): Store {
  const { endpoint, bucket, prefix = 'carcosa/', region = 'us-east-1' } = at
  const { credentials = { accessKeyId: 'carcosa', secretAccessKey: 'carcosa-secret' } } =
    at
  return s3({
    ...{ endpoint, bucket, prefix, region, credentials },
    forcePathStyle: true,
    partSize: '5MB',
    client: { maxAttempts: 1, ...client },
  })
}

/** An answer without what is another for every file, object and moment. */
export function comparable({ status, headers, bytes }: Answered, { id }: Served) {
  const { 'last-modified': _m, date: _d, 'x-request-id': _r, ...rest } = headers
  const boundary = /boundary=([\w-]+)/.exec(headers['content-type'] ?? '')?.[1]
  const same = (text: string) => {
    const withoutId = text.replaceAll(id, '<id>').replace(/"requestId":"[^"]+"/, '')
    return boundary ? withoutId.replaceAll(boundary, '<boundary>') : withoutId
  }
  return {
    status,
    headers: Object.fromEntries(
      Object.entries(rest).map(([name, value]) => [name, same(value)]),
    ),
    body: same(bytes.toString('latin1')),
  }
}
