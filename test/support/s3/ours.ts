import { createRouter, route } from '../../../src/index.ts'
import { type S3StoreOptions, s3 } from '../../../stores/s3.ts'
import type { Answered } from '../exchange.ts'
import { created, patch } from '../records.ts'
import { type S3Fake, startS3Fake } from '../s3-fake.ts'
import { startServer, type TestServer } from '../server.ts'
import { smallParts } from './bare.ts'
import type { S3Faults } from './faults.ts'

/** Carcosa on the fake, with the same small parts as the bare library. */
export interface OurS3 {
  readonly fake: S3Fake
  readonly server: TestServer
  create(length: number | null, headers?: Record<string, string>): Promise<string>
  patch(
    path: string,
    offset: number,
    bytes: Buffer,
    headers?: Record<string, string>,
  ): Promise<Answered>
  head(path: string): Promise<Answered>
  offset(path: string): Promise<number>
  read(path: string): Promise<Answered>
  remove(path: string): Promise<Answered>
  /** The names of all events of an upload. */
  events(path: string): Promise<string[]>
  /** The key of its object in the bucket. */
  keyOf(path: string): string
}

export interface OurS3Options {
  store?: Partial<S3StoreOptions>
  faults?: Partial<S3Faults>
}

const router = createRouter({
  demo: route({ blob: { maxFileSize: '100MB', acl: 'public-read' } }).public(),
  image: route({ image: { maxFileSize: '100MB', acl: 'public-read' } }).public(),
})

/** Starts one, hands it to `use`, and stops it whatever happens. */
export async function withOurS3(
  { store = {}, faults = {} }: OurS3Options,
  use: (ours: OurS3) => Promise<void>,
): Promise<void> {
  const { minPartSize, partSize } = smallParts
  const fake = await startS3Fake({ faults: { minPartSize, ...faults } })
  const { profile, ...rest } = store
  const server = await startServer({
    router,
    store: s3({
      ...{ bucket: fake.bucket, endpoint: fake.endpoint, forcePathStyle: true, partSize },
      credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
      profile: { minPartSize, ...profile },
      // Failures are seen by the one who asks, at once.
      client: { maxAttempts: 1 },
      ...rest,
    }),
  })
  try {
    await use(ours(fake, server))
  } finally {
    await server.close()
    await fake.close()
  }
}

function ours(fake: S3Fake, server: TestServer): OurS3 {
  const { http } = server.doors
  const idOf = (path: string) => path.split('/').pop() ?? ''
  const head = (path: string) => http({ method: 'HEAD', path })
  return {
    fake,
    server,
    head,
    create: (length, headers = {}) => created(http, { length, headers }),
    patch: (path, offset, body, headers = {}) =>
      patch(http, path, { offset, body, headers }),
    offset: async (path) => Number((await head(path)).headers['upload-offset']),
    read: (path) => http({ method: 'GET', path: `/files/${idOf(path)}` }),
    remove: (path) => http({ method: 'DELETE', path }),
    async events(path) {
      const found = await server.uploads.db.prisma.event.findMany({
        where: { fileId: idOf(path) },
        orderBy: { seq: 'asc' },
      })
      return found.map(({ type }) => type)
    },
    keyOf: (path) => `carcosa/${idOf(path)}`,
  }
}
