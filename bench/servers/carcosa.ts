/** Carcosa as a server process: `node carcosa.ts '<JSON of CarcosaOptions>'`. */
import { apiKeys } from '../../src/auth/api-keys.ts'
import { jwt } from '../../src/auth/jwt.ts'
import { createCarcosa } from '../../src/carcosa.ts'
import { route } from '../../src/routes/route.ts'
import { createRouter } from '../../src/routes/router.ts'
import { file } from '../../stores/file.ts'
import type { Store } from '../../stores/store.ts'
import { bucket, clientConfig } from '../references/s3/client-config.ts'
import { s3References } from '../references/s3/index.ts'
import { type Credential, jwtOptions, signJwt, writeCredential } from './credential.ts'
import { listen } from './listen.ts'

/** What Carcosa is started with. */
export interface CarcosaOptions {
  /** Where files are, if not in the directory: nodes share it. */
  files: string | null
  /** An existing directory for files, secret and the embedded database. */
  directory: string
  port: number
  express: boolean
  mount: string
  digest: 'sha-256' | 'none'
  /** Whether the route has an onUploadComplete, which costs it more states and a job. */
  callback: boolean
  /** A postgres:// URL; null for the embedded database below `directory`. */
  database: string | null
  /** The URL of an S3 to keep the files in; null for the directory. */
  s3: string | null
  /** Whether creations are counted, with a limit that nobody meets. */
  limited: boolean
  /** What creations are authorized by; null for a public route. */
  credential: Credential | null
  /** Whether lib-storage takes the uploads instead, in the same process. */
  libStorage: boolean
}

// The one argument was written by bench/support/variants.ts, which types it.
const options = JSON.parse(process.argv[2] ?? '') as CarcosaOptions

const closed = route({ blob: { maxFileSize: '5GiB', acl: 'public-read' } })
const any = options.credential ? closed : closed.public()
const router = createRouter({
  any: options.callback ? any.onUploadComplete(({ file }) => ({ id: file.id })) : any,
})
const carcosa = await createCarcosa({
  router,
  store: await openStore(options),
  database: options.database ?? `${options.directory}/db`,
  dataDir: options.directory,
  digest: options.digest,
  ...(options.credential && { auth: [apiKeys(), jwt(jwtOptions)] }),
  // All of them come from this machine.
  maxSubscribersPerClient: 100_000,
  rateLimits: options.limited && { create: { points: 1_000_000_000, per: '1m' } },
})
if (options.credential) {
  const { token } =
    options.credential === 'key'
      ? await carcosa.api.keys.create({ name: 'bench' })
      : { token: signJwt('bench') }
  writeCredential(options.directory, token)
}
const handler =
  options.libStorage && options.s3
    ? await s3References['lib-storage'](options.s3)
    : carcosa.handler
await listen(handler, options)

/** The S3 store is loaded by those who measure it: it would count as memory of the others. */
async function openStore(options: CarcosaOptions): Promise<Store> {
  const { s3: endpoint, directory, files } = options
  if (!endpoint) return file({ directory: files ?? `${directory}/files` })
  const { s3 } = await import('../../stores/s3.ts')
  return s3({ bucket, ...clientConfig(endpoint) })
}
